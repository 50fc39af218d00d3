"""Write all reports of a run into its directory."""

from __future__ import annotations

from pathlib import Path

from reports import junit, markdown, page
from reports.drawings import draw_all
from reports.files import make_folder, write_atomically
from reports.inputs import ReportInputs, ReportPaths

__all__ = ["ReportInputs", "ReportPaths", "write_reports"]


def write_reports(run_dir: Path, inputs: ReportInputs) -> ReportPaths:
    """Write ``report.html``, ``report.md``, ``junit.xml`` and ``figures/*.svg``.

    The same inputs give the same bytes. Each file is replaced as a whole, so a reader never sees
    half of one, and a failure leaves the files of an earlier report in place.

    Args:
        run_dir: Existing run directory.
        inputs: The run as read from its files.

    Raises:
        ReportError: A file or folder cannot be written, for example because the disk is full.
    """
    pictures = draw_all(inputs)
    texts = {
        "report.html": page.render(inputs, pictures),
        "report.md": markdown.render(inputs, pictures),
        "junit.xml": junit.render(inputs),
    }
    folder = run_dir / "figures"
    make_folder(folder)
    figures = []
    for picture in pictures.all():
        path = folder / f"{picture.name}.svg"
        write_atomically(path, picture.wide.file_svg)
        figures.append(path)
    for name, text in texts.items():
        write_atomically(run_dir / name, text)
    return ReportPaths(
        html=run_dir / "report.html",
        markdown=run_dir / "report.md",
        junit=run_dir / "junit.xml",
        figures=tuple(figures),
    )
