"""Backups of a real database: made while it is in use, restored, verified, and never half."""

from __future__ import annotations

import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec
import psycopg
import pytest
from app_support import World, app_login, migrate_both
from psycopg.conninfo import make_conninfo
from upkeep_support import (
    NOW,
    THREE_YEARS_AGO,
    command,
    empty_again,
    rows_of,
    stays,
    upkeep,
    wait_until_none,
    world,
)

from reference_app.upkeep.__main__ import main
from reference_app.upkeep.backup_log import Entry
from reference_app.upkeep.errors import UpkeepError, VerificationError
from reference_app.upkeep.manifest import (
    DUMP,
    MANIFEST,
    SUMS,
    check_files,
    read_manifest,
    write_manifest,
)
from reference_app.upkeep.overdue import overdue
from reference_app.upkeep.programs import address, find_programs
from reference_app.upkeep.storage import Storage
from reference_app.upkeep.verify import DOMAIN
from reference_app.variant import Variant

pytestmark = pytest.mark.db

EVERYTHING = Variant(
    indexes="full",
    row_security="wrapped",
    units_table="split_flat",
    cache="memory",
    views="materialised",
)
"""Every table and trigger there can be."""

NAME = "backup-20261122T230000Z"


@pytest.fixture(scope="module")
def migrated(fresh_database: Any) -> Iterator[World]:
    with fresh_database() as url, world(url, EVERYTHING) as made:
        yield made


@pytest.fixture(scope="module")
def login(migrated: World) -> str:
    return app_login(migrated.admin_url)


@pytest.fixture
def data(migrated: World) -> Iterator[World]:
    """Two owners and five stays; the schema is not to be changed."""
    fill(migrated)
    yield migrated
    empty_again(migrated)


def fill(made: World) -> None:
    stays(made, 3, NOW.date())
    stays(made, 2, THREE_YEARS_AGO)


@pytest.fixture
def empty(fresh_database: Any) -> Iterator[str]:
    with fresh_database() as url:
        yield url


def back_up(data: World, to: Path, *more: str, now: datetime = NOW, code: int = 0) -> Any:
    to.mkdir(exist_ok=True)
    arguments = ["--url", data.admin_url, "--to", str(to), "--now", now.isoformat()]
    return upkeep("backup", *arguments, *more, code=code)


def log_of(data: World) -> list[tuple[Any, ...]]:
    return data.rows(
        "SELECT date, size_bytes, storage, tested, ok, tested_at FROM backup_log"
        " ORDER BY date, storage"
    )


def contents(url: str) -> dict[str, list[Any]]:
    """All rows of all tables, what protects them, and who may do what."""
    with psycopg.connect(url) as connection:
        tables = connection.execute(
            "SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace"
            " AND relkind = 'r' AND relname <> 'backup_log'"
        ).fetchall()
        found = {
            table: connection.execute(
                f"SELECT t::text FROM {table} t ORDER BY 1".encode()
            ).fetchall()
            for (table,) in tables
        }
        for name, query in {
            "policies": "SELECT tablename, policyname, roles::text, qual, with_check"
            " FROM pg_policies ORDER BY 1, 2",
            "security": "SELECT relname FROM pg_class WHERE relrowsecurity ORDER BY 1",
            "grants": "SELECT table_name, grantee, privilege_type"
            " FROM information_schema.table_privileges WHERE table_schema = 'public'"
            " ORDER BY 1, 2, 3",
            "columns": "SELECT table_name, column_name, grantee, privilege_type"
            " FROM information_schema.column_privileges WHERE table_schema = 'public'"
            " ORDER BY 1, 2, 3, 4",
            "constraints": "SELECT conrelid::regclass::text, conname, pg_get_constraintdef(oid)"
            " FROM pg_constraint WHERE connamespace = 'public'::regnamespace ORDER BY 1, 2",
            "indexes": "SELECT indexdef FROM pg_indexes WHERE schemaname = 'public' ORDER BY 1",
            "triggers": "SELECT pg_get_triggerdef(oid) FROM pg_trigger WHERE NOT tgisinternal"
            " ORDER BY 1",
            "functions": "SELECT pg_get_functiondef(p.oid) FROM pg_proc p"
            " WHERE pronamespace = 'public'::regnamespace AND prokind = 'f' AND NOT EXISTS"
            " (SELECT FROM pg_depend d WHERE d.objid = p.oid AND d.deptype = 'e') ORDER BY 1",
        }.items():
            found[f"*{name}"] = connection.execute(query.encode()).fetchall()
        return found


# Making one ----------------------------------------------------------------------------------


@pytest.mark.covers("B-165", "B-167", "F-20")
def test_a_backup_has_a_size_the_right_date_and_a_line_in_the_log(
    data: World, tmp_path: Path
) -> None:
    near, far = tmp_path / "near", tmp_path / "far"
    far.mkdir()

    result = back_up(data, near, "--copy-to", str(far))

    assert result["paths"] == [str(near / NAME), str(far / NAME)]
    assert result["size_bytes"] == (near / NAME / DUMP).stat().st_size > 0
    for storage in (near, far):
        manifest = check_files(storage / NAME)
        assert manifest.at == NOW
        assert (manifest.rows["users"], manifest.rows["reservations"]) == (2, 5)
    assert log_of(data) == [
        (NOW, result["size_bytes"], str(storage), False, None, None) for storage in (far, near)
    ]


def test_feeds_that_are_only_kept_for_a_while_are_not_kept_for_years(
    data: World, login: str, empty: str, tmp_path: Path
) -> None:
    data.run("INSERT INTO calendar_cache VALUES ('a', 'SUMMARY:Anne Martin', now())")
    back_up(data, tmp_path)

    assert upkeep("restore", str(tmp_path), "--url", empty, "--app-url", login)["problems"] == []

    with psycopg.connect(empty) as connection:
        assert connection.execute("SELECT FROM calendar_cache").fetchall() == []


def test_other_users_of_the_machine_cannot_read_a_backup(data: World, tmp_path: Path) -> None:
    near, far = tmp_path / "near", tmp_path / "far"
    far.mkdir()
    back_up(data, near, "--copy-to", str(far))

    for storage in (near, far):
        assert (storage / NAME).stat().st_mode & 0o077 == 0


def test_the_usual_tool_can_check_the_sums(data: World, tmp_path: Path) -> None:
    sha256sum = shutil.which("sha256sum")
    if sha256sum is None:
        pytest.skip("no sha256sum on this machine")
    back_up(data, tmp_path)

    subprocess.run([sha256sum, "--check", "--strict", SUMS], cwd=tmp_path / NAME, check=True)


def test_a_password_is_never_on_a_command_line() -> None:
    found = address("postgresql://ann:s3cret@db.example:5433/rentals?keepalives=1")

    assert found.conninfo == "keepalives=1"
    assert found.environment == {
        "PGUSER": "ann",
        "PGPASSWORD": "s3cret",
        "PGHOST": "db.example",
        "PGPORT": "5433",
        "PGDATABASE": "rentals",
    }


def test_two_backups_of_one_second_do_not_overwrite_each_other(data: World, tmp_path: Path) -> None:
    back_up(data, tmp_path)
    before = (tmp_path / NAME / SUMS).read_bytes()

    assert "is there already" in back_up(data, tmp_path, code=5)

    assert (tmp_path / NAME / SUMS).read_bytes() == before


def test_a_storage_that_is_not_mounted_is_not_made_up(data: World, tmp_path: Path) -> None:
    complaint = upkeep("backup", "--url", data.admin_url, "--to", str(tmp_path / "missing"), code=5)

    assert "is not a directory" in complaint
    assert list(tmp_path.iterdir()) == []


# Never half ----------------------------------------------------------------------------------


def test_a_disk_that_fills_up_leaves_no_backup_and_no_line_in_the_log(
    data: World, tmp_path: Path
) -> None:
    """The system refuses to write more than 16 KiB into a file, as it does when a disk is full."""
    wanted = command(
        "backup", "--url", data.admin_url, "--to", str(tmp_path), "--now", NOW.isoformat()
    )
    ended = subprocess.run(
        ["sh", "-c", 'ulimit -f 16; exec "$@"', "sh", *wanted],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )

    assert ended.returncode == 5, ended.stderr
    assert "pg_dump" in ended.stderr
    assert Storage(tmp_path).backups() == ()
    assert log_of(data) == []

    back_up(data, tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == [".lock", NAME]


@pytest.mark.parametrize("in_the_way", [True, False])
def test_a_second_storage_that_fails_costs_neither_the_first_nor_the_third(
    data: World, tmp_path: Path, in_the_way: bool
) -> None:
    """Something of that name is in the way, or the storage is not mounted."""
    first, broken, third = (tmp_path / name for name in ("first", "broken", "third"))
    third.mkdir()
    if in_the_way:
        (broken / NAME).mkdir(parents=True)

    complaint = back_up(data, first, "--copy-to", str(broken), "--copy-to", str(third), code=5)

    assert f"{broken}" in complaint
    assert "is complete" in complaint
    for storage in (first, third):
        check_files(storage / NAME)
        assert (storage / NAME).is_dir()
    assert {row[2] for row in log_of(data)} == {str(first), str(third)}


@pytest.mark.covers("B-165")
def test_killed_in_the_middle_of_a_dump_leaves_nothing_that_looks_like_a_backup(
    data: World, tmp_path: Path
) -> None:
    """kill -9 of us while pg_dump waits for a table; pg_dump goes on without us for a while."""
    arguments = ["--url", data.admin_url, "--to", str(tmp_path), "--now", NOW.isoformat()]
    with psycopg.connect(data.admin_url) as blocker:
        blocker.execute("LOCK TABLE users IN ACCESS EXCLUSIVE MODE")
        process = subprocess.Popen(command("backup", *arguments))
        try:
            wait_until_none(data, WAITS_NOT, "pg_dump")
        finally:
            process.kill()
            process.wait()
        assert Storage(tmp_path).backups() == ()
        # What the orphan still writes to is not taken away from it.
        assert "another backup" in upkeep("backup", *arguments, code=5)
        data.run(
            "SELECT pg_terminate_backend(pid, 30000) FROM pg_stat_activity"
            " WHERE datname = current_database() AND application_name = 'pg_dump'"
        )
    wait_until_free(Storage(tmp_path))
    assert log_of(data) == []

    upkeep("backup", *arguments)

    assert sorted(path.name for path in tmp_path.iterdir()) == [".lock", NAME]
    assert len(log_of(data)) == 1


WAITS_NOT = (
    "SELECT 1 WHERE NOT EXISTS (SELECT FROM pg_stat_activity WHERE datname = current_database()"
    " AND application_name = %s AND wait_event_type = 'Lock')"
)


def wait_until_free(storage: Storage) -> None:
    """Wait until nobody holds a storage's lock."""
    take = "import fcntl, sys; fcntl.flock(open(sys.argv[1]), fcntl.LOCK_EX)"
    lock = storage.directory / ".lock"
    subprocess.run([sys.executable, "-c", take, lock], timeout=30, check=True)


# Restoring -----------------------------------------------------------------------------------


@pytest.mark.covers("B-167", "B-168", "F-20", "F-21")
def test_a_backup_restores_to_the_same_database_and_the_rehearsal_is_logged(
    data: World, login: str, empty: str, tmp_path: Path
) -> None:
    """Rows, keys, indexes, row security and grants; counts, sign-in and a new booking."""
    back_up(data, tmp_path)

    result = upkeep(
        *("restore", str(tmp_path), "--url", empty, "--app-url", login),
        *("--log-url", data.admin_url, "--now", NOW.isoformat()),
    )

    assert result == {
        "backup": NAME,
        "users": 2,
        "reservations": 5,
        "tables": len(read_manifest(tmp_path / NAME).rows),
        "problems": [],
    }
    assert contents(empty) == contents(data.admin_url)
    [(date, _, storage, tested, ok, tested_at)] = log_of(data)
    assert (date, storage, tested, ok, tested_at) == (NOW, str(tmp_path), True, True, NOW)


@pytest.mark.covers("B-168", "F-21")
def test_a_rollback_replaces_what_is_there_and_is_logged_in_what_it_restored(
    data: World, login: str, tmp_path: Path
) -> None:
    back_up(data, tmp_path)
    before = contents(data.admin_url)
    data.run("DELETE FROM reservations")
    data.run("ALTER TABLE users DROP COLUMN created_at")
    data.run("CREATE TABLE made_since (user_id uuid REFERENCES users (id))")
    arguments = ["restore", str(tmp_path), "--url", data.admin_url, "--app-url", login]

    assert "not empty" in upkeep(*arguments, code=5)
    assert rows_of(data, "reservations") == []
    upkeep(*arguments, "--overwrite", "--now", NOW.isoformat())

    assert contents(data.admin_url) == before
    [(*_, tested, ok, tested_at)] = log_of(data)
    assert (tested, ok, tested_at) == (True, True, NOW)


def test_a_restore_that_is_killed_leaves_the_database_as_it_was(
    data: World, login: str, tmp_path: Path
) -> None:
    """kill -9 of us in the middle of an overwrite: nobody says COMMIT any more."""
    back_up(data, tmp_path)
    stays(data, 1, NOW.date())
    before = contents(data.admin_url)
    with psycopg.connect(data.admin_url) as reader:
        # The overwrite has to wait for a reader of the last table it drops.
        reader.execute("SELECT FROM users")
        process = subprocess.Popen(
            command(
                *("restore", str(tmp_path), "--overwrite", "--url", data.admin_url),
                *("--app-url", login),
            )
        )
        try:
            wait_until_none(data, WAITS_NOT, "psql")
        finally:
            process.kill()
            process.wait()
    wait_until_none(
        data,
        "SELECT query FROM pg_stat_activity WHERE datname = current_database()"
        " AND application_name = 'psql'",
    )

    assert contents(data.admin_url) == before


@pytest.mark.parametrize("part", [DUMP, MANIFEST, SUMS])
def test_a_damaged_backup_is_refused_and_the_log_says_so(
    data: World, login: str, empty: str, tmp_path: Path, part: str
) -> None:
    back_up(data, tmp_path)
    file = tmp_path / NAME / part
    content = bytearray(file.read_bytes())
    content[len(content) // 2] ^= 1
    file.write_bytes(content)

    complaint = upkeep(
        *("restore", str(tmp_path), "--url", empty, "--app-url", login),
        *("--log-url", data.admin_url),
        code=3,
    )

    assert "is damaged" in complaint
    assert contents(empty)["*grants"] == []
    assert [row[4] for row in log_of(data)] == [False]


def test_a_dump_that_does_not_fit_its_description_is_damaged(data: World, tmp_path: Path) -> None:
    back_up(data, tmp_path)
    manifest = msgspec.structs.replace(read_manifest(tmp_path / NAME), dump_bytes=1)
    write_manifest(tmp_path / NAME, manifest)

    with pytest.raises(VerificationError, match="not 1"):
        check_files(tmp_path / NAME)


def test_a_dump_that_pg_restore_cannot_read_changes_nothing(
    data: World, login: str, tmp_path: Path
) -> None:
    """Cut off in the middle, with sums that fit: pg_restore itself has to fail."""
    back_up(data, tmp_path)
    path = tmp_path / NAME
    half = (path / DUMP).read_bytes()[:-4000]
    (path / DUMP).write_bytes(half)
    write_manifest(path, msgspec.structs.replace(read_manifest(path), dump_bytes=len(half)))
    before = contents(data.admin_url)

    complaint = upkeep(
        *("restore", str(tmp_path), "--overwrite", "--url", data.admin_url),
        *("--app-url", login),
        code=5,
    )

    assert "pg_restore" in complaint
    assert contents(data.admin_url) == before


# Verifying -----------------------------------------------------------------------------------


@pytest.fixture
def restored(data: World, login: str, tmp_path: Path) -> list[str]:
    """Arguments that verify a backup against the database it was made from."""
    back_up(data, tmp_path)
    return ["verify", str(tmp_path), "--url", data.admin_url, "--app-url", login]


@pytest.mark.covers("B-168", "F-21")
@pytest.mark.parametrize(
    ("harm", "words"),
    [
        ("DELETE FROM reservations WHERE prix_centimes = 2", "reservations: 4 rows"),
        ("DROP TABLE error_logs", "error_logs: no such table"),
        ("REVOKE EXECUTE ON FUNCTION find_credentials FROM app_user", "POST /api/auth answered"),
        ("REVOKE INSERT ON reservations FROM app_user", "POST /api/reservations answered"),
        ("DROP POLICY own_rows ON gites", "POST /api/units answered"),
        (
            "ALTER TABLE reservations DROP CONSTRAINT ex_reservations_no_overlap",
            "POST /api/reservations answered 201 instead of 409",
        ),
    ],
)
def test_what_is_missing_in_a_restored_database_is_named_and_restoring_mends_it(
    data: World, restored: list[str], harm: str, words: str
) -> None:
    data.run(harm)

    complaint = upkeep(*restored, code=3)
    logged = data.rows("SELECT tested, ok FROM backup_log")
    ours = data.rows("SELECT email FROM users WHERE email LIKE %s", f"%{DOMAIN}")
    upkeep("restore", "--overwrite", *restored[1:])

    assert words in complaint
    assert logged == [(True, False)]
    assert ours == []


def test_a_backup_that_is_older_than_the_code_is_migrated_between_counting_and_using(
    data: World, login: str, empty: str, tmp_path: Path
) -> None:
    data.run("DROP POLICY own_rows ON gites")
    data.run("DROP TABLE km_trajets")
    back_up(data, tmp_path / "old")
    variant = msgspec.json.encode(EVERYTHING).decode()
    arguments = ["restore", str(tmp_path / "old"), "--url", empty, "--app-url", login]

    assert "POST /api/units" in upkeep(*arguments, code=3)
    upkeep(*arguments, "--overwrite", "--variant", variant)

    migrate_both(data.admin_url, EVERYTHING)
    assert contents(empty) == contents(data.admin_url)


def test_verifying_leaves_no_trace_but_the_log(data: World, restored: list[str]) -> None:
    before = contents(data.admin_url)

    upkeep(*restored)
    upkeep(*restored)

    assert contents(data.admin_url) == before
    assert data.rows("SELECT tested, ok FROM backup_log") == [(True, True)]


def test_what_a_killed_verification_left_is_removed_by_the_next(
    data: World, restored: list[str]
) -> None:
    before = contents(data.admin_url)
    owner = data.owner()
    data.run("UPDATE users SET email = %s WHERE id = %s", f"x@{DOMAIN}", owner.user_id)
    data.reservation(owner, data.unit(owner), NOW.date(), NOW.date() + timedelta(days=1))

    upkeep(*restored)

    assert contents(data.admin_url) == before


def test_only_the_login_is_taken_from_the_applications_connection(
    data: World, login: str, restored: list[str]
) -> None:
    """Its database is where customers are: our account must never appear there."""
    login = restored[-1]
    restored[-1] = make_conninfo(login, dbname="somewhere_else", host="192.0.2.1")

    assert upkeep(*restored)["problems"] == []


# Keeping them --------------------------------------------------------------------------------


@pytest.mark.covers("B-166")
def test_pruning_keeps_what_retention_says_and_touches_nothing_else(
    data: World, tmp_path: Path
) -> None:
    moments = [NOW - timedelta(days=days) for days in (0, 3, 19, 20, 40, 41)]
    for moment in moments:
        back_up(data, tmp_path, now=moment)
    stray = tmp_path / "notes.txt"
    stray.write_text("mine")
    names = [each["name"] for each in upkeep("list", str(tmp_path))]
    prune = ("prune", str(tmp_path), "--now", NOW.isoformat())

    assert upkeep(*prune, "--dry-run")["removed"] == [names[0], names[2]]
    assert [each["name"] for each in upkeep("list", str(tmp_path))] == names
    upkeep(*prune)

    left = [each["name"] for each in upkeep("list", str(tmp_path))]
    assert left == [name for name in names if name not in (names[0], names[2])]
    assert stray.read_text() == "mine"
    assert upkeep(*prune)["removed"] == []


@pytest.mark.covers("B-165", "B-167", "T-152", "T-155")
def test_what_is_overdue_is_said_until_it_is_done(data: World, login: str, tmp_path: Path) -> None:
    check = ["check", str(tmp_path), "--url", data.admin_url, "--now", NOW.isoformat()]
    assert "no backup" in upkeep(*check, code=5)

    back_up(data, tmp_path, now=NOW - timedelta(days=9))
    complaint = upkeep(*check, code=3)
    assert "one a week is due" in complaint
    assert "one a month is due" in complaint

    back_up(data, tmp_path, now=NOW - timedelta(days=6))
    assert "one a week" not in upkeep(*check, code=3)
    upkeep(
        *("verify", str(tmp_path), "--url", data.admin_url, "--now", NOW.isoformat()),
        *("--app-url", login),
    )
    assert upkeep(*check) == {"checked": [str(tmp_path / "backup-20261116T230000Z")]}


# While others write --------------------------------------------------------------------------


@pytest.mark.covers("B-165", "F-20")
def test_a_backup_made_while_64_writers_write_is_one_moment(
    fresh_database: Any, tmp_path: Path
) -> None:
    """Each writer books a pair of stays in one transaction: no backup may hold half a pair."""
    variant = Variant(row_security="wrapped")
    with fresh_database() as url, fresh_database() as empty, world(url, variant) as data:
        owner = data.owner()
        units = [data.unit(owner) for _ in range(64)]
        stop = threading.Event()

        def write(unit: Any) -> int:
            pairs = 0
            with psycopg.connect(url) as connection:
                mine = World(url, connection)
                while not stop.is_set():
                    day = NOW.date() + timedelta(days=2 * pairs)
                    for first in (day, day + timedelta(days=1)):
                        mine.reservation(owner, unit, first, first + timedelta(days=1))
                    connection.commit()
                    pairs += 1
            return pairs

        with ThreadPoolExecutor(64) as threads:
            writing = [threads.submit(write, unit) for unit in units]
            try:
                back_up(data, tmp_path)
            finally:
                stop.set()
            pairs = sum(each.result(timeout=60) for each in writing)
        result = upkeep(
            *("restore", str(tmp_path), "--url", empty, "--app-url", app_login(url)),
        )

        rows = read_manifest(tmp_path / NAME).rows["reservations"]
        assert rows == result["reservations"] < 2 * pairs
        with psycopg.connect(empty) as connection:
            halves = connection.execute(
                "SELECT gite_id FROM reservations GROUP BY gite_id HAVING count(*) % 2 = 1"
            ).fetchall()
        assert halves == []


# Small parts ---------------------------------------------------------------------------------


def test_missing_programs_are_named_with_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(UpkeepError, match=r"no pg_dump, pg_restore, psql in .*\n.*--bin-dir"):
        find_programs(tmp_path)


def test_the_last_test_of_a_storage_counts_and_not_the_ones_before() -> None:
    def entry(days: int, *, ok: bool, storage: str = "a") -> Entry:
        at = NOW - timedelta(days=days)
        return Entry(at, 1, storage, tested_at=at, ok=ok)

    assert overdue([entry(1, ok=True), entry(5, ok=False)], NOW) == ()
    assert "could not be used" in overdue([entry(5, ok=True), entry(1, ok=False)], NOW)[0]
    assert len(overdue([entry(1, ok=True), entry(5, ok=False, storage="b")], NOW)) == 1


def test_an_unknown_command_is_exit_code_2() -> None:
    with pytest.raises(SystemExit) as left:
        main(["burn"])

    assert left.value.code == 2
