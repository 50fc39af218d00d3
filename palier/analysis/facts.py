"""Facts: single numbers measured outside the load, such as rows on a page or a database's size.

They have no sampling error, so a target is compared with them directly.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from palier.model.jsonvalue import Jsonable, from_jsonable, to_jsonable
from palier.model.tier import Plan

OBSERVATIONS_SCHEMA = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Fact:
    """One observed number.

    Attributes:
        name: ``"database_size"``; see ``palier.analysis.metrics`` for the names it reads.
        value: The number, in ``unit``.
        unit: A unit of ``palier.analysis.units``.
        how: How it was observed, for the reader.
    """

    name: str
    value: float
    unit: str
    how: str


def facts_by_name(facts: Iterable[Fact]) -> Mapping[str, Fact]:
    """Facts by name; of two with one name the later observation counts."""
    return {fact.name: fact for fact in facts}


def observations_as_json(facts: Iterable[Fact]) -> dict[str, Jsonable]:
    """The document of ``observations.json``."""
    return {"schema": OBSERVATIONS_SCHEMA, "facts": [to_jsonable(fact) for fact in facts]}


@dataclass(frozen=True, slots=True, kw_only=True)
class _Observations:
    facts: tuple[Fact, ...]


def observations_from_json(document: object, *, where: str) -> tuple[Fact, ...]:
    """The facts of ``observations.json``.

    Raises:
        RunFilesError: Not such a document.
    """
    return from_jsonable(_Observations, document, where=where).facts


def plan_limit_facts(plan: Plan) -> tuple[Fact, ...]:
    """Limits of a provider's plan as facts ``limit_<name>``, for the "share of plan" metrics.

    A limit's name ends in its unit, as every key of ``tiers.yaml`` does; see ``_LIMITS``.
    """
    return tuple(
        Fact(
            name=_LIMITS[name][0],
            value=value,
            unit=_LIMITS[name][1],
            how=f"limit of plan {plan.title}, source {plan.source}",
        )
        for name, value in plan.limits
        if name in _LIMITS
    )


_LIMITS: Mapping[str, tuple[str, str]] = {
    "storage_mb": ("limit_database_size", "MB"),
    "storage_gb": ("limit_database_size", "GB"),
    "database_size_mb": ("limit_database_size", "MB"),
    "database_size_gb": ("limit_database_size", "GB"),
    "connections": ("limit_database_connections", "connections"),
    "database_connections": ("limit_database_connections", "connections"),
    "requests_per_month": ("limit_monthly_requests", "requests/month"),
    "monthly_requests": ("limit_monthly_requests", "requests/month"),
}
"""Limit of a plan: the fact it becomes and its unit."""
