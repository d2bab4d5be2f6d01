"""What Alembic runs: the migrations, on the connection that `upgrade` was given."""

from alembic import context
from sqlalchemy import text

from outreach.store.schema import metadata

for table in metadata.tables.values():
    for index in table.indexes:
        if where := index.info.get("where"):
            for dialect in ("sqlite", "postgresql"):
                index.dialect_options[dialect]["where"] = text(where)

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    render_as_batch=True,
    transactional_ddl=True,
)
context.run_migrations()
