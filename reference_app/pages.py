"""Long lists: the three pagination variants answer in one shape (B-72 ... B-78, X-70).

| Variant | Rows | Total | Way on |
|---|---|---|---|
| ``none`` | all | their number | - |
| ``offset`` | 50 of page p | exact | ``next``, ``last``: ``?page=`` |
| ``keyset`` | 50 after a cursor | not counted | ``next``: ``?after=`` |

``next`` and ``last`` are addresses, so a client pages through any variant without knowing it.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Annotated, Generic, TypeVar
from urllib.parse import urlencode
from uuid import UUID

import msgspec
from litestar.params import QueryParameter

from reference_app.problems import FieldError, invalid

PAGE_SIZE = 50
"""B-72."""

PAGE_MAX = 1_000_000
"""Beyond it the offset would say more about the client than about the data."""

PageNumber = Annotated[int | None, QueryParameter(ge=1, le=PAGE_MAX)]
"""``page`` of a route that lists."""

After = Annotated[str | None, QueryParameter(max_length=200)]
"""``after`` of a route that lists: a cursor."""

Item = TypeVar("Item")


class Page(msgspec.Struct, Generic[Item], frozen=True, kw_only=True):
    """One page of a list; fields a variant does not know are null.

    Attributes:
        items: Rows of this page.
        page: Number from 1.
        page_size: Rows of a full page.
        total: Exact number of matching rows.
        pages: ``total / page_size`` rounded up (B-73).
        first_row: First row shown, from 1; 0 when none is (B-75).
        last_row: Last row shown.
        next_cursor: Where the next page starts.
        next: Address of the next page; null on the last one.
        last: Address of the last page.
    """

    items: Sequence[Item]
    page: int | None = None
    page_size: int | None = None
    total: int | None = None
    pages: int | None = None
    first_row: int | None = msgspec.field(default=None, name="from")
    last_row: int | None = msgspec.field(default=None, name="to")
    next_cursor: str | None = None
    next: str | None = None
    last: str | None = None


class Cursor(msgspec.Struct, frozen=True):
    """The row a page ends with, by the order of its list.

    Attributes:
        at: The day or instant of the row, by which the list is sorted newest first.
        id: The row, among those of the same moment.
        flag: The mark of the row in a list that shows rows without the mark first.
    """

    at: date | datetime
    id: UUID
    flag: bool | None = None

    def encode(self) -> str:
        """URL-safe text; opaque to clients."""
        parts = [self.at.isoformat(), str(self.id)]
        if self.flag is not None:
            parts.append(str(int(self.flag)))
        raw = "|".join(parts).encode()
        return base64.urlsafe_b64encode(raw).rstrip(b"=").decode("ascii")


def decode_cursor(
    text: str, moment: type[date] | type[datetime] = date, *, flagged: bool = False
) -> Cursor:
    """Read a cursor that :meth:`Cursor.encode` wrote.

    Args:
        text: What the client sent.
        moment: What the list is sorted by: days or instants.
        flagged: Whether the list sorts by a mark first.

    Raises:
        Problem: 400; it is not one of this kind of list.
    """
    try:
        raw = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
        at_text, row_id, *flags = raw.decode("ascii").split("|")
        at = moment.fromisoformat(at_text)
        if isinstance(at, datetime) and at.tzinfo is None:
            raise ValueError("an instant needs its offset")
        if flags not in ([["0"], ["1"]] if flagged else [[]]):
            raise ValueError("not the marks of this list")
        return Cursor(at, UUID(row_id), flags == ["1"] if flagged else None)
    except (ValueError, binascii.Error) as error:
        raise invalid(FieldError("after", "not a cursor of this list")) from error


def whole_list(items: Sequence[Item]) -> Page[Item]:
    """Variant ``none``: everything at once."""
    shown = len(items)
    return Page(
        items=items,
        page=1,
        total=shown,
        pages=1 if shown else 0,
        first_row=1 if shown else 0,
        last_row=shown,
    )


def offset_page(
    items: Sequence[Item], *, page: int, total: int, path: str, filters: Mapping[str, str]
) -> Page[Item]:
    """Variant ``offset``: page number, exact total, range line."""
    pages = -(-total // PAGE_SIZE)
    first_row = (page - 1) * PAGE_SIZE + 1 if items else 0
    return Page(
        items=items,
        page=page,
        page_size=PAGE_SIZE,
        total=total,
        pages=pages,
        first_row=first_row,
        last_row=first_row + len(items) - 1 if items else 0,
        next=_address(path, filters, page=str(page + 1)) if page < pages else None,
        last=_address(path, filters, page=str(pages)) if pages else None,
    )


def keyset_page(
    items: Sequence[Item], *, next_cursor: Cursor | None, path: str, filters: Mapping[str, str]
) -> Page[Item]:
    """Variant ``keyset``: a cursor to go on from, no counting."""
    text = None if next_cursor is None else next_cursor.encode()
    return Page(
        items=items,
        page_size=PAGE_SIZE,
        next_cursor=text,
        next=None if text is None else _address(path, filters, after=text),
    )


def _address(path: str, filters: Mapping[str, str], **position: str) -> str:
    return f"{path}?{urlencode({**filters, **position})}"
