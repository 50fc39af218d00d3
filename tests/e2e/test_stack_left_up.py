"""`palier up`, what a person does with it, and `palier down`."""

from __future__ import annotations

import csv
import subprocess
import sys
from pathlib import Path

import httpx
import pytest
from command_line import ROOT, CommandLine

from palier.model.identity import owner_email, password

pytestmark = pytest.mark.e2e

SCENARIO = ROOT / "scenarios" / "liveownerunit.py"


def test_a_stack_left_up_serves_people_plain_locust_and_a_run_until_it_is_taken_down(
    palier: CommandLine, tmp_path: Path
) -> None:
    up = palier.start("up", "lou-0")
    ended = up.end()
    assert ended.exit_code == 0, ended.stderr
    told = dict(
        line.strip().split(maxsplit=1) for line in ended.stdout.splitlines() if line[:1] == " "
    )
    host = told["load"].rsplit(" ", 1)[1]
    assert palier.stacks(), "it did not stay up"
    try:
        check_a_person_can_look_around(host)
        check_the_seed_verifies(palier)
        check_plain_locust_works(host, tmp_path)
        check_a_run_can_be_driven_against_it(palier, host)
    finally:
        down = palier.run("down")
    assert down.exit_code == 0
    assert "ended 1 stack" in down.stdout
    assert palier.stacks() == []
    assert up.left() == []


def check_a_person_can_look_around(host: str) -> None:
    with httpx.Client(base_url=host, trust_env=False) as client:
        signed_in = client.post(
            "/api/auth", json={"email": owner_email(0), "password": password(1)}
        )
        signed_in.raise_for_status()
        token = signed_in.json()["access_token"]
        page = client.get("/api/reservations", headers={"Authorization": f"Bearer {token}"})
        page.raise_for_status()
        assert len(page.json()["items"]) > 0
        assert client.get("/api/reservations").status_code == 401


def check_the_seed_verifies(palier: CommandLine) -> None:
    ended = palier.run("seed", "lou-0", "--verify")
    assert ended.exit_code == 0, ended.stderr
    assert ended.stdout.count("ok  ") >= 3


def check_plain_locust_works(host: str, folder: Path) -> None:
    """No flag of ours, no file of ours: as any locustfile."""
    ended = subprocess.run(
        [
            *(sys.executable, "-m", "locust", "-f", str(SCENARIO), "--host", host),
            *("--headless", "-u", "2", "-r", "2", "-t", "5s", "--csv", "plain"),
        ],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert ended.returncode == 0, ended.stderr
    with (folder / "plain_stats.csv").open(newline="") as file:
        rows = {row["Name"]: row for row in csv.DictReader(file)}
    assert int(rows["Aggregated"]["Request Count"]) > 0
    assert int(rows["Aggregated"]["Failure Count"]) == 0
    assert rows.keys() > {"Aggregated"}


def check_a_run_can_be_driven_against_it(palier: CommandLine, host: str) -> None:
    ended = palier.run(
        *("run", "lou-0", "--profile", "everyone", "--duration", "3s", "--json"),
        *("--url", host, "--out", "run"),
    )
    # Plain Locust has booked stays before: nothing of that may fail this run.
    assert ended.exit_code in (0, 4), ended.stderr
    assert ended.told_no_traceback()
    assert "starting PostgreSQL" not in ended.stderr
    ledger = ended.document["ledger"]
    assert ledger["planned"] == ledger["started"] == ledger["succeeded"] > 10
