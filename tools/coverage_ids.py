"""Writes docs/requirements/coverage.md: the tests that prove a requirement, or why there are none.

Every behaviour (B), functional test (F), journey (J), data volume (D) and index (I) is either named
by a ``pytest.mark.covers`` of a test or listed with a reason in docs/requirements/not-covered.toml.
In neither place, or in both, is an error: a gap would hide, or a reason would outlive its cause.

    python tools/coverage_ids.py            write the page
    python tools/coverage_ids.py --check    say whether it is current, and change nothing
"""

from __future__ import annotations

import argparse
import ast
import re
import sys
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parents[1]
PAGE: Final = Path("docs/requirements/coverage.md")
REASONS: Final = Path("docs/requirements/not-covered.toml")

LETTERS: Final[Mapping[str, tuple[str, str]]] = {
    "B": ("Behaviour of the application", "domain.md"),
    "F": ("Functional tests", "load_tests.md"),
    "J": ("Journeys", "load_tests.md"),
    "D": ("Data volumes", "load_tests.md"),
    "I": ("Indexes", "indexes.md"),
}
"""Letter: heading, and the file of docs/requirements that defines its ids. Targets, claims, prices
and contradictions are judged by runs and experiments, not by tests."""

WORDS_LONGEST: Final = 90
"""Enough to recognise a row; the row itself is one link away."""


@dataclass(frozen=True, slots=True, order=True)
class Proof:
    """A test that says it covers an id.

    Attributes:
        file: Path below the project.
        test: Name of the function; None when the mark is on the whole file.
    """

    file: str
    test: str | None

    def link(self) -> str:
        """For the page, which lies in docs/requirements."""
        name = self.test or f"every test of {Path(self.file).name}"
        return f"[`{name}`](../../{self.file})"


@dataclass(frozen=True, slots=True)
class Reason:
    """Why ids have no test."""

    kind: str
    why: str


class CoverageError(Exception):
    """What keeps the page from being written, one sentence each."""

    def __init__(self, problems: Sequence[str]) -> None:
        super().__init__("\n".join(problems))
        self.problems = tuple(problems)


def requirement_rows(root: Path, letter: str) -> dict[str, str]:
    """Ids of a letter in the order of their file, each with the first words of its row."""
    _, home = LETTERS[letter]
    text = (root / "docs" / "requirements" / home).read_text(encoding="utf-8")
    rows = re.findall(rf"^\| *({letter}-\d{{2,3}}) *\|([^|]*)\|", text, re.MULTILINE)
    return {name: _shortened(words) for name, words in rows}


def proofs(root: Path) -> dict[str, list[Proof]]:
    """Tests by the id they cover, in the order of files and names."""
    found: dict[str, set[Proof]] = {}
    for path in sorted((root / "tests").rglob("*.py")):
        file = path.relative_to(root).as_posix()
        for test, name in marks_of(path.read_text(encoding="utf-8")):
            found.setdefault(name, set()).add(Proof(file, test))
    return {
        name: sorted(tests, key=lambda p: (p.file, p.test or "")) for name, tests in found.items()
    }


def marks_of(source: str) -> Iterator[tuple[str | None, str]]:
    """(test, id) of every ``pytest.mark.covers`` in a file, also in the marks of a parameter."""
    for statement in _statements(ast.parse(source).body):
        test = (
            statement.name
            if isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef)
            else None
        )
        for node in ast.walk(statement):
            if isinstance(node, ast.Call) and ast.unparse(node.func).endswith("mark.covers"):
                for argument in node.args:
                    if isinstance(argument, ast.Constant) and isinstance(argument.value, str):
                        yield test, argument.value


def _statements(body: Sequence[ast.stmt]) -> Iterator[ast.stmt]:
    for statement in body:
        if isinstance(statement, ast.ClassDef):
            yield from _statements(statement.body)
        else:
            yield statement


def reasons(root: Path) -> dict[str, Reason]:
    """Reasons by id.

    Raises:
        CoverageError: An id is listed twice.
    """
    document = tomllib.loads((root / REASONS).read_text(encoding="utf-8"))
    found: dict[str, Reason] = {}
    twice = []
    for kind, groups in document.items():
        for group in groups:
            for name in group["ids"]:
                if name in found:
                    twice.append(f"{name} is listed twice in {REASONS.name}")
                found[name] = Reason(kind, " ".join(group["why"].split()))
    if twice:
        raise CoverageError(twice)
    return found


def page(root: Path) -> str:
    """The text of the page.

    Raises:
        CoverageError: An id has neither test nor reason, or both, or does not exist.
    """
    rows = {letter: requirement_rows(root, letter) for letter in LETTERS}
    tests, without = proofs(root), reasons(root)
    known = {name for ids in rows.values() for name in ids}
    problems = [
        f"{name} in {REASONS.name} does not exist" for name in sorted(without.keys() - known)
    ]
    for name in (name for ids in rows.values() for name in ids):
        if name in tests and name in without:
            problems.append(
                f"{name} has a test ({tests[name][0].file}) and a reason for having none: "
                f"take it out of {REASONS.name}"
            )
        if name not in tests and name not in without:
            problems.append(
                f"{name} has neither a test nor a reason: mark a test with "
                f'pytest.mark.covers("{name}"), or list it in {REASONS.name}'
            )
    if problems:
        raise CoverageError(problems)
    parts = [_HEAD]
    for letter, (title, home) in LETTERS.items():
        ids = rows[letter]
        covered = sum(name in tests for name in ids)
        parts.append(
            f"\n## {letter}: {title}\n\n"
            f"{len(ids)} rows of [{home}]({home}): {covered} proved by tests, "
            f"{len(ids) - covered} not, each with its reason.\n\n"
            "| Id | Row | Proved by, or why not |\n|---|---|---|\n"
        )
        for name, words in ids.items():
            if name in tests:
                last = "<br>".join(proof.link() for proof in tests[name])
            else:
                last = f"*{without[name].kind}:* {without[name].why}"
            parts.append(f"| {name} | {words} | {last} |\n")
    return "".join(parts)


_HEAD: Final = """\
# Which test proves which requirement

Written by `make fmt` from the marks of the tests (`pytest.mark.covers`) and from
[not-covered.toml](not-covered.toml); `make check` fails when it is not current.
"""


def _shortened(words: str) -> str:
    plain = " ".join(words.split())
    if len(plain) <= WORDS_LONGEST:
        return plain
    cut = plain[:WORDS_LONGEST].rsplit(" ", 1)[0].rstrip(",;:.(")
    # A cut inside code would swallow the rest of the row.
    return f"{cut}`…" if cut.count("`") % 2 else f"{cut} …"


def main(arguments: Sequence[str] | None = None, root: Path = ROOT) -> int:
    """Write the page, or check it; the exit code is 1 when it cannot stand."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--check", action="store_true", help="change nothing")
    options = parser.parse_args(arguments)
    try:
        text = page(root)
    except CoverageError as error:
        for problem in error.problems:
            print(f"error: {problem}", file=sys.stderr)
        return 1
    path = root / PAGE
    if not options.check:
        path.write_text(text, encoding="utf-8")
        return 0
    if not path.exists() or path.read_text(encoding="utf-8") != text:
        print(f"error: {PAGE} is not current: make fmt writes it", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
