"""What is looked at before a run: enough is silent, too little is a warning, nothing is refused."""

from __future__ import annotations

import dataclasses
import resource
from pathlib import Path

import pytest
from analysis_runs import make_plan

from palier.errors import LoadError
from palier.machine.connections import OWN_FILES, Needed, look_at_files, look_at_ports
from palier.machine.names import look_at_name
from palier.machine.processors import look_at_governor, look_at_workers
from palier.machine.room import look_at_room, room_needed
from palier.preflight import connections_needed, look_ahead, refuse, warnings
from palier.stack.cpus import CpuPlan

CPUS = CpuPlan(generator=(1,), system=(0,), shared=False, why="two cores")


def test_open_files_are_compared_with_what_the_run_needs() -> None:
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    there = hard - OWN_FILES
    if hard == resource.RLIM_INFINITY:
        assert look_at_files(Needed(usual=1, stalled=1 << 40)).status == "ok"
        pytest.skip("there is no limit here to compare with")
    assert look_at_files(Needed(usual=1, stalled=there)).status == "ok"
    short = look_at_files(Needed(usual=1, stalled=there + 1))
    assert short.status == "warning"
    assert "--workers" in short.fix
    assert look_at_files(Needed(usual=there + 1, stalled=there + 1)).status == "missing"


def test_ports_are_compared_with_what_the_run_needs() -> None:
    assert look_at_ports(Needed(usual=1, stalled=100)).status == "ok"
    assert look_at_ports(Needed(usual=1, stalled=70_000)).status == "warning"
    assert look_at_ports(Needed(usual=70_000, stalled=70_000)).status == "missing"


def test_connections_needed_are_those_of_the_busiest_moment_and_shared_by_the_loaders() -> None:
    needed = connections_needed(make_plan(rate=200))
    assert needed.usual == 20
    assert needed.stalled == 2_000
    assert needed.shared(3) == Needed(usual=7, stalled=667)
    few = dataclasses.replace(make_plan(rate=200), max_sessions=300)
    assert connections_needed(few).stalled == 300


def test_listeners_need_ports_beside_those_of_the_load(tmp_path: Path) -> None:
    plan = make_plan(rate=20)
    load = dataclasses.replace(plan.tier.load, listeners=15_000)
    with_listeners = dataclasses.replace(plan, tier=dataclasses.replace(plan.tier, load=load))
    _, alone, *_ = look_ahead(plan, run_dir=tmp_path, cpus=CPUS)
    _, beside, *_ = look_ahead(with_listeners, run_dir=tmp_path, cpus=CPUS)

    assert "up to 200 are needed" in alone.found
    assert "up to 15,200 are needed" in beside.found


def test_room_grows_with_the_run_and_too_little_of_it_is_told(tmp_path: Path) -> None:
    short = make_plan(rate=20)
    assert room_needed(dataclasses.replace(short, duration_s=3600)) > room_needed(short)
    assert look_at_room(tmp_path, short).status == "ok"
    huge = dataclasses.replace(short, duration_s=1e12)
    check = look_at_room(tmp_path, huge)
    assert check.status == "warning"
    assert "--out" in check.fix


def test_more_loaders_than_cores_is_a_warning() -> None:
    assert look_at_workers(CPUS, 1).status == "ok"
    assert look_at_workers(CPUS, 2).status == "warning"


def test_a_name_is_resolved_and_timed_and_an_address_needs_nobody() -> None:
    assert look_at_name("http://127.0.0.1:80").found == "127.0.0.1 is an address"
    assert "resolves to" in look_at_name("http://localhost:80").found
    gone = look_at_name("http://no-such-host.invalid")
    assert gone.status == "missing"
    assert "no-such-host.invalid does not resolve" in gone.found


@pytest.mark.parametrize(
    ("governors", "status"),
    [([], "ok"), (["performance"] * 2, "ok"), (["performance", "powersave"], "warning")],
)
def test_a_governor_that_lets_cores_sleep_is_named(
    tmp_path: Path, governors: list[str], status: str
) -> None:
    for core, governor in enumerate(governors):
        path = tmp_path / f"cpu{core}" / "cpufreq" / "scaling_governor"
        path.parent.mkdir(parents=True)
        path.write_text(governor + "\n")
    assert look_at_governor(tmp_path).status == status


def test_what_cannot_work_is_refused_and_what_may_suffer_is_told(tmp_path: Path) -> None:
    plan = dataclasses.replace(make_plan(rate=20), workers=2)
    checks = look_ahead(plan, run_dir=tmp_path, cpus=CPUS)
    refuse(checks)
    (told,) = warnings(checks)
    assert "2 on 1 core" in told
    too_much = dataclasses.replace(
        make_plan(rate=2_000_000), max_sessions=10_000_000, request_timeout_s=10
    )
    with pytest.raises(LoadError, match="need"):
        refuse(look_ahead(too_much, run_dir=tmp_path, cpus=CPUS))
