"""Webhooks: told what happened, each delivery ended once, received as often as delivered."""

from __future__ import annotations

import json
import urllib.request
from typing import Any, Final

from psycopg import sql

from palier.invariants.looking import (
    EXAMPLES,
    Check,
    Connection,
    NotNow,
    Scene,
    Seen,
    broken_rows,
    number,
)

ATTEMPTS: Final = 3
"""B-47, T-27."""

ASK_LIMIT_S: Final = 10


def _ended_once(connection: Connection, _scene: Scene) -> Seen:
    deliveries = _deliveries(connection)
    broken = sql.SQL(
        """
        SELECT 'delivery ' || d.id || ' is ' || d.status || ' after ' || d.attempts
               || ' attempts, ' || coalesce(a.good, 0) || ' of them successful' AS example
        FROM webhook_deliveries d
        LEFT JOIN (
            SELECT delivery_id, count(*) AS made,
                   count(*) FILTER (WHERE error IS NULL) AS good
            FROM webhook_attempts WHERE delivery_id IS NOT NULL GROUP BY delivery_id
        ) AS a ON a.delivery_id = d.id
        WHERE d.attempts > {most} OR coalesce(a.made, 0) <> d.attempts
           OR NOT CASE d.status
               WHEN 'delivered' THEN a.good = 1 AND d.finished_at IS NOT NULL
               WHEN 'failed' THEN coalesce(a.good, 0) = 0 AND d.finished_at IS NOT NULL
               ELSE coalesce(a.good, 0) = 0 AND d.finished_at IS NULL END
        """
    ).format(most=sql.Literal(ATTEMPTS))
    return Seen(deliveries, *broken_rows(connection, broken))


def _told_of_all(connection: Connection, _scene: Scene) -> Seen:
    _deliveries(connection)
    events = sql.SQL("SELECT count(*) FROM webhook_events")
    broken = sql.SQL(
        """
        SELECT 'event ' || e.id || ' (' || e.type || ') went ' || count(d.id)
               || ' times to endpoint ' || w.id AS example
        FROM webhook_events e
        JOIN webhook_endpoints w ON w.school_group_id = e.school_group_id AND w.is_active
            AND (w.types = '{{}}' OR e.type = ANY (w.types))
        LEFT JOIN webhook_deliveries d
            ON d.event_id = e.id AND d.endpoint_id = w.id AND d.redelivery_of IS NULL
        WHERE e.created_at >= w.updated_at
        GROUP BY e.id, w.id HAVING count(d.id) <> 1
        """
    ).format()
    return Seen(number(connection, events), *broken_rows(connection, broken))


def _received(connection: Connection, scene: Scene) -> Seen:
    _deliveries(connection)
    if scene.receivers is None:
        raise NotNow("not_applicable", "the receivers are not ours to ask")
    states = dict(connection.execute("SELECT id::text, status FROM webhook_deliveries").fetchall())
    # Asked after the database: workers go on meanwhile, so what is not yet delivered there may
    # have come in here, and nothing the other way round.
    taken = {id_: int(told["taken"]) for id_, told in _ask(scene.receivers, "deliveries").items()}
    counts = _ask(scene.receivers, "counts")["hooks"]
    delivered = [id_ for id_, status in states.items() if status == "delivered"]
    wrong = [
        *(f"delivery {id_} is delivered and was not received" for id_ in delivered
          if not taken.get(id_)),
        *(f"delivery {id_} was received {times} times" for id_, times in taken.items()
          if times > 1),
        *(f"delivery {id_} has failed and was received" for id_, status in states.items()
          if status == "failed" and taken.get(id_)),
        *(f"{times:,} requests were refused: {why}" for why, times in counts["refused"].items()),
    ]  # fmt: skip
    if counts["unsigned"]:
        wrong.append(f"{counts['unsigned']:,} requests went to a receiver that cannot verify them")
    return Seen(len(states), len(wrong), tuple(wrong[:EXAMPLES]))


def _deliveries(connection: Connection) -> int:
    found = number(connection, sql.SQL("SELECT count(*) FROM webhook_deliveries"))
    if not found:
        raise NotNow("not_applicable", "this run had nothing to deliver")
    return found


def _ask(address: str, what: str) -> dict[str, Any]:
    try:
        with urllib.request.urlopen(f"{address}/{what}", timeout=ASK_LIMIT_S) as answer:
            told: dict[str, Any] = json.load(answer)
    except (OSError, ValueError) as error:
        raise NotNow("not_checked", f"the receivers could not be asked: {error}") from error
    return told


DELIVERY_CHECKS: Final = (
    Check(
        id="deliveries-ended-once",
        holds_when=f"A delivery ends once: by its only success, or after at most {ATTEMPTS} "
        "attempts",
        how="deliveries joined with the log of attempts",
        look=_ended_once,
    ),
    Check(
        id="events-delivered-to-all",
        holds_when="Each event has one delivery to each endpoint of its group that wants it",
        how="events joined with endpoints and deliveries",
        look=_told_of_all,
    ),
    Check(
        id="received-as-delivered",
        holds_when="What is delivered was received once, signed, and what failed never was",
        how="deliveries of the database beside those of the receivers, who verify signatures",
        look=_received,
    ),
)
