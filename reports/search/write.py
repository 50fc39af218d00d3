"""Write all reports of a search into its directory."""

from __future__ import annotations

from pathlib import Path

from reports.files import make_folder, write_atomically
from reports.search import markdown, page
from reports.search.drawings import draw_all
from reports.search.inputs import SearchInputs


def write_search_reports(directory: Path, inputs: SearchInputs) -> Path:
    """Write ``report.html``, ``report.md`` and ``figures/*.svg``, each whole or not at all.

    Returns:
        Path of the page.

    Raises:
        ReportError: A file or folder cannot be written, for example because the disk is full.
    """
    pictures = draw_all(inputs.story)
    texts = {
        "report.html": page.render(inputs, pictures),
        "report.md": markdown.render(inputs, pictures),
    }
    folder = directory / "figures"
    make_folder(folder)
    for picture in pictures:
        write_atomically(folder / f"{picture.name}.svg", picture.wide.file_svg)
    for name, text in texts.items():
        write_atomically(directory / name, text)
    return directory / "report.html"
