"""Commands in the documents exist: make targets, palier commands and their options."""

from __future__ import annotations

import re
import shlex
import subprocess

import pytest
from project_tree import ROOT, documented_commands, make_targets, markdown_files

from palier.errors import ExitCode, PalierError
from palier.model.duration import parse_duration
from palier.model.parse import load_catalogue

PROMISED = {
    *("help", "setup", "check", "fmt", "test", "test-all", "run", "show"),
    *("report", "gate", "bench", "demo", "clean"),
}

COMMANDS = [
    command
    for path in markdown_files()
    if (ROOT / "docs" / "requirements") not in path.parents
    for command in documented_commands(path)
]


def test_make_alone_lists_every_target_with_what_it_does():
    listed = subprocess.run(["make"], cwd=ROOT, capture_output=True, text=True, check=True).stdout

    for target, says in make_targets().items():
        assert re.search(rf"^ +{target} +{re.escape(says)}$", listed, re.MULTILINE)


def test_the_promised_targets_are_there_and_every_target_is_documented_and_phony():
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    targets = set(re.findall(r"^([a-z][a-z-]*):", makefile, re.MULTILINE))
    internal = {"environment-run", "environment-dev"}
    phony = set(" ".join(re.findall(r"^\.PHONY: (.*)$", makefile, re.MULTILINE)).split())

    assert set(make_targets()) >= PROMISED
    assert targets == set(make_targets()) | internal
    assert targets == phony


def test_a_run_and_the_tests_make_the_environment_they_need():
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")

    for target in make_targets().keys() - {"help", "lock", "clean"}:
        assert re.search(rf"^{target}: environment-(run|dev) ##", makefile, re.MULTILINE), target


def test_the_tiers_profile_and_duration_of_the_makefile_and_of_ci_exist():
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    script = (ROOT / ".ci" / "run").read_text(encoding="utf-8")
    default = dict(re.findall(r"^([A-Z]+) +\?= *(\S*)$", makefile, re.MULTILINE))
    smoke = dict(re.findall(r"^smoke_(tier|duration)=(\S+)$", script, re.MULTILINE))
    catalogue = load_catalogue(ROOT / "tiers.yaml")

    for tier in (default["TIER"], smoke["tier"], *re.findall(r"\) run ([a-z]+-\d+)", makefile)):
        assert catalogue.tier(tier).id == tier
    assert catalogue.profile(default["PROFILE"]).id == default["PROFILE"]
    assert parse_duration(default["DURATION"]) == parse_duration(smoke["duration"]) == 60


@pytest.mark.parametrize(
    "command", [c for c in COMMANDS if c.program == "make"], ids=lambda c: f"{c.where} {c.words}"
)
def test_make_targets_and_variables_in_documents_exist(command):
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    by_setup = {"PYTHON", "PALIER_INSTALLER", "PALIER_SOURCE_BUILDS"}
    variables = {*by_setup, *re.findall(r"^([A-Z]+) +\?=", makefile, re.MULTILINE)}

    for word in shlex.split(command.words):
        name, is_assignment, _ = word.partition("=")
        assert name in (variables if is_assignment else make_targets())


@pytest.mark.parametrize(
    "command", [c for c in COMMANDS if c.program == "palier"], ids=lambda c: f"{c.where} {c.words}"
)
def test_palier_commands_in_documents_are_understood_by_the_command_line(command):
    from palier.cli import build_parser

    words = shlex.split(command.words)
    try:
        build_parser().parse_args(words)
    except PalierError as error:
        pytest.fail(f"{command.where}: palier {command.words}: {error.what}")
    except SystemExit as end:  # --help and --version end the program
        if end.code:
            pytest.fail(f"{command.where}: palier {command.words} ends with {end.code}")


@pytest.mark.parametrize("code", list(ExitCode))
def test_the_wrapper_of_the_makefile_says_what_each_exit_code_means_and_keeps_it(code, tmp_path):
    wrapper = tmp_path / "tools" / "palier.sh"
    fake = tmp_path / ".venv" / "bin" / "palier"
    for path in (wrapper, fake):
        path.parent.mkdir(parents=True)
    wrapper.write_bytes((ROOT / "tools" / "palier.sh").read_bytes())
    fake.write_text(f'#!/bin/sh\nprintf "%s|" "$@"\nexit {int(code)}\n', encoding="utf-8")
    fake.chmod(0o755)

    ended = subprocess.run(
        ["sh", str(wrapper), "run", "a b", ""], capture_output=True, text=True, check=False
    )

    assert ended.returncode == code
    assert ended.stdout == "run|a b||"
    if code is ExitCode.PASS:
        assert ended.stderr == ""
    else:
        assert f"exit code {int(code)}: " in ended.stderr
        assert "by a signal" not in ended.stderr
