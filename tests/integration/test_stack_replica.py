"""A read replica: a streaming copy of our own server, or somebody's by URL."""

from __future__ import annotations

import os
import signal

import psycopg
import pytest
from signal_support import send_to_all

from palier.errors import StackError
from palier.stack.database import create_app_login, create_database
from palier.stack.health import wait_until
from palier.stack.identity import identify
from palier.stack.ports import HOST, free_port
from palier.stack.postgres import Server, start_server
from palier.stack.replica import (
    SLOT,
    replica_url,
    start_replica,
    use_replica,
    wait_until_caught_up,
)
from palier.stack.workspace import Workspace

pytestmark = pytest.mark.db

FAST = (("fsync", "off"), ("shared_buffers", "16MB"), ("work_mem", "7MB"))


@pytest.fixture(scope="module")
def workspace(tmp_path_factory):
    with Workspace.create(purpose="test", logs=tmp_path_factory.mktemp("logs")) as workspace:
        yield workspace


@pytest.fixture(scope="module")
def primary(workspace) -> Server:
    return start_server(workspace, settings=FAST)


@pytest.fixture(scope="module")
def replica(workspace, primary) -> Server:
    return start_replica(workspace, primary)


@pytest.fixture(scope="module")
def database(workspace, primary):
    return create_database(primary, workspace.token)


def one(url: str, query: str) -> object:
    with psycopg.connect(url) as connection:
        (value,) = connection.execute(query).fetchone() or (None,)
        return value


def test_after_the_wait_it_has_every_committed_row_and_the_same_logins(primary, replica, database):
    with psycopg.connect(database.admin_url) as connection:
        connection.execute("CREATE TABLE things AS SELECT generate_series(1, 100000) AS id")
        for role in ("app_user", "app_guest"):
            connection.execute(f"CREATE ROLE {role}")
        connection.execute("GRANT SELECT ON things TO app_user")
    app_url = create_app_login(database)

    wait_until_caught_up(replica, database)

    url = replica_url(replica, app_url)
    assert url != app_url
    assert one(url, "SELECT count(*) FROM things") == 100_000
    with pytest.raises(psycopg.errors.ReadOnlySqlTransaction):
        one(replica_url(replica, database.admin_url), "DELETE FROM things RETURNING id")


def test_it_is_a_server_of_its_own_with_the_primarys_settings(primary, replica):
    assert one(replica.maintenance_url, "SELECT pg_is_in_recovery()") is True
    assert one(replica.maintenance_url, "SHOW work_mem") == "7MB"
    assert one(replica.maintenance_url, "SHOW hot_standby_feedback") == "on"
    assert dict(replica.settings)["work_mem"] == "7MB"
    assert str(one(replica.maintenance_url, "SHOW cluster_name")).endswith("-replica")
    assert replica.version == primary.version
    assert not set(replica.pids()) & set(primary.pids())


def test_the_primary_keeps_its_log_for_a_replica_that_is_late(primary, replica, database):
    """A replica that stood still takes up where it stopped, whatever was written meanwhile."""
    assert (
        one(
            primary.maintenance_url,
            f"SELECT active FROM pg_replication_slots WHERE slot_name = '{SLOT}'",
        )
        is True
    )
    send_to_all(replica.pids(), signal.SIGSTOP)
    try:
        with psycopg.connect(database.admin_url, autocommit=True) as connection:
            connection.execute("CREATE TABLE later AS SELECT generate_series(1, 50000) AS id")
            for _ in range(3):
                connection.execute("SELECT pg_switch_wal()")
                connection.execute("INSERT INTO later VALUES (0)")
                connection.execute("CHECKPOINT")
    finally:
        send_to_all(replica.pids(), signal.SIGCONT)

    wait_until_caught_up(replica, database)

    assert one(replica_url(replica, database.admin_url), "SELECT count(*) FROM later") == 50_003


# --- somebody's own ---------------------------------------------------------------------------


def test_your_own_server_needs_your_own_replica(postgres):
    with pytest.raises(StackError, match="reads from a replica") as caught:
        use_replica(postgres, {})

    assert "PALIER_REPLICA_URL" in caught.value.fix


def test_your_replica_is_used_as_it_is(primary, replica, database):
    found = use_replica(primary, {"PALIER_REPLICA_URL": replica.maintenance_url})

    assert (found.process, found.origin) == (None, "PALIER_REPLICA_URL")
    assert found.version == primary.version
    wait_until_caught_up(found, database)


def test_a_server_that_takes_writes_is_no_replica(primary):
    with pytest.raises(StackError, match="is no replica"):
        use_replica(primary, {"PALIER_REPLICA_URL": primary.maintenance_url})


def test_a_replica_of_another_server_is_found_out(postgres, replica, monkeypatch):
    monkeypatch.setattr("palier.stack.replica.CATCH_UP_DEADLINE_S", 1.0)
    database = create_database(postgres, f"test_{os.getpid()}_elsewhere")
    try:
        with pytest.raises(StackError, match=f"{database.name}|behind the primary"):
            wait_until_caught_up(replica, database)
    finally:
        with psycopg.connect(postgres.maintenance_url, autocommit=True) as connection:
            connection.execute(f"DROP DATABASE {database.name} WITH (FORCE)")


def test_a_replica_nobody_answers_at_is_an_error_without_the_password(primary):
    url = f"postgresql://me:secret@{HOST}:{free_port()}/postgres"

    with pytest.raises(StackError, match="cannot reach the replica me@") as caught:
        use_replica(primary, {"PALIER_REPLICA_URL": url})

    assert "secret" not in str(caught.value)


def test_a_replica_that_cannot_be_made_says_why(stacks_home, tmp_path):
    with Workspace.create(purpose="test", home=stacks_home, logs=tmp_path) as workspace:
        server = start_server(workspace, settings=(*FAST, ("max_wal_senders", "0")))

        with pytest.raises(StackError, match=r"replica-copy failed(.|\n)*max_wal_senders"):
            start_replica(workspace, server)


def test_it_ends_with_its_workspace_although_its_primary_was_killed(stacks_home):
    with Workspace.create(purpose="test", home=stacks_home) as workspace:
        server = start_server(workspace, settings=FAST)
        copy = start_replica(workspace, server)
        assert server.process is not None
        backends = [identify(pid) for pid in (*copy.pids(), *server.pids())]
        os.kill(server.process.pid, signal.SIGKILL)
        process = server.process
        wait_until(
            lambda: "alive" if process.exit_code() is None else None,
            deadline_s=20,
            component="postgres",
        )

    assert not any(backend.alive() for backend in backends)
