"""What guests say through their sheets: hour requests (B-82) and feedback (B-83).

A sheet has one request and one feedback at most, so both bear its number within the owner. Only
guests who may ask and who really come do.
"""

from __future__ import annotations

from collections import Counter

import numpy as np
from numpy.typing import NDArray

from seed.bookings import is_last_of_owner
from seed.clock import clock_at
from seed.draws import below
from seed.ids import GiteIds, OwnerIds, id_text
from seed.owners import MINUTES_A_DAY
from seed.phrases import COMMENTS_BY_NOTE, HOUR_MESSAGES
from seed.sheets import DAYS_AFTER_STAY, Sheets, draw_sheets, sheet_lines
from seed.spec import DatasetSpec
from seed.tables import CLIENT_ACCESS_TOKENS, GUEST_FEEDBACK, HOUR_REQUESTS, NULL, Lines

PERCENT_WITH_HOURS = 40
PERCENT_PENDING_AHEAD, PERCENT_PENDING_PAST = 60, 5
PERCENT_ACCEPTED = 75
MAX_DAYS_TO_DECIDE = 2
ARRIVAL_HOURS = ("12:00:00", "13:00:00", "14:30:00", "18:30:00", "20:00:00", "22:00:00", NULL)
DEPARTURE_HOURS = ("07:00:00", "08:30:00", "11:00:00", "12:00:00", "14:00:00")

PERCENT_WITH_FEEDBACK = 60
NOTE_PERCENT = (2, 3, 10, 25, 60)
"""Of the notes 1 to 5."""
_NOTE_OF_PERCENT = np.repeat(np.arange(1, 6), NOTE_PERCENT)
DEPARTURE_MINUTE = 10 * 60
"""B-113: guests leave by ten o'clock."""


def guest_lines(spec: DatasetSpec, owners: NDArray[np.int64]) -> Lines:
    """Sheets, requests and feedback of the owners given, by the moment they were made."""
    sheets = draw_sheets(spec, owners)
    return {
        CLIENT_ACCESS_TOKENS: sheet_lines(spec, sheets.by_age()),
        HOUR_REQUESTS: _request_lines(spec, sheets.take(_asks(spec, sheets)).by_age()),
        GUEST_FEEDBACK: _feedback_lines(spec, sheets.take(_answers(spec, sheets)).by_age()),
    }


def guest_row_counts(spec: DatasetSpec) -> Counter[str]:
    """Rows of all owners by table; draws the sheets, which are few (D-07)."""
    sheets = draw_sheets(spec, np.arange(spec.owners, dtype=np.int64))
    return Counter(
        {
            CLIENT_ACCESS_TOKENS.name: len(sheets.index),
            HOUR_REQUESTS.name: int(np.count_nonzero(_asks(spec, sheets))),
            GUEST_FEEDBACK.name: int(np.count_nonzero(_answers(spec, sheets))),
        }
    )


def _asks(spec: DatasetSpec, sheets: Sheets) -> NDArray[np.bool_]:
    asks = below(sheets.keys(spec, "hour_request"), 0, 100) < PERCENT_WITH_HOURS
    return sheets.is_stay & ~sheets.is_revoked & asks


def _answers(spec: DatasetSpec, sheets: Sheets) -> NDArray[np.bool_]:
    """Of the stays that were over a week before the anchor; not of the owner's last one, which
    scenarios judge through its open sheet."""
    answers = below(sheets.keys(spec, "feedback"), 0, 100) < PERCENT_WITH_FEEDBACK
    is_over = sheets.bookings.last_day <= -DAYS_AFTER_STAY
    is_judged_later = is_last_of_owner(spec, sheets.bookings)
    return sheets.is_stay & ~sheets.is_revoked & ~is_judged_later & is_over & answers


def _request_lines(spec: DatasetSpec, sheets: Sheets) -> list[str]:
    clock, seed, bookings = clock_at(spec.anchor), spec.seed, sheets.bookings
    keys = sheets.keys(spec, "hour_request")
    created = sheets.created_minute + below(keys, 1, sheets.last_minute - sheets.created_minute)
    until = np.minimum(sheets.last_minute, created + MAX_DAYS_TO_DECIDE * MINUTES_A_DAY)
    decided = created + below(keys, 2, until - created)
    is_ahead = bookings.first_day >= 0
    percent_pending = np.where(is_ahead, PERCENT_PENDING_AHEAD, PERCENT_PENDING_PAST)
    is_pending = below(keys, 3, 100) < percent_pending
    is_accepted = below(keys, 4, 100) < PERCENT_ACCEPTED
    arrival = below(keys, 5, len(ARRIVAL_HOURS))
    departure = below(keys, 6, 2 * len(DEPARTURE_HOURS))  # every other guest leaves as usual
    owner_ids, gite_ids = OwnerIds(seed), GiteIds(seed)
    lines = []
    for owner, index, booking, gite, comes, leaves, message, pending, accepted, asked, told in zip(
        bookings.owner.tolist(),
        sheets.index.tolist(),
        bookings.index.tolist(),
        bookings.gite_index.tolist(),
        arrival.tolist(),
        departure.tolist(),
        below(keys, 7, len(HOUR_MESSAGES)).tolist(),
        is_pending.tolist(),
        is_accepted.tolist(),
        created.tolist(),
        decided.tolist(),
        strict=True,
    ):
        comes_at = ARRIVAL_HOURS[comes]
        # A request names one hour at least.
        asks_to_leave = leaves < len(DEPARTURE_HOURS) or comes_at == NULL
        leaves_at = DEPARTURE_HOURS[leaves % len(DEPARTURE_HOURS)] if asks_to_leave else NULL
        status = "pending" if pending else "accepted" if accepted else "declined"
        lines.append(
            f"{id_text(seed, 'hour_request', owner, index)}"
            f"\t{id_text(seed, 'reservation', owner, booking)}\t{gite_ids[owner, gite]}"
            f"\t{owner_ids[owner]}\t{comes_at}\t{leaves_at}"
            f"\t{HOUR_MESSAGES[message]}\t{status}\t{clock.minute(asked)}"
            f"\t{NULL if pending else clock.minute(told)}"
        )
    return lines


def _feedback_lines(spec: DatasetSpec, sheets: Sheets) -> list[str]:
    clock, seed, bookings = clock_at(spec.anchor), spec.seed, sheets.bookings
    keys = sheets.keys(spec, "feedback")
    # While the sheet is open: from the departure to the last day of its week.
    created = (
        bookings.last_day * MINUTES_A_DAY
        + DEPARTURE_MINUTE
        + below(keys, 1, (DAYS_AFTER_STAY - 1) * MINUTES_A_DAY)
    )
    owner_ids, gite_ids = OwnerIds(seed), GiteIds(seed)
    lines = []
    for owner, index, booking, gite, note, comment, told in zip(
        bookings.owner.tolist(),
        sheets.index.tolist(),
        bookings.index.tolist(),
        bookings.gite_index.tolist(),
        _NOTE_OF_PERCENT[below(keys, 2, 100)].tolist(),
        below(keys, 3, 1 << 16).tolist(),
        created.tolist(),
        strict=True,
    ):
        comments = COMMENTS_BY_NOTE[note]
        lines.append(
            f"{id_text(seed, 'feedback', owner, index)}"
            f"\t{id_text(seed, 'reservation', owner, booking)}\t{gite_ids[owner, gite]}"
            f"\t{owner_ids[owner]}\t{note}\t{comments[comment % len(comments)]}"
            f"\t{clock.minute(told)}"
        )
    return lines
