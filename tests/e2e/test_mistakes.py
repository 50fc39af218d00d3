"""Mistakes in files and arguments: one readable message, exit code 2, nothing begun."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from command_line import CommandLine, Ended

pytestmark = pytest.mark.e2e

BROKEN = sorted((Path(__file__).parents[1] / "fixtures" / "broken_tiers").glob("*.yaml"))

BAD_ARGUMENTS = {
    "no such tier": (("run", "lou-00"), "no tier 'lou-00'"),
    "no such profile": (("run", "lou-0", "--profile", "sudden"), "no profile 'sudden'"),
    "no unit of time": (("run", "lou-0", "--duration", "60 parsecs"), "60 parsecs"),
    "no window at all": (("run", "lou-0", "--duration", "0s"), "0s"),
    "no such switch": (("run", "lou-0", "--set", "cash=memory"), "cash"),
    "no such value": (("run", "lou-0", "--set", "cache=big"), "big"),
    "no worker": (("run", "lou-0", "--workers", "0"), "'0' is not a whole number"),
    "negative seed": (("run", "lou-0", "--seed", "-1"), "-1"),
    "no such option": (("run", "lou-0", "--durations", "60s"), "--durations"),
    "not an address": (("run", "lou-0", "--url", "localhost"), "localhost"),
    "no such file": (("run", "lou-0", "--tiers", "none.yaml"), "none.yaml"),
    "no command": (("walk",), "walk"),
    "no port": (("run", "lou-0", "--url", "http://127.0.0.1:http"), "127.0.0.1:http"),
}


def check_mistake(ended: Ended, palier: CommandLine) -> None:
    assert ended.exit_code == 2, ended.stderr
    assert ended.told_no_traceback()
    assert ended.stdout == ""
    assert len(ended.errors) == 1
    assert ended.stderr.startswith("error: ")
    assert "  where: " in ended.stderr
    assert "  fix:   " in ended.stderr
    assert not (palier.folder / "runs").exists()
    assert palier.stacks() == []


@pytest.mark.parametrize("path", BROKEN, ids=lambda path: path.stem)
def test_a_broken_tiers_file_is_one_message_with_file_line_and_fix(
    palier: CommandLine, path: Path
) -> None:
    ended = palier.run("run", "small", "--tiers", path)

    check_mistake(ended, palier)
    assert re.search(rf"{re.escape(str(path))}:\d+:\d+", ended.stderr), "neither line nor column"


@pytest.mark.parametrize(("arguments", "words"), BAD_ARGUMENTS.values(), ids=BAD_ARGUMENTS.keys())
def test_a_bad_argument_is_one_message_that_names_it(
    palier: CommandLine, arguments: tuple[str, ...], words: str
) -> None:
    ended = palier.run(*arguments)

    check_mistake(ended, palier)
    assert words in ended.stderr


@pytest.mark.parametrize("kind", ["a file", "below a file", "not empty"])
def test_a_directory_that_cannot_be_that_of_a_run_is_refused_before_anything_is_started(
    palier: CommandLine, tmp_path: Path, kind: str
) -> None:
    (tmp_path / "taken").write_text("mine\n")
    out = {"a file": "taken", "below a file": "taken/run", "not empty": "."}[kind]

    ended = palier.run("run", "lou-0", "--out", out)

    check_mistake(ended, palier)
    assert f"--out {out}" in ended.stderr or out in ended.stderr
    assert "starting" not in ended.stderr
    assert (tmp_path / "taken").read_text() == "mine\n"
