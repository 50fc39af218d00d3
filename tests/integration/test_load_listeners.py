"""Load listeners: a process of open sockets beside a real application, and what its notes prove."""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psutil
import psycopg
import pytest
from app_support import PASSWORD, World
from live_support import Cable, Served, change_plan, served

from palier.analysis.invariants import Invariant
from palier.errors import LoadError
from palier.invariants.baseline import Baseline
from palier.invariants.listeners import LISTENER_CHECKS
from palier.invariants.looking import Scene
from palier.listeners.accounts import Account
from palier.listeners.facts import listener_facts
from palier.listeners.notes import (
    NOTES_FILE,
    Began,
    Ended,
    Lost,
    Note,
    Opened,
    Received,
    read_notes,
)
from palier.listeners.process import ListenerProcess
from reference_app.identity.principal import Principal

pytestmark = pytest.mark.db


@pytest.fixture(scope="module")
def live(fresh_database: Any) -> Iterator[Served]:
    with (
        tempfile.TemporaryDirectory(prefix="palier-test-", dir="/var/tmp") as home,
        fresh_database() as url,
        served(url, Path(home)) as up,
    ):
        yield up


def account_of(admin: Principal) -> Account:
    return Account(f"{admin.user_id}@example.com", PASSWORD)


def listening(up: Served, folder: Path, *admins: Principal, count: int) -> ListenerProcess:
    accounts = [account_of(admin) for admin in admins]
    return ListenerProcess(up.url, accounts=accounts, count=count, folder=folder, cpu_set=None)


def invariant(world: World, folder: Path) -> Invariant:
    scene = Scene(
        baseline=Baseline(before="3", counts={}, from_feeds=0),
        unknown=(),
        strange=(),
        row_security="wrapped",
        sync="inline",
        load=folder,
    )
    (check,) = LISTENER_CHECKS
    with psycopg.connect(world.admin_url) as connection:
        return check.answer(connection, scene)


def wait_for(happened: Callable[[], bool], what: str) -> None:
    deadline = time.monotonic() + 30
    while not happened():
        assert time.monotonic() < deadline, what
        time.sleep(0.01)


def noted(folder: Path, kind: type[Note]) -> int:
    text = (folder / NOTES_FILE).read_bytes()
    whole = text[: text.rfind(b"\n") + 1]
    (folder / "so-far").write_bytes(whole)
    return sum(isinstance(note, kind) for note in read_notes(folder / "so-far"))


@pytest.mark.covers("L-12", "T-29", "T-32", "F-08")
def test_listeners_note_every_change_of_their_tenant_and_what_it_took(
    live: Served, tmp_path: Path
) -> None:
    mine, other, quiet = (live.world.group("pro") for _ in range(3))

    with listening(live, tmp_path, mine, other, quiet, count=9):
        for plan in ("premium", "free", "pro"):
            change_plan(live.world, mine, plan)
        change_plan(live.world, other, "free")
        wait_for(lambda: noted(tmp_path, Received) == 12, "not every change was heard")

    began, *notes, ended = read_notes(tmp_path / NOTES_FILE)
    assert began == Began(9)
    assert isinstance(ended, Ended)
    assert sum(isinstance(note, Opened) for note in notes) == 9
    received = [note for note in notes if isinstance(note, Received)]
    per_listener = [sum(note.listener == index for note in received) for index in range(9)]
    assert per_listener == [3, 1, 0] * 3
    propagation, size = listener_facts(iter([began, *notes]), from_us=0, to_us=2**62)
    assert (propagation.name, propagation.unit) == ("plan_change_propagation_p99", "s")
    assert 0 < propagation.value < 10
    assert "12 receipts by 9 listeners" in propagation.how
    assert 100 < size.value < 1000
    found = invariant(live.world, tmp_path)
    assert (found.state, found.checked, found.violations) == ("held", 12, 0), found.examples


def test_the_invariant_notices_an_event_that_was_not_heard_and_one_of_somebody_else(
    live: Served, tmp_path: Path
) -> None:
    mine, other = live.world.group("pro"), live.world.group("pro")
    with listening(live, tmp_path, mine, count=1):
        change_plan(live.world, mine, "premium")
        change_plan(live.world, other, "premium")
        wait_for(lambda: noted(tmp_path, Received) == 1, "the change was not heard")
    notes = (tmp_path / NOTES_FILE).read_bytes()
    mine_number, others_number = (
        live.world.rows(
            "SELECT max(number) FROM plan_events WHERE school_group_id = %s", group.tenant_id
        )[0][0]
        for group in (mine, other)
    )

    (tmp_path / NOTES_FILE).write_bytes(
        notes.replace(b'"number":%d' % mine_number, b'"number":%d' % others_number)
    )

    found = invariant(live.world, tmp_path)
    assert (found.state, found.violations) == ("violated", 2)
    assert "did not hear of" in found.examples[0]
    assert "not its own" in found.examples[1]


@pytest.mark.covers("B-29", "X-16")
def test_lines_that_break_are_opened_again_and_miss_nothing(live: Served, tmp_path: Path) -> None:
    mine, other = live.world.group("pro"), live.world.group("pro")
    accounts = [account_of(mine), account_of(other)]
    with (
        Cable(live.url) as cable,
        ListenerProcess(cable.url, accounts=accounts, count=4, folder=tmp_path, cpu_set=None),
    ):
        change_plan(live.world, mine, "free")
        for round_ in (1, 2):
            cable.cut()
            change_plan(live.world, mine, "premium")
            change_plan(live.world, other, "premium" if round_ == 1 else "pro")
            wait_for(lambda: noted(tmp_path, Lost) >= 4, "no line was lost")
            cable.mend()
            wait_for(
                lambda opened=4 * (round_ + 1): noted(tmp_path, Opened) >= opened,
                "the lines were not opened again",
            )
            change_plan(live.world, mine, "free")
        wait_for(lambda: noted(tmp_path, Received) == 14, "not every change was heard")

    found = invariant(live.world, tmp_path)
    assert (found.state, found.checked) == ("held", 2 * 5 + 2 * 2), found.examples
    propagation, _ = listener_facts(read_notes(tmp_path / NOTES_FILE), from_us=0, to_us=2**62)
    assert "14 receipts" in propagation.how
    assert "0 lines lost" not in propagation.how


def test_notes_without_their_end_prove_nothing(live: Served, tmp_path: Path) -> None:
    with listening(live, tmp_path, live.world.group("pro"), count=2) as process:
        psutil.Process(process.pid).kill()
        psutil.wait_procs([psutil.Process(process.pid)], timeout=30)

    found = invariant(live.world, tmp_path)
    assert (found.state, found.why) == (
        "not_checked",
        "the listeners did not live to the end of the run",
    )


def test_a_run_without_listeners_has_nothing_to_check(live: Served, tmp_path: Path) -> None:
    assert invariant(live.world, tmp_path).state == "not_applicable"


def test_listeners_that_cannot_sign_in_are_an_error_that_says_so(
    live: Served, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("palier.listeners.process.START_S", 2.0)
    stranger = ListenerProcess(
        live.url,
        accounts=[Account("nobody@example.com", "wrong")],
        count=3,
        folder=tmp_path,
        cpu_set=None,
    )

    with pytest.raises(LoadError, match="3 of 3 sockets did not open"), stranger:
        pass


def test_listeners_end_with_whoever_started_them(live: Served, tmp_path: Path) -> None:
    accounts = tmp_path / "accounts"
    admin = account_of(live.world.group("pro"))
    accounts.write_text(f"{admin.name}\t{admin.password}\n")
    command = [
        *(sys.executable, "-m", "palier.listeners", "--url", live.url, "--count", "2"),
        *("--accounts", str(accounts), "--out", str(tmp_path / "out"), "--end-with-input"),
    ]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        assert process.stdout.readline() == b"2 listeners open\n"

        process.stdin.close()

        assert process.wait(30) == 0
    *_, last = read_notes(tmp_path / "out")
    assert isinstance(last, Ended)
    assert last.at_us <= time.time_ns() // 1000
