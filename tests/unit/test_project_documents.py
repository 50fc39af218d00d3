"""The documents hold together: links, decision index, changelog, glossary."""

from __future__ import annotations

import ast
import datetime as dt
import re
import tomllib
from pathlib import Path
from urllib.parse import unquote

import pytest
from project_tree import ROOT, fenced_lines, markdown_files, project_files

DECISIONS = ROOT / "docs" / "decisions"
VERSION = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["version"]

LINK = re.compile(r"!?\[[^\]]*\]\(([^)\s]+)(?: \"[^\"]*\")?\)")


def prose_of(path: Path) -> str:
    """The text without code, where brackets mean something else."""
    text = path.read_text(encoding="utf-8")
    code = {number for number, _ in fenced_lines(text)}
    lines = [line for number, line in enumerate(text.splitlines(), 1) if number not in code]
    return re.sub(r"`[^`\n]*`", "", "\n".join(lines))


def anchors_of(path: Path) -> set[str]:
    """Anchors of the headings, made as the usual Markdown pages make them."""
    text = path.read_text(encoding="utf-8")
    code = {number for number, _ in fenced_lines(text)}
    anchors: set[str] = set()
    for number, line in enumerate(text.splitlines(), start=1):
        if number not in code and (heading := re.match(r"#{1,6} +(.*)", line)):
            words = re.sub(r"[^\w\- ]", "", heading[1].lower())
            anchors.add(words.strip().replace(" ", "-"))
    return anchors


def broken_links(path: Path) -> list[str]:
    broken = []
    for target in LINK.findall(prose_of(path)):
        if re.match(r"[a-z]+:", target):
            continue  # another host: a test that needs the network proves nothing about us
        name, _, anchor = target.partition("#")
        file = (path.parent / unquote(name)).resolve() if name else path
        if not file.exists() or (
            anchor and file.suffix == ".md" and anchor not in anchors_of(file)
        ):
            broken.append(target)
    return broken


GOLDEN = ROOT / "tests" / "golden"
"""Expected output; what it links to lies in the run directory it stands for."""


@pytest.mark.parametrize(
    "path",
    [path for path in markdown_files() if GOLDEN not in path.parents],
    ids=lambda path: str(path.relative_to(ROOT)),
)
def test_links_between_documents_lead_somewhere(path):
    assert broken_links(path) == []


def test_a_broken_link_or_anchor_is_noticed(tmp_path):
    page = tmp_path / "page.md"
    page.write_text("# A title, here\n[a](#a-title-here) [b](#no) [c](none.md) `[d](no)`\n")

    assert broken_links(page) == ["#no", "none.md"]


def test_the_index_of_decisions_lists_every_record_once_in_order_with_its_title():
    records = sorted(path for path in DECISIONS.glob("*.md") if path.name != "README.md")
    expected = []
    for path in records:
        number = path.name[:4]
        title = path.read_text(encoding="utf-8").splitlines()[0].removeprefix(f"# {number} ")
        expected.append(f"- [{number} {title}]({path.name})")
    index = (DECISIONS / "README.md").read_text(encoding="utf-8").splitlines()

    assert [line for line in index if re.match(r"- \[\d{4}", line)] == expected


@pytest.mark.parametrize(
    "path",
    [path for path in DECISIONS.glob("*.md") if path.name != "README.md"],
    ids=lambda path: path.name,
)
def test_a_decision_record_has_its_number_and_says_context_decision_and_consequences(path):
    text = path.read_text(encoding="utf-8")

    assert re.fullmatch(r"\d{4}-[a-z0-9-]+\.md", path.name)
    assert text.startswith(f"# {path.name[:4]} ")
    for part in ("Status", "Context", "Decision", "Consequences"):
        assert re.search(rf"^(## {part}$|\**{part}\**:)", text, re.MULTILINE), part


def test_two_decisions_never_share_a_number():
    numbers = [path.name[:4] for path in DECISIONS.glob("[0-9]*.md")]

    assert len(numbers) == len(set(numbers))


def test_the_changelog_has_a_section_for_the_version_of_the_package():
    """Either the version is released with its date, or its changes are still collected."""
    changelog = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    sections = re.findall(r"^## \[(.+?)\](?: - (\S+))?$", changelog, re.MULTILINE)

    assert VERSION in [name for name, _ in sections]
    for name, date in sections:
        if name != "Unreleased":
            dt.date.fromisoformat(date)


def test_changelog_sections_use_the_six_kinds_of_keep_a_changelog():
    changelog = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    kinds = set(re.findall(r"^### (.+)$", changelog, re.MULTILINE))

    assert kinds <= {"Added", "Changed", "Deprecated", "Removed", "Fixed", "Security"}


def names_in_code() -> set[str]:
    """Names that our Python sources define or use: classes, fields, functions, attributes."""
    found: set[str] = set()
    for path in project_files():
        if path.suffix == ".py" and (ROOT / "tests") not in path.parents:
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                if isinstance(node, ast.Name):
                    found.add(node.id)
                elif isinstance(node, ast.Attribute):
                    found.add(node.attr)
                elif isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
                    found.add(node.name)
    return found


def test_names_that_the_glossary_gives_for_the_code_are_in_the_code():
    """A glossary whose names nobody uses teaches a second language."""
    glossary = (ROOT / "docs" / "glossary.md").read_text(encoding="utf-8")
    rows = [line.split("|") for line in glossary.splitlines() if line.startswith("| ")]
    header = next(row for row in rows if "In code" in row[3])
    names = {
        name
        for row in rows[rows.index(header) + 1 :]
        if len(row) == len(header)
        for name in re.findall(r"`(\w+)`", row[3])
    }

    assert len(names) > 10
    assert names - names_in_code() == set()
