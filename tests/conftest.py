"""What every test may ask for: a real PostgreSQL, fresh databases, and nothing left behind."""

from __future__ import annotations

import os
import shutil
import signal
import tempfile
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from uuid import uuid4

import psutil
import pytest
from hypothesis import settings

from palier.errors import StackError
from palier.stack.address import shown
from palier.stack.binaries import find_binaries
from palier.stack.cleanup import cleanup_stale, down_all
from palier.stack.database import create_database, drop_database, drop_stale_databases
from palier.stack.postgres import URL_VARIABLE, Server, open_server, use_server
from palier.stack.workspace import Workspace

# Deadlines of single examples measure the machine, not the code. A failure prints the line that
# repeats it.
settings.register_profile("dev", deadline=None, print_blob=True)
settings.register_profile("ci", deadline=None, print_blob=True, derandomize=True)
settings.register_profile("thorough", deadline=None, print_blob=True, max_examples=2_000)
HYPOTHESIS_PROFILE = os.environ.get("HYPOTHESIS_PROFILE", "ci" if "CI" in os.environ else "dev")
settings.load_profile(HYPOTHESIS_PROFILE)

TEST_SERVER_SETTINGS = (
    # A test's data is worth nothing after it, and less than nothing after a power failure.
    ("fsync", "off"),
    ("synchronous_commit", "off"),
    ("full_page_writes", "off"),
    ("shared_buffers", "64MB"),
    # Many tests open pools; several workers run their own server.
    ("max_connections", "200"),
)


def pytest_configure() -> None:
    """Let Ctrl-C through to the processes that tests start.

    A shell starts background jobs with SIGINT ignored, and whatever we start would inherit that.
    """
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_report_header(config: pytest.Config) -> list[str]:
    return [f"PostgreSQL: {_postgres_header()}", f"hypothesis profile: {HYPOTHESIS_PROFILE}"]


def _postgres_header() -> str:
    url = os.environ.get(URL_VARIABLE)
    try:
        if url:
            server = use_server(url)
            return f"{server.version} at {shown(url)} ({URL_VARIABLE})"
        found = find_binaries()
    except StackError as error:
        return f"none: {error.what}"
    return f"{found.version} ({found.origin})"


@pytest.fixture(scope="session", autouse=True)
def nothing_left_behind() -> Iterator[None]:
    """Every process a test started has ended when the session does."""
    yield
    left = [
        " ".join(process.cmdline())
        for process in psutil.Process().children(recursive=True)
        if process.status() != psutil.STATUS_ZOMBIE
    ]
    # Python's own helper of multiprocessing lives until its parent ends, by design.
    left = [line for line in left if "multiprocessing.resource_tracker" not in line]
    assert left == [], "tests left processes running"


@pytest.fixture
def stacks_home() -> Iterator[Path]:
    """A directory of stacks for one test; every user may pass through, unlike ``tmp_path``."""
    home = Path(tempfile.mkdtemp(prefix="palier-test-", dir="/var/tmp"))
    home.chmod(0o711)
    try:
        yield home
        assert list(home.glob("stacks/*")) == [], "the test left a stack"
    finally:
        down_all(home)
        shutil.rmtree(home)


@pytest.fixture(scope="session")
def postgres(nothing_left_behind: None) -> Iterator[Server]:
    """One server for each test worker: embedded, or that of PALIER_DATABASE_URL."""
    cleanup_stale()
    with Workspace.create(purpose="test") as workspace:
        server = open_server(workspace, settings=TEST_SERVER_SETTINGS)
        drop_stale_databases(server)
        yield server


DatabaseFactory = Callable[[], AbstractContextManager[str]]


@pytest.fixture(scope="session")
def fresh_database(postgres: Server) -> DatabaseFactory:
    """Makes fresh empty databases: ``with fresh_database() as admin_url``.

    For fixtures with a wider scope than one test; a test takes ``database``.
    """

    @contextmanager
    def make() -> Iterator[str]:
        database = create_database(postgres, f"test_{uuid4().hex[:12]}")
        try:
            yield database.admin_url
        finally:
            drop_database(postgres, database.name)

    return make


@pytest.fixture
def database(fresh_database: DatabaseFactory) -> Iterator[str]:
    """URL of a fresh empty database for one test, as a role that may do everything in it."""
    with fresh_database() as admin_url:
        yield admin_url
