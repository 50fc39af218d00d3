"""The inventory of requirements is whole, and tests refer to ids that it defines."""

from __future__ import annotations

import ast

import pytest
from project_tree import HOMES, ROOT, project_files, requirement_ids

LAST = {"B": 222, "C": 59, "D": 9, "F": 30, "I": 42, "J": 13, "K": 112, "L": 13}
LAST |= {"S": 129, "T": 219, "X": 73}
NEVER_USED = {"C-36", "C-44"}
"""docs/requirements/claims.md says so."""


@pytest.mark.parametrize("letter", sorted(HOMES))
def test_the_ids_of_a_letter_are_whole_from_01_to_the_last(letter):
    expected = {f"{letter}-{number:02d}" for number in range(1, LAST[letter] + 1)}

    assert requirement_ids(letter) == expected - NEVER_USED


def test_the_readme_of_the_requirements_names_every_file_and_letter():
    folder = ROOT / "docs" / "requirements"
    readme = (folder / "README.md").read_text(encoding="utf-8")

    for path in folder.glob("*.md"):
        if path.name != "README.md":
            assert f"]({path.name})" in readme
    for letter, home in HOMES.items():
        row = next(line for line in readme.splitlines() if line.startswith(f"| {letter} |"))
        assert home in row
        assert f"{letter}-{LAST[letter]:02d}" in row


def covered_ids() -> list[tuple[str, str]]:
    """(where, id) of every ``pytest.mark.covers`` in the tests."""
    found = []
    for path in project_files():
        if path.suffix != ".py" or (ROOT / "tests") not in path.parents:
            continue
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and ast.unparse(node.func).endswith("mark.covers"):
                where = f"{path.relative_to(ROOT)}:{node.lineno}"
                found += [
                    (where, argument.value if isinstance(argument, ast.Constant) else "?")
                    for argument in node.args
                ]
    return found


def test_every_requirement_id_that_a_test_claims_to_cover_exists():
    """A misspelt id would count as proof of nothing, unnoticed."""
    known = requirement_ids()

    assert [(where, name) for where, name in covered_ids() if name not in known] == []
