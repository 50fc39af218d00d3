"""Refusals of the limit trigger (schema/310_triggers.sql) as answers."""

from __future__ import annotations

from http import HTTPStatus

import msgspec
import psycopg

from reference_app.plans.rules import Kind, amount, shown
from reference_app.problems import Problem

LIMIT_REACHED = "PL001"
NO_RUNNING_SUBSCRIPTION = "PL002"


class _Reached(msgspec.Struct, frozen=True):
    kind: Kind
    max: int
    used: int


def refusal(error: psycopg.Error) -> Problem | None:
    """The answer to a creation the trigger refused; None for any other error."""
    if error.sqlstate == NO_RUNNING_SUBSCRIPTION:
        return Problem(
            HTTPStatus.FORBIDDEN,
            "no-running-subscription",
            "the group has no subscription, or it is suspended: nothing can be created",
        )
    if error.sqlstate != LIMIT_REACHED:
        return None
    reached = msgspec.json.decode(error.diag.message_detail or "", type=_Reached)
    return Problem(
        HTTPStatus.CONFLICT,
        "limit-reached",
        f"limit reached: {amount(reached.kind, reached.max)}",
        extra={
            "kind": reached.kind,
            "used": shown(reached.kind, reached.used),
            "limit": shown(reached.kind, reached.max),
        },
    )
