"""PgBouncer in front of a database: many clients, few server connections, one identity each."""

from __future__ import annotations

import os
from contextlib import ExitStack

import psutil
import psycopg
import pytest

from palier.errors import StackError
from palier.stack import programs
from palier.stack.address import parts_of, with_login
from palier.stack.database import create_app_login, create_database, drop_database
from palier.stack.pooler import find_pgbouncer, limit_statements, start_pooler
from palier.stack.programs import on_path
from palier.stack.workspace import Workspace

needs_pgbouncer = pytest.mark.skipif(
    on_path("pgbouncer", os.environ) is None, reason="needs the package pgbouncer"
)

pytestmark = [pytest.mark.db]


@pytest.fixture
def workspace(stacks_home):
    with Workspace.create(purpose="test", home=stacks_home) as workspace:
        yield workspace


@pytest.fixture
def database(postgres, workspace):
    database = create_database(postgres, workspace.token)
    yield database
    workspace.end_processes()
    drop_database(postgres, database.name)


@pytest.fixture
def app_url(database):
    with psycopg.connect(database.admin_url) as connection:
        for role in ("app_user", "app_guest"):
            connection.execute(
                f"DO $$ BEGIN CREATE ROLE {role}; EXCEPTION WHEN duplicate_object THEN END $$"
            )
        connection.execute("CREATE TABLE things AS SELECT 1 AS id")
        connection.execute("GRANT SELECT ON things TO app_user")
    return create_app_login(database)


@pytest.fixture
def pooled(workspace, database, app_url):
    def start(server_connections: int = 2, replica: bool = False):
        return start_pooler(
            workspace,
            find_pgbouncer(),
            database_url=app_url,
            replica_url=app_url if replica else None,
            server_connections=server_connections,
            client_connections=50,
        )

    return start


def connect(url: str) -> psycopg.Connection:
    return psycopg.connect(url, prepare_threshold=None, autocommit=True)


@needs_pgbouncer
@pytest.mark.covers("B-176")
def test_many_clients_share_few_server_connections_and_each_acts_as_the_applications_role(
    pooled, database
):
    pooler = pooled(server_connections=2)
    with ExitStack() as clients:
        connections = [clients.enter_context(connect(pooler.url)) for _ in range(12)]
        for connection in connections:
            row = connection.execute("SELECT current_user, count(*) FROM things").fetchone()
            assert row == ("app_user", 1)
        with psycopg.connect(database.admin_url) as admin:
            count = admin.execute(
                "SELECT count(*) FROM pg_stat_activity WHERE usename = %s",
                (f"{database.name}_app",),
            ).fetchone()
    assert count is not None
    assert 1 <= count[0] <= 2


@needs_pgbouncer
def test_an_identity_of_one_transaction_is_gone_in_the_next(pooled):
    """All clients use the one server connection; what a transaction said of itself ends with it."""
    pooler = pooled(server_connections=1)
    with connect(pooler.url) as one, connect(pooler.url) as other:
        with one.transaction():
            one.execute("SELECT set_config('app.user_id', 'me', true)")
            one.execute("SELECT set_config('role', 'app_guest', true)")
        row = other.execute("SELECT current_setting('app.user_id', true), current_user").fetchone()

    assert row is not None
    assert row in (("", "app_user"), (None, "app_user"))


@needs_pgbouncer
def test_a_pipeline_is_one_transaction_on_one_server_connection(pooled):
    """The application sends identity and statement together (decision 0020)."""
    pooler = pooled(server_connections=1)
    with connect(pooler.url) as connection, connection.pipeline():
        connection.execute("SELECT set_config('app.user_id', 'me', true)")
        row = connection.execute("SELECT current_setting('app.user_id', true)").fetchone()

    assert row == ("me",)


@needs_pgbouncer
def test_the_replica_is_pooled_under_a_name_of_its_own(pooled, database):
    pooler = pooled(replica=True)
    assert pooler.replica_url is not None

    assert parts_of(pooler.replica_url)["dbname"] == f"{database.name}_replica"
    with connect(pooler.replica_url) as connection:
        assert connection.execute("SELECT count(*) FROM things").fetchone() == (1,)


@needs_pgbouncer
@pytest.mark.covers("B-196")
def test_the_login_has_the_time_limit_that_a_pooler_does_not_take(pooled, database, app_url):
    limit_statements(database.admin_url, app_url)
    with connect(pooled().url) as connection:
        assert connection.execute("SHOW statement_timeout").fetchone() == ("30s",)


@needs_pgbouncer
def test_it_is_closed_to_others_runs_without_root_and_is_gone_afterwards(
    workspace, pooled, app_url
):
    pooler = pooled()
    assert psutil.Process(pooler.process.pid).uids().real != 0
    for name in ("pgbouncer.ini", "pgbouncer-users.txt"):
        assert (workspace.folder / name).stat().st_mode & 0o077 == 0
    password = parts_of(app_url)["password"]
    assert password not in repr(pooler)
    with pytest.raises(psycopg.OperationalError, match="authentication failed"):
        connect(with_login(pooler.url, user=parts_of(app_url)["user"], password="guess"))

    workspace.end_processes()

    with pytest.raises(psycopg.OperationalError):
        connect(pooler.url)


@needs_pgbouncer
def test_its_console_shows_statistics_and_takes_no_commands(pooled):
    with connect(pooled().console_url) as console:
        assert console.execute("SHOW POOLS").fetchall()
        with pytest.raises(psycopg.Error, match="admin access needed"):
            console.execute("SHUTDOWN")


def test_without_it_the_error_names_the_package(monkeypatch):
    monkeypatch.setattr(programs, "SBIN", ())

    with pytest.raises(StackError, match="PgBouncer is not on this machine") as caught:
        find_pgbouncer({"PATH": ""})

    assert "apt install pgbouncer" in caught.value.fix
    assert "--set pooling=app" in caught.value.fix


@needs_pgbouncer
def test_a_database_that_does_not_answer_behind_it_is_an_error_that_says_so(workspace, monkeypatch):
    monkeypatch.setattr("palier.stack.pooler.START_DEADLINE_S", 2.0)
    with pytest.raises(StackError, match="pgbouncer was not ready"):
        start_pooler(
            workspace,
            find_pgbouncer(),
            database_url="postgresql://me:secret@127.0.0.1:1/nowhere",
            replica_url=None,
            server_connections=1,
            client_connections=10,
        )
