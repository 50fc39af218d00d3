"""CI runs the commands of the README: its script and its workflow agree with the Makefile."""

from __future__ import annotations

import re
import shutil
import subprocess
import tomllib

import pytest
import yaml
from project_tree import ROOT, make_targets

from palier.stack import pooler, web_cache

SCRIPT = ROOT / ".ci" / "run"
WORKFLOW = ROOT / ".github" / "workflows" / "ci.yml"


def stages() -> set[str]:
    return set(re.findall(r"^stage_([a-z]+)\(\)", SCRIPT.read_text(encoding="utf-8"), re.MULTILINE))


def test_the_script_calls_make_targets_that_exist():
    called = set(re.findall(r"step make ([a-z-]+)", SCRIPT.read_text(encoding="utf-8")))

    assert called == {"check", "test", "run"}
    assert called <= set(make_targets())


def test_the_workflow_runs_every_stage_in_order_and_nothing_of_its_own():
    steps = yaml.safe_load(WORKFLOW.read_text(encoding="utf-8"))["jobs"]["ci"]["steps"]
    commands = [step["run"] for step in steps if "run" in step]

    assert commands == [".ci/run check", ".ci/run test", ".ci/run smoke"]
    assert {command.split()[1] for command in commands} == stages()


def test_the_workflow_tests_the_oldest_python_that_the_package_allows():
    matrix = yaml.safe_load(WORKFLOW.read_text(encoding="utf-8"))["jobs"]["ci"]["strategy"][
        "matrix"
    ]
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]

    assert f">={matrix['python'][0]}" == project["requires-python"]


def test_an_unknown_stage_is_refused_before_anything_runs():
    ended = subprocess.run(
        [SCRIPT, "check", "nonsense"], capture_output=True, text=True, check=False
    )

    assert ended.returncode == 2
    assert "'nonsense'" in ended.stderr
    assert ended.stdout == ""


def fake_checkout(tmp_path, *, make, palier):
    """A checkout whose make and palier are scripts; the CI script is the real one."""
    for folder in (".ci", "bin", ".venv/bin"):
        (tmp_path / folder).mkdir(parents=True)
    shutil.copy2(SCRIPT, tmp_path / ".ci" / "run")
    # Whoever runs these tests as root wants no packages installed by them.
    apt = 'echo "apt-get $*"; exit 1'
    for path, body in (
        ("bin/make", make),
        ("bin/apt-get", apt),
        ("bin/sudo", "exit 1"),
        (".venv/bin/palier", palier),
    ):
        (tmp_path / path).write_text(f"#!/bin/sh\n{body}\n", encoding="utf-8")
        (tmp_path / path).chmod(0o755)
    return tmp_path


def run_ci(checkout, *stage_names, **variables):
    return subprocess.run(
        [checkout / ".ci" / "run", *stage_names],
        env={"PATH": f"{checkout}/bin:/usr/local/bin:/usr/bin:/bin", **variables},
        capture_output=True,
        text=True,
        check=False,
    )


LEAVES_A_RUN = """
echo "make $*"
if [ "$1" = run ]; then
    directory=${4#OUT=}
    mkdir -p "$directory"
    echo '{}' > "$directory/verdict.json"
    echo 'the page of the run' > "$directory/report.md"
fi
"""


def test_all_stages_run_in_order_and_the_report_goes_to_the_summary_of_the_workflow(tmp_path):
    checkout = fake_checkout(tmp_path, make=LEAVES_A_RUN, palier='echo "palier $*"')

    ended = run_ci(checkout, GITHUB_STEP_SUMMARY=str(tmp_path / "summary"))

    assert ended.returncode == 0, ended.stderr
    said = [line for line in ended.stdout.splitlines() if line.startswith(("make ", "palier "))]
    assert said == [
        "make check",
        "make test",
        "make run TIER=lou-2 DURATION=60s OUT=runs/ci-smoke",
        "palier gate runs/ci-smoke",
    ]
    assert (tmp_path / "summary").read_text(encoding="utf-8") == "the page of the run\n"


def test_servers_of_the_larger_tiers_are_wished_for_and_done_without(tmp_path):
    """Their packages are those that the errors of the stack name."""
    checkout = fake_checkout(tmp_path, make=LEAVES_A_RUN, palier="exit 0")
    script = checkout / ".ci" / "run"
    text = script.read_text(encoding="utf-8")
    # Look nowhere, so that they are missing on every machine.
    nowhere = text.replace('PATH="$PATH:/usr/sbin:/usr/local/sbin" command -v', "false")
    assert nowhere != text
    script.write_text(nowhere, encoding="utf-8")

    ended = run_ci(checkout, "check")

    assert ended.returncode == 0, ended.stderr
    assert "without pgbouncer nginx: their tests will be skipped" in ended.stderr
    for package, how_to_get in (("pgbouncer", pooler.HOW_TO_GET), ("nginx", web_cache.HOW_TO_GET)):
        assert f"apt install {package}`" in how_to_get


@pytest.mark.parametrize("target", ["check", "test", "run"])
def test_a_failing_target_fails_the_script(tmp_path, target):
    make = f'{LEAVES_A_RUN}\nif [ "$1" = {target} ]; then exit 2; fi'

    ended = run_ci(fake_checkout(tmp_path, make=make, palier="exit 0"))

    assert ended.returncode != 0
    assert "ci: passed" not in ended.stdout
    assert "FAILED" in ended.stderr
    assert ("make test" in ended.stdout) == (target != "check")


def test_a_gate_that_fails_on_the_files_fails_the_script(tmp_path):
    ended = run_ci(fake_checkout(tmp_path, make=LEAVES_A_RUN, palier="exit 3"), "smoke")

    assert ended.returncode == 1
    assert "gate exit code 3" in ended.stderr
    assert "once more" not in ended.stdout


def test_an_undecided_smoke_run_is_repeated_once_and_the_second_result_stands(tmp_path):
    first_undecided = 'case "$2" in *again) exit 0 ;; *) exit 4 ;; esac'
    ended = run_ci(
        fake_checkout(tmp_path / "a", make=LEAVES_A_RUN, palier=first_undecided), "smoke"
    )
    assert ended.returncode == 0
    assert ended.stdout.count("\nmake run") == 2

    ended = run_ci(fake_checkout(tmp_path / "b", make=LEAVES_A_RUN, palier="exit 4"), "smoke")
    assert ended.returncode == 1
    assert ended.stdout.count("\nmake run") == 2


def test_a_run_that_fails_while_its_files_pass_the_gate_fails_the_script(tmp_path):
    make = f"{LEAVES_A_RUN}\nexit 2"

    ended = run_ci(fake_checkout(tmp_path, make=make, palier="exit 0"), "smoke")

    assert ended.returncode == 1
    assert "they must agree" in ended.stderr


def test_a_smoke_run_that_leaves_nothing_is_not_judged_by_an_older_one(tmp_path):
    checkout = fake_checkout(tmp_path, make="exit 2", palier="exit 0")
    old = checkout / "runs" / "ci-smoke"
    old.mkdir(parents=True)
    (old / "verdict.json").write_text("{}", encoding="utf-8")

    ended = run_ci(checkout, "smoke")

    assert ended.returncode == 5
    assert "left no verdict" in ended.stderr
