"""What no committed file may hold: addresses of package registries and one machine's paths."""

from __future__ import annotations

import re
from collections import Counter

import pytest
from project_tree import ROOT, project_files, text_of

# Written in pieces, or this file would be the first to fail.
FORBIDDEN = {
    "package registry": re.compile(
        "py" + r"pi\.org|python" + r"hosted|npm" + r"js|crates" + r"\.io"
    ),
    "path of one machine": re.compile(
        r"(?<![\w.$}])(?:/wo"
        + r"rk/|/tmp/pro"
        + r"be|/ro"
        + r"ot/|/home/(?!\w+/?\.\.\.)\w|/Us"
        + r"ers/\w)"
    ),
}


@pytest.mark.parametrize("kind", sorted(FORBIDDEN))
def test_no_committed_file_names_a(kind):
    """Lock files and documents must be the same whoever wrote them, wherever."""
    found = [
        f"{path.relative_to(ROOT)}:{number}: {match[0]}"
        for path in project_files()
        for number, line in enumerate((text_of(path) or "").splitlines(), start=1)
        if (match := FORBIDDEN[kind].search(line))
    ]

    assert found == []


def test_scripts_that_are_called_by_name_can_be_executed():
    scripts = [ROOT / ".ci" / "run", *(ROOT / "tools").glob("*.sh")]

    assert [path.name for path in scripts if not path.stat().st_mode & 0o111] == []


def test_every_text_file_ends_with_a_newline_and_has_unix_line_ends():
    bad = [
        str(path.relative_to(ROOT))
        for path in project_files()
        if (text := text_of(path)) and (not text.endswith("\n") or "\r\n" in text)
    ]

    assert bad == []


def test_no_two_test_files_have_the_same_name():
    """Without packages pytest cannot tell them apart when one process collects both."""
    names = Counter(path.name for path in project_files() if path.name.startswith("test_"))

    assert [name for name, count in names.items() if count > 1] == []
