"""tools/coverage_ids.py: a requirement has a test or a reason, never neither or both."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

import pytest
from project_tree import ROOT, requirement_ids


def load_tool() -> ModuleType:
    spec = importlib.util.spec_from_file_location("coverage_ids", ROOT / "tools/coverage_ids.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # dataclasses look their module up
    spec.loader.exec_module(module)
    return module


tool = load_tool()

HOMES = {
    "domain.md": ("B-01", "B-02"),
    "load_tests.md": ("F-01", "J-01", "D-01"),
    "indexes.md": ("I-01",),
}

TESTS = """
import pytest

pytestmark = [pytest.mark.db, pytest.mark.covers("D-01")]


@pytest.mark.covers("B-01", "F-01")
def test_one(): ...


class TestGroup:
    @pytest.mark.parametrize("x", [pytest.param(1, marks=pytest.mark.covers("I-01"))])
    async def test_two(self, x): ...
"""

REASONS = """
[[browser]]
why = "Happens in a browser."
ids = ["B-02", "J-01"]
"""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    requirements = tmp_path / "docs" / "requirements"
    requirements.mkdir(parents=True)
    for name, ids in HOMES.items():
        rows = "".join(f"| {one} | What {one} says | 002 |\n" for one in ids)
        (requirements / name).write_text(f"| ID | Row | Source |\n|---|---|---|\n{rows}")
    (requirements / "not-covered.toml").write_text(REASONS)
    (tmp_path / "tests").mkdir()
    (tmp_path / "tests" / "test_some.py").write_text(TESTS)
    return tmp_path


@pytest.mark.parametrize("letter", sorted(tool.LETTERS))
def test_the_tool_finds_every_id_of_its_letters(letter):
    assert set(tool.requirement_rows(ROOT, letter)) == requirement_ids(letter)


def test_marks_on_functions_methods_parameters_and_whole_files_are_found():
    assert set(tool.marks_of(TESTS)) == {
        (None, "D-01"),
        ("test_one", "B-01"),
        ("test_one", "F-01"),
        ("test_two", "I-01"),
    }


def test_the_page_links_the_tests_of_an_id_and_gives_the_reason_of_the_others(project):
    assert tool.main([], project) == 0

    page = (project / tool.PAGE).read_text()
    assert "| B-01 | What B-01 says | [`test_one`](../../tests/test_some.py) |" in page
    assert "| B-02 | What B-02 says | *browser:* Happens in a browser. |" in page
    assert "2 rows of [domain.md](domain.md): 1 proved by tests, 1 not" in page
    assert tool.main(["--check"], project) == 0


def test_an_id_in_neither_place_is_an_error_that_names_it(project, capsys):
    (project / "tests" / "test_some.py").write_text(TESTS.replace('"B-01", ', ""))

    assert tool.main([], project) == 1
    assert "B-01 has neither a test nor a reason" in capsys.readouterr().err
    assert not (project / tool.PAGE).exists()


def test_an_id_in_both_places_is_an_error_that_names_it(project, capsys):
    (project / tool.REASONS).write_text(REASONS.replace('"B-02"', '"B-01", "B-02"'))

    assert tool.main(["--check"], project) == 1
    assert "B-01 has a test (tests/test_some.py) and a reason" in capsys.readouterr().err


def test_an_unknown_id_and_one_listed_twice_are_errors(project, capsys):
    (project / tool.REASONS).write_text(REASONS.replace('"B-02"', '"B-02", "B-99"'))
    assert tool.main([], project) == 1
    (project / tool.REASONS).write_text(REASONS.replace('"B-02"', '"B-02", "B-02"'))
    assert tool.main([], project) == 1

    said = capsys.readouterr().err
    assert "B-99 in not-covered.toml does not exist" in said
    assert "B-02 is listed twice" in said


def test_a_page_that_is_missing_or_changed_by_hand_is_not_current(project, capsys):
    assert tool.main(["--check"], project) == 1
    tool.main([], project)
    page = project / tool.PAGE
    page.write_text(page.read_text() + "more\n")

    assert tool.main(["--check"], project) == 1
    assert "is not current: make fmt writes it" in capsys.readouterr().err
