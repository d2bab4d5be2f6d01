"""The steps that bring a database up to date. `upgrade` runs those that are missing, in the caller's transaction."""

from pathlib import Path
from typing import TYPE_CHECKING

from alembic import command
from alembic.config import Config

if TYPE_CHECKING:
    from sqlalchemy import Connection


def upgrade(connection: "Connection", to: str = "head") -> None:
    """Run what is missing up to a revision, all of it or nothing: the caller's transaction commits it."""
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent))
    config.attributes["connection"] = connection
    command.upgrade(config, to)
