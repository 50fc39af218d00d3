"""The checkout as the tests about the project see it: its files, commands and requirement ids."""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]

NOT_OURS = {".git", ".venv", "runs", "build", "dist", "__pycache__"}
"""Folders that an unpacked archive of the project may hold besides its files."""


def project_files() -> list[Path]:
    """Every file that is, or would be, committed; an archive without git counts everything."""
    if (ROOT / ".git").exists():
        listed = subprocess.run(
            ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
            cwd=ROOT,
            capture_output=True,
            check=True,
            env={**os.environ, "GIT_CONFIG_COUNT": "1"}
            | {"GIT_CONFIG_KEY_0": "safe.directory", "GIT_CONFIG_VALUE_0": "*"},
        )
        names = listed.stdout.decode().split("\0")
        return sorted(ROOT / name for name in names if name and (ROOT / name).is_file())
    return sorted(
        path
        for path in ROOT.rglob("*")
        if path.is_file() and not NOT_OURS & set(path.relative_to(ROOT).parts)
    )


def text_of(path: Path) -> str | None:
    """The text of a file, or None for images and other binary files."""
    try:
        return path.read_text(encoding="utf-8")
    except UnicodeDecodeError:
        return None


def markdown_files() -> list[Path]:
    return [path for path in project_files() if path.suffix == ".md"]


def fenced_lines(text: str) -> Iterator[tuple[int, str]]:
    """Lines inside code fences with their numbers, from 1."""
    inside = False
    for number, line in enumerate(text.splitlines(), start=1):
        if line.lstrip().startswith("```"):
            inside = not inside
        elif inside:
            yield number, line


@dataclass(frozen=True, slots=True)
class Command:
    """A ``make`` or ``palier`` line of a document."""

    where: str
    program: str
    words: str


COMMAND = re.compile(r"^\s*(?:\$ )?(?:[A-Z_]+=\S* )*(?:\.venv/bin/)?(make|palier)(?: +(.*))?$")
END_OF_COMMAND = re.compile(r"\s+#|\s{3,}|[|;>]|&&")
"""A comment, the gap before an explanation, or the next command of the shell."""


def documented_commands(path: Path) -> list[Command]:
    commands = []
    for number, line in fenced_lines(path.read_text(encoding="utf-8")):
        if match := COMMAND.match(line):
            words = END_OF_COMMAND.split(match[2] or "")[0].strip()
            commands.append(Command(f"{path.relative_to(ROOT)}:{number}", match[1], words))
    return commands


def make_targets() -> dict[str, str]:
    """Public make targets with what ``make help`` says about them."""
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    return dict(re.findall(r"^([a-z][a-z-]*):.*?## (.+)$", makefile, re.MULTILINE))


HOMES = {
    "B": "domain.md",
    "C": "claims.md",
    "D": "load_tests.md",
    "F": "load_tests.md",
    "I": "indexes.md",
    "J": "load_tests.md",
    "K": "costs.md",
    "L": "load_tests.md",
    "S": "systems.md",
    "T": "targets.md",
    "X": "contradictions.md",
}
"""The file of docs/requirements that defines the ids of a letter; others only refer to them."""


def requirement_ids(letter: str | None = None) -> set[str]:
    """Ids that docs/requirements defines: by a row, a heading or a numbered paragraph."""
    found: set[str] = set()
    for name in [letter] if letter else HOMES:
        text = (ROOT / "docs" / "requirements" / HOMES[name]).read_text(encoding="utf-8")
        for heading in re.findall(r"^#.*$", text, re.MULTILINE):
            found.update(re.findall(rf"\b{name}-\d{{2,3}}\b", heading))
        found.update(re.findall(rf"^(?:\| *)?({name}-\d{{2,3}})(?: *\||\. )", text, re.MULTILINE))
    return found
