"""Rows as lines of CSV that a spreadsheet shows and does not run. Pure.

RFC 4180: comma, CRLF, quotes only where they are needed; UTF-8 without a byte order mark.
Texts come from guests and calendars of strangers, and a spreadsheet takes a text that begins with
a sign of arithmetic for a formula, so such a text gets an apostrophe in front. Numbers are written
by us and stay numbers, negative ones too.

Source: OWASP, "CSV Injection".
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence
from datetime import date, datetime
from uuid import UUID

Cell = str | int | date | datetime | UUID | None

FORMULA_SIGNS = frozenset("=+-@\t\r\n" + "\uff1d\uff0b\uff0d\uff20")
"""What a formula can begin with, the full-width forms of Asian keyboards included."""


def csv_lines(rows: Iterable[Sequence[Cell]]) -> bytes:
    """Lines of the rows, each with its line end; nothing for no rows."""
    text = io.StringIO(newline="")
    csv.writer(text, lineterminator="\r\n").writerows(
        [_shown(cell) for cell in row] for row in rows
    )
    return text.getvalue().encode()


def _shown(cell: Cell) -> str:
    if cell is None:
        return ""
    if isinstance(cell, str):
        # Spreadsheets skip spaces before they look for a formula.
        first = cell.lstrip(" \u00a0")[:1]
        return f"'{cell}" if first and first in FORMULA_SIGNS else cell
    if isinstance(cell, date):  # an instant is one too
        return cell.isoformat()
    return str(cell)
