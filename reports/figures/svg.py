"""A drawn figure as SVG text: for a file of its own, and for the page.

Both carry a label with the key numbers, no date and no creator, so the same run gives the same
bytes.
"""

from __future__ import annotations

import io
import re
import warnings
import xml.etree.ElementTree as ET
from dataclasses import dataclass
from typing import Final

from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.figure import Figure

from reports.figures.style import CSS_VARIABLES
from reports.text import clean

_SVG: Final = "http://www.w3.org/2000/svg"
_XLINK: Final = "http://www.w3.org/1999/xlink"
_REFERENCE = re.compile(r"url\(#([^)]+)\)")
_COLOUR = re.compile("|".join(CSS_VARIABLES), re.IGNORECASE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Drawing:
    """One figure at one width.

    Attributes:
        name: ``"latency-wide"``; file name and prefix of element ids.
        file_svg: Stand-alone document in the light theme.
        inline_svg: Element for the page, coloured by the page's variables.
    """

    name: str
    file_svg: str
    inline_svg: str


def to_drawing(figure: Figure, *, name: str, label: str) -> Drawing:
    """Save ``figure`` and label it.

    Args:
        figure: Drawn inside ``style.drawing``, and saved inside it too.
        name: Unique within a report.
        label: What the figure shows, with its key numbers, for people who do not see it.
    """
    FigureCanvasSVG(figure)
    buffer = io.BytesIO()
    with warnings.catch_warnings():
        # Text stays text: a letter the layout font lacks is drawn by the reader's own fonts.
        warnings.filterwarnings("ignore", message=r"Glyph .* missing from font")
        figure.savefig(buffer, format="svg", metadata={"Date": None, "Creator": None})
    root = ET.fromstring(buffer.getvalue())
    _tidy(root, prefix=f"{name}-", label=clean(label))
    ET.register_namespace("", _SVG)
    ET.register_namespace("xlink", _XLINK)
    file_svg = ET.tostring(root, encoding="unicode") + "\n"
    _without_namespaces(root)
    inline = ET.tostring(root, encoding="unicode", short_empty_elements=False)
    inline = _COLOUR.sub(lambda match: f"var({CSS_VARIABLES[match[0].lower()]})", inline)
    return Drawing(name=name, file_svg=file_svg, inline_svg=inline)


def _tidy(root: ET.Element, *, prefix: str, label: str) -> None:
    """Drop metadata and page-wide styles, make ids unique to the figure, add the label."""
    for parent in list(root.iter()):
        for child in list(parent):
            if child.tag in (f"{{{_SVG}}}metadata", f"{{{_SVG}}}style"):
                parent.remove(child)
    for element in root.iter():
        for key, value in element.attrib.items():
            if key == "id":
                element.set(key, prefix + value)
            elif key == f"{{{_XLINK}}}href" and value.startswith("#"):
                element.set(key, f"#{prefix}{value[1:]}")
            elif "url(#" in value:
                element.set(key, _REFERENCE.sub(rf"url(#{prefix}\1)", value))
    root.set("role", "img")
    root.set("aria-label", label)
    root.set("style", "stroke-linejoin: round; stroke-linecap: butt")
    del root.attrib["version"]
    # The viewBox keeps the proportions; sizes in points would fight the page's layout.
    width, height = root.attrib["viewBox"].split()[2:]
    root.set("width", width)
    root.set("height", height)


def _without_namespaces(root: ET.Element) -> None:
    """Inside HTML an SVG element needs no namespace, and links no prefix."""
    for element in root.iter():
        element.tag = element.tag.removeprefix(f"{{{_SVG}}}")
        for key in [key for key in element.attrib if key.startswith("{")]:
            element.set(key.rpartition("}")[2], element.attrib.pop(key))
