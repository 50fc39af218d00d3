"""Cells and lines of CSV."""

from __future__ import annotations

import csv
import io
from datetime import UTC, date, datetime
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reference_app.exports.lines import FORMULA_SIGNS, csv_lines

texts = st.text(st.characters(codec="utf-8", exclude_characters="\x00"), max_size=40)


def test_lines_end_as_rfc_4180_says_and_quote_only_what_needs_it() -> None:
    rows = [("nom", "note"), ('La "Vieille" Ferme', "a,b"), ("Été\nà Dole", None)]

    assert csv_lines(rows) == (
        b'nom,note\r\n"La ""Vieille"" Ferme","a,b"\r\n' + '"Été\nà Dole",\r\n'.encode()
    )


def test_values_are_written_so_that_other_programs_read_them() -> None:
    row = (UUID(int=7), date(2026, 3, 1), datetime(2026, 3, 1, 9, 30, tzinfo=UTC), -12, "")

    assert csv_lines([row]) == (
        b"00000000-0000-0000-0000-000000000007,2026-03-01,2026-03-01T09:30:00+00:00,-12,\r\n"
    )


@pytest.mark.parametrize(
    "text", ["=1+1", "+33 6 12", "-2", "@SUM(A1)", "\t=1", "\r=1", "\n=1", "  =1", "\uff1d1"]
)
def test_a_text_that_a_spreadsheet_would_run_gets_an_apostrophe(text: str) -> None:
    (row,) = csv.reader(io.StringIO(csv_lines([(text,)]).decode(), newline=""))

    assert row == [f"'{text}"]


@pytest.mark.covers("B-91")
@given(rows=st.lists(st.tuples(texts, texts | st.none(), st.integers())))
def test_any_text_comes_back_as_it_was_and_never_as_a_formula(
    rows: list[tuple[str, str | None, int]],
) -> None:
    read = list(csv.reader(io.StringIO(csv_lines(rows).decode("utf-8"), newline="")))

    assert len(read) == len(rows)
    for cells, (first, second, number) in zip(read, rows, strict=True):
        for cell, text in [(cells[0], first), (cells[1], second or "")]:
            assert cell in (text, f"'{text}")
            assert cell.lstrip(" \u00a0")[:1] not in FORMULA_SIGNS or not cell
        assert int(cells[2]) == number
