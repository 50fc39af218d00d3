"""The support desk: clients of the channel manager and what they ask (B-92), errors (B-93).

Every fifth owner is a client of the channel manager, under the address of the account.
"""

from __future__ import annotations

from collections import Counter

import numpy as np
from numpy.typing import NDArray

from palier.model.identity import owner_email
from seed.clock import clock_at
from seed.draws import below, row_keys
from seed.ids import OwnerIds, id_text
from seed.names import first_names, last_names
from seed.owners import MINUTES_A_DAY
from seed.phrases import ERRORS, TICKETS
from seed.rows import rows_of_owners
from seed.spec import DatasetSpec
from seed.tables import (
    CM_CLIENTS,
    CM_SUBSCRIPTIONS,
    CM_SUPPORT_TICKETS,
    ERROR_LOGS,
    NULL,
    Lines,
)

OWNERS_A_CLIENT = 5
LEAST_CLIENT_DAYS, MOST_CLIENT_DAYS = 60, 1_200
PLANS = ("standard", "premium")
TRIAL_DAYS = 30
PERCENT_PAST_DUE, PERCENT_CANCELLED = 8, 12
MOST_TICKETS = 5
TICKET_STATUSES = ("closed", "closed", "closed", "open", "waiting")
MAX_DAYS_TO_ANSWER = 10
ERRORS_AN_OWNER = 3
DAYS_OF_ERRORS = 60


def support_lines(spec: DatasetSpec, owners: NDArray[np.int64]) -> Lines:
    """Clients, subscriptions, tickets and errors that come from the owners given."""
    clients = _clients(owners)
    return {
        CM_CLIENTS: _client_lines(spec, clients),
        CM_SUBSCRIPTIONS: _subscription_lines(spec, clients),
        CM_SUPPORT_TICKETS: _ticket_lines(spec, clients),
        ERROR_LOGS: _error_lines(spec, owners),
    }


def support_row_counts(spec: DatasetSpec) -> Counter[str]:
    """Rows of all owners by table."""
    clients = _clients(np.arange(spec.owners, dtype=np.int64))
    return Counter(
        {
            CM_CLIENTS.name: len(clients),
            CM_SUBSCRIPTIONS.name: 2 * len(clients),
            CM_SUPPORT_TICKETS.name: int(_ticket_counts(spec, clients).sum()),
            ERROR_LOGS.name: ERRORS_AN_OWNER * spec.owners,
        }
    )


def _clients(owners: NDArray[np.int64]) -> NDArray[np.int64]:
    clients: NDArray[np.int64] = owners[owners % OWNERS_A_CLIENT == 0]
    return clients


def _keys(spec: DatasetSpec, clients: NDArray[np.int64]) -> NDArray[np.uint64]:
    return row_keys(
        seed=spec.seed, kind="cm_client", tenants=clients, indexes=np.zeros_like(clients)
    )


def _first_day(spec: DatasetSpec, clients: NDArray[np.int64]) -> NDArray[np.int64]:
    more_days = below(_keys(spec, clients), 0, MOST_CLIENT_DAYS - LEAST_CLIENT_DAYS)
    first: NDArray[np.int64] = -LEAST_CLIENT_DAYS - more_days
    return first


def _client_lines(spec: DatasetSpec, clients: NDArray[np.int64]) -> list[str]:
    clock, keys = clock_at(spec.anchor), _keys(spec, clients)
    firsts, lasts = first_names(), last_names()
    return [
        CM_CLIENTS.line(
            id_text(spec.seed, "cm_client", client, 0),
            owner_email(client),
            f"{firsts[first]} {lasts[last]}",
            clock.minute(day * MINUTES_A_DAY + minute),
        )
        for client, first, last, day, minute in zip(
            clients.tolist(),
            below(keys, 1, len(firsts)).tolist(),
            below(keys, 2, len(lasts)).tolist(),
            _first_day(spec, clients).tolist(),
            below(keys, 3, MINUTES_A_DAY).tolist(),
            strict=True,
        )
    ]


def _subscription_lines(spec: DatasetSpec, clients: NDArray[np.int64]) -> list[str]:
    """A month on trial that is over, and what came after it."""
    clock, keys = clock_at(spec.anchor), _keys(spec, clients)
    lines = []
    for client, start, plan, lot in zip(
        clients.tolist(),
        _first_day(spec, clients).tolist(),
        below(keys, 4, len(PLANS)).tolist(),
        below(keys, 5, 100).tolist(),
        strict=True,
    ):
        client_id = id_text(spec.seed, "cm_client", client, 0)
        change = start + TRIAL_DAYS
        is_cancelled = lot < PERCENT_CANCELLED
        is_past_due = lot >= 100 - PERCENT_PAST_DUE
        lines.append(
            CM_SUBSCRIPTIONS.line(
                id_text(spec.seed, "cm_subscription", client, 0),
                client_id,
                "essai",
                "cancelled",
                clock.day(start),
                clock.day(change),
                clock.minute((start + 1) * MINUTES_A_DAY),
            )
        )
        lines.append(
            CM_SUBSCRIPTIONS.line(
                id_text(spec.seed, "cm_subscription", client, 1),
                client_id,
                PLANS[plan],
                "cancelled" if is_cancelled else "past_due" if is_past_due else "active",
                clock.day(change),
                clock.day(-1) if is_cancelled else None,
                clock.minute(change * MINUTES_A_DAY),
            )
        )
    return lines


def _ticket_counts(spec: DatasetSpec, clients: NDArray[np.int64]) -> NDArray[np.int64]:
    return below(_keys(spec, clients), 6, MOST_TICKETS + 1)


def _ticket_lines(spec: DatasetSpec, clients: NDArray[np.int64]) -> list[str]:
    clock = clock_at(spec.anchor)
    rows = rows_of_owners(spec, "cm_ticket", clients, _ticket_counts(spec, clients))
    asked_day = -1 - rows.draw(0, LEAST_CLIENT_DAYS - 1)
    asked = asked_day * MINUTES_A_DAY + rows.draw(1, MINUTES_A_DAY)
    answered = asked + rows.draw(2, np.minimum(-asked, MAX_DAYS_TO_ANSWER * MINUTES_A_DAY))
    lines = []
    for client, index, status, ticket, created, updated in zip(
        rows.owner.tolist(),
        rows.index.tolist(),
        rows.draw(3, len(TICKET_STATUSES)).tolist(),
        rows.draw(4, len(TICKETS)).tolist(),
        asked.tolist(),
        answered.tolist(),
        strict=True,
    ):
        subject, message = TICKETS[ticket]
        state = TICKET_STATUSES[status]
        lines.append(
            CM_SUPPORT_TICKETS.line(
                id_text(spec.seed, "cm_ticket", client, index),
                id_text(spec.seed, "cm_client", client, 0),
                state,
                subject,
                message,
                clock.minute(created),
                clock.minute(created if state == "open" else updated),
            )
        )
    return lines


def _error_lines(spec: DatasetSpec, owners: NDArray[np.int64]) -> list[str]:
    """By time; the newest of them a support desk reads first."""
    clock, owner_ids = clock_at(spec.anchor), OwnerIds(spec.seed)
    rows = rows_of_owners(spec, "error", owners, np.full_like(owners, ERRORS_AN_OWNER))
    minute = -1 - rows.draw(0, DAYS_OF_ERRORS * MINUTES_A_DAY)
    order = np.lexsort((rows.index, rows.owner, minute))
    lines = []
    for owner, index, error, at, is_known in zip(
        rows.owner[order].tolist(),
        rows.index[order].tolist(),
        rows.draw(1, len(ERRORS))[order].tolist(),
        minute[order].tolist(),
        (rows.draw(2, 10) > 0)[order].tolist(),
        strict=True,
    ):
        source, message = ERRORS[error]
        row = id_text(spec.seed, "error", owner, index)
        lines.append(
            f"{row}\t{clock.minute(at)}\t{source}\t{message}"
            f"\t{owner_ids[owner] if is_known else NULL}\t{row[:8]}"
        )
    return lines
