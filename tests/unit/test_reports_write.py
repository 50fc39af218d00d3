"""Files: all of each or none, and a clear error when the disk says no."""

from __future__ import annotations

import subprocess
import sys
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest
import reports_samples

from palier.errors import ExitCode
from reports.files import ReportError, write_atomically
from reports.write import write_reports

FULL = """
import resource, signal, sys
from pathlib import Path
from reports.files import ReportError, write_atomically

signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))
try:
    write_atomically(Path(sys.argv[1]), "x" * 5000)
except ReportError as err:
    sys.stdout.write(err.what + "|" + err.where + "|" + err.fix)
    raise SystemExit(int(err.exit_code))
"""


def test_all_reports_of_a_run_are_written(tmp_path: Path) -> None:
    paths = write_reports(tmp_path, reports_samples.passing())

    assert sorted(p.relative_to(tmp_path).as_posix() for p in tmp_path.rglob("*.*")) == [
        "figures/cpu.svg",
        "figures/latency-by-operation.svg",
        "figures/latency-over-time.svg",
        "figures/latency-spectrum.svg",
        "junit.xml",
        "report.html",
        "report.md",
    ]
    assert paths.html.read_text("utf-8") == reports_samples.page_of("pass")
    assert "(figures/latency-over-time.svg)" in paths.markdown.read_text("utf-8")
    for figure in paths.figures:
        root = ET.fromstring(figure.read_bytes())
        assert root.attrib["role"] == "img"
        assert len(root.attrib["aria-label"]) > 20
        assert b"<dc:date>" not in figure.read_bytes()


def test_a_full_disk_keeps_the_old_report_and_says_what_to_do(tmp_path: Path) -> None:
    """A real limit on file size stands for the full disk: the write itself fails."""
    report = tmp_path / "report.html"
    report.write_text("the report of before")

    done = subprocess.run(
        [sys.executable, "-c", FULL, str(report)],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )

    assert done.returncode == ExitCode.ENVIRONMENT
    what, where, fix = done.stdout.split("|")
    assert what.startswith("cannot write the report file report.html: ")
    assert where == str(report)
    assert "palier report" in fix
    assert report.read_text() == "the report of before"
    assert list(tmp_path.iterdir()) == [report]


def test_a_missing_run_directory_is_a_clear_error(tmp_path: Path) -> None:
    with pytest.raises(ReportError, match=r"cannot write the report file x\.md: No such file"):
        write_atomically(tmp_path / "gone" / "x.md", "text")


def test_broken_characters_do_not_stop_a_report(tmp_path: Path) -> None:
    write_atomically(tmp_path / "x.md", "a\ud800b")

    assert (tmp_path / "x.md").read_bytes() == b"a?b"
