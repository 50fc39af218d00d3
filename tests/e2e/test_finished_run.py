"""One run from the command line: what it prints, what it leaves, and what can be made of that."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest
from command_line import LONG_S, PALIER, CommandLine, Ended

from palier.load.archive import read_ledger
from palier.load.ledger import closes

pytestmark = pytest.mark.e2e

FILES = {
    "plan.json",
    "environment.json",
    "load/worker-0.jsonl",
    "load/worker-0.log",
    "load/writes-0.jsonl",
    "ledger.parquet",
    "histograms.parquet",
    "exemplars.jsonl",
    "events.jsonl",
    "telemetry.parquet",
    "statements.json",
    "stack/app.log",
    "stack/postgres.log",
    "observations.json",
    "invariants.json",
    "findings.json",
    "verdict.json",
    "report.html",
    "report.md",
    "junit.xml",
}
"""docs/architecture.md, "The run directory"."""

EXIT_CODES = {"PASS": 0, "FAIL": 3, "INCONCLUSIVE": 4, "INVALID": 4}

FinishedRun = tuple[Path, Ended]


def files_of(folder: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
    }


@pytest.fixture
def copy(finished_run: FinishedRun, tmp_path: Path) -> Path:
    """The directory of the run, elsewhere and under another name."""
    return shutil.copytree(finished_run[0], tmp_path / "elsewhere" / "a copy")


def test_json_prints_the_verdict_file_on_stdout_and_everything_else_on_stderr(
    finished_run: FinishedRun,
) -> None:
    run_dir, ended = finished_run

    assert ended.document == json.loads((run_dir / "verdict.json").read_text())
    assert ended.document["run"] == run_dir.name
    assert ended.told_no_traceback()
    for words in ("starting PostgreSQL", "rows, checksum", "ledger  planned", "report.html"):
        assert words in ended.stderr


def test_the_exit_code_is_that_of_the_verdict(finished_run: FinishedRun) -> None:
    _, ended = finished_run
    assert ended.exit_code == EXIT_CODES[ended.document["verdict"]]
    # Five seconds of lou-0 are four requests: no honest verdict is green.
    assert ended.document["verdict"] in ("INCONCLUSIVE", "INVALID")


def test_the_run_directory_has_every_file_of_the_contract(finished_run: FinishedRun) -> None:
    run_dir, _ = finished_run
    found = files_of(run_dir)
    assert found.keys() >= FILES
    assert all(found[name] for name in FILES - {"load/worker-0.log"}), "an empty file"
    assert not [name for name in found if name.endswith((".part", ".new"))]
    assert json.loads(found["verdict.json"])["schema"] == 1
    assert json.loads(found["environment.json"])["dataset"]["checksum"]


def test_both_identities_of_the_ledger_hold_in_every_row_and_in_the_verdict(
    finished_run: FinishedRun,
) -> None:
    run_dir, ended = finished_run
    ledger, told = read_ledger(run_dir / "ledger.parquet"), ended.document["ledger"]

    assert closes(ledger)
    assert told["planned"] == told["started"] + told["skipped"] > 0
    assert told["started"] == sum(
        told[name] for name in ("succeeded", "failed", "timed_out", "abandoned")
    )
    assert {name: int(ledger[name].sum()) for name in ("planned", "started", "succeeded")} == {
        name: told[name] for name in ("planned", "started", "succeeded")
    }


def test_report_rebuilds_the_same_verdict_and_reports_from_a_copy(
    copy: Path, finished_run: FinishedRun, palier: CommandLine
) -> None:
    made = ("verdict.json", "findings.json", "report.html", "report.md", "junit.xml")
    for name in made:
        (copy / name).unlink()

    ended = palier.run("report", copy)

    assert ended.exit_code == 0, ended.stderr
    assert str(copy / "report.html") in ended.stdout
    verdict = json.loads((copy / "verdict.json").read_text())
    assert verdict == finished_run[1].document | {"run": copy.name}
    assert all((copy / name).stat().st_size for name in made)


def test_gate_judges_a_copy_the_same_and_writes_nothing(
    copy: Path, finished_run: FinishedRun, palier: CommandLine
) -> None:
    before = files_of(copy)

    ended = palier.run("gate", copy, "--json")

    assert ended.exit_code == finished_run[1].exit_code
    assert ended.document == finished_run[1].document | {"run": copy.name}
    assert files_of(copy) == before


def test_after_a_run_every_invariant_holds_or_says_why_it_does_not_apply(
    finished_run: FinishedRun,
) -> None:
    run_dir, ended = finished_run
    written = json.loads((run_dir / "invariants.json").read_text())["invariants"]

    assert written == ended.document["invariants"]
    assert len(written) > 8
    assert {one["state"] for one in written} <= {"held", "not_applicable"}
    assert all(one["why"] for one in written if one["state"] == "not_applicable")


def test_a_broken_invariant_fails_the_run_and_is_the_first_reason(
    copy: Path, palier: CommandLine
) -> None:
    path = copy / "invariants.json"
    document = json.loads(path.read_text())
    document["invariants"][0] |= {"state": "violated", "violations": 1, "examples": ["a lost stay"]}
    path.write_text(json.dumps(document))

    ended = palier.run("gate", copy, "--json")

    assert (ended.exit_code, ended.document["verdict"]) == (3, "FAIL")
    assert ended.document["reasons"][0].startswith("invariant acknowledged-writes is broken: ")
    assert "a lost stay" in ended.document["reasons"][0]
    assert "a lost stay" in ended.stderr


def test_a_run_whose_invariants_are_gone_does_not_pass(copy: Path, palier: CommandLine) -> None:
    (copy / "invariants.json").unlink()

    ended = palier.run("gate", copy, "--json")

    (unknown,) = ended.document["invariants"]
    assert ended.exit_code == 4
    assert (unknown["state"], unknown["why"]) == ("not_checked", "there is no invariants.json")


DAMAGES = {
    "plan.json": b'{"schema": 1, "tier"',
    "ledger.parquet": b"PAR1",
    "load/worker-0.jsonl": b"not a line\n{}\n",
    "invariants.json": b'{"schema": 1, "invariants": [{"id": 3}]}',
}


@pytest.mark.parametrize(
    ("command", "damaged"),
    [
        ("gate", "plan.json"),
        ("gate", "ledger.parquet"),
        ("report", "load/worker-0.jsonl"),
    ],
)
def test_a_damaged_directory_is_one_clear_error_that_names_the_file(
    copy: Path, palier: CommandLine, command: str, damaged: str
) -> None:
    (copy / damaged).write_bytes(DAMAGES[damaged])
    check_refused(palier, command, copy, Path(damaged).name)


@pytest.mark.parametrize(("command", "there"), [("report", True), ("gate", False)])
def test_a_foreign_directory_and_none_at_all_are_one_clear_error(
    tmp_path: Path, palier: CommandLine, command: str, there: bool
) -> None:
    foreign = tmp_path / "foreign"
    if there:
        foreign.mkdir()
    check_refused(palier, command, foreign, "not the directory of a run")


def check_refused(palier: CommandLine, command: str, directory: Path, words: str) -> None:
    before = files_of(directory)

    ended = palier.run(command, directory)

    assert ended.exit_code == 2, ended.stderr
    assert ended.told_no_traceback()
    assert len(ended.errors) == 1
    assert words in ended.stderr
    assert "fix:" in ended.stderr
    assert ended.stdout == ""
    assert files_of(directory) == before


def gate_writing_to(stdout: int, run_dir: Path) -> Ended:
    command = [PALIER, "gate", run_dir, "--json"]
    ended = subprocess.run(
        command, stdout=stdout, stderr=subprocess.PIPE, text=True, timeout=LONG_S, check=False
    )
    return Ended(exit_code=ended.returncode, stdout="", stderr=ended.stderr)


def test_a_reader_who_leaves_early_does_not_turn_a_verdict_green(finished_run: FinishedRun) -> None:
    reader, writer = os.pipe()
    os.close(reader)  # as of `palier gate RUN | true`
    try:
        ended = gate_writing_to(writer, finished_run[0])
    finally:
        os.close(writer)

    assert ended.exit_code == finished_run[1].exit_code != 0
    assert ended.told_no_traceback()
    assert "BrokenPipe" not in ended.stderr


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no full device")
def test_a_verdict_that_cannot_be_written_is_an_error_and_not_a_bug(
    finished_run: FinishedRun,
) -> None:
    with open("/dev/full", "wb") as full:  # noqa: PTH123  a device
        ended = gate_writing_to(full.fileno(), finished_run[0])

    assert ended.exit_code == 5
    assert ended.told_no_traceback()
    assert len(ended.errors) == 1
    assert "No space left on device" in ended.stderr
