"""Pages and cursors for every list there could be."""

from __future__ import annotations

from datetime import UTC, date, datetime
from urllib.parse import parse_qsl, urlsplit
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reference_app.pages import PAGE_SIZE, Cursor, decode_cursor, offset_page, whole_list
from reference_app.plans.rules import Usage, restriction
from reference_app.problems import Problem

moments = st.dates() | st.datetimes(timezones=st.just(UTC))


@given(at=moments, row=st.uuids(), flag=st.none() | st.booleans())
def test_a_cursor_survives_the_way_to_the_client_and_back(
    at: date | datetime, row: UUID, flag: bool | None
) -> None:
    cursor = Cursor(at, row, flag)

    assert decode_cursor(cursor.encode(), type(at), flagged=flag is not None) == cursor


@given(at=moments, row=st.uuids(), flag=st.none() | st.booleans())
def test_a_cursor_of_another_kind_of_list_is_refused(
    at: date | datetime, row: UUID, flag: bool | None
) -> None:
    text = Cursor(at, row, flag).encode()
    other = date if isinstance(at, datetime) else datetime

    for moment, flagged in [(other, flag is not None), (type(at), flag is None)]:
        with pytest.raises(Problem) as refused:
            decode_cursor(text, moment, flagged=flagged)
        assert refused.value.status == 400


@given(text=st.text(max_size=80))
def test_whatever_else_a_client_sends_as_a_cursor_is_refused(text: str) -> None:
    found: Cursor | int
    try:
        found = decode_cursor(text)
    except Problem as refused:
        found = refused.status
    assert found == 400 or (
        isinstance(found, Cursor) and isinstance(found.at, date) and isinstance(found.id, UUID)
    )


@pytest.mark.covers("B-73", "B-75")
@given(total=st.integers(0, 5_000))
def test_following_next_shows_every_row_once_and_ends_at_last(total: int) -> None:
    rows = range(total)
    filters = {"q": "Zoé & co", "from": "2026-01-01"}
    seen: list[int] = []
    number, visited = 1, 0
    while True:
        items = rows[(number - 1) * PAGE_SIZE : number * PAGE_SIZE]
        page = offset_page(items, page=number, total=total, path="/x", filters=filters)
        seen += page.items
        visited += 1
        if items:
            assert page.first_row == seen.index(items[0]) + 1
            assert page.last_row == len(seen)
        assert page.pages == -(-total // 50)
        if page.next is None:
            break
        query = dict(parse_qsl(urlsplit(page.next).query))
        number = int(query.pop("page"))
        assert query == filters
    assert seen == list(rows)
    assert visited == max(page.pages, 1)
    assert (page.last is None) == (total == 0)


@given(items=st.lists(st.integers(), max_size=200))
def test_a_whole_list_counts_itself(items: list[int]) -> None:
    page = whole_list(items)

    assert (page.total, page.last_row) == (len(items), len(items))
    assert page.next is None


@pytest.mark.covers("B-31", "B-35")
@given(
    used=st.integers(0, 10**6),
    limit=st.integers(0, 10**6),
    threshold=st.integers(1, 100),
)
def test_a_limit_blocks_exactly_when_it_is_full(used: int, limit: int, threshold: int) -> None:
    judged = restriction(Usage("staff", used, limit, used < limit), threshold)

    assert (judged.state == "blocked") == (used >= limit) == (judged.percent >= 100)
    assert judged.remaining == max(limit - used, 0)
    if judged.state == "warning":
        assert used / limit >= threshold / 100 - 1e-12
