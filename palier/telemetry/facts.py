"""From samples to facts: pure."""

from __future__ import annotations

import statistics
from collections.abc import Iterable, Sequence

from palier.analysis.facts import Fact
from palier.telemetry.database import FinalState
from palier.telemetry.samples import Sample

CALLS_MIN = 10
"""A statement that ran less often has no mean worth the name."""

_QUERY_SHOWN = 100


def facts_of(
    samples: Iterable[Sample],
    final: FinalState | None,
    *,
    from_s: float,
    to_s: float,
    system_cores: int,
) -> tuple[Fact, ...]:
    """What the telemetry says in single numbers; what was not observed is left out.

    Args:
        samples: Of the whole run.
        final: State of the database at the end; None when it was not observed.
        from_s: Start of the window that counts, in seconds from ``t0``.
        to_s: Its end.
        system_cores: Cores the database may use.
    """
    inside = [sample for sample in samples if from_s < sample.at_s <= to_s]
    facts = [
        *_connections(_values(inside, "database", "connections")),
        *_database_cpu(_values(inside, "postgres", "cpu_cores"), system_cores),
        *_memory(_values(inside, "machine", "memory_used_ratio")),
    ]
    if final is not None:
        facts.append(
            Fact(
                name="database_size",
                value=float(final.size_bytes),
                unit="bytes",
                how="pg_database_size at the end of the run",
            )
        )
        facts.append(
            Fact(
                name="tier1_index_count",
                value=float(final.tier1_indexes),
                unit="indexes",
                how="names of docs/requirements/indexes.md, section 3, found in pg_indexes",
            )
        )
        facts.extend(_slowest_statement(final))
    return tuple(facts)


def _values(samples: Sequence[Sample], source: str, name: str) -> list[float]:
    return [found.value for found in samples if (found.source, found.name) == (source, name)]


def _connections(values: Sequence[float]) -> Iterable[Fact]:
    if values:
        yield Fact(
            name="database_connections_peak",
            value=max(values),
            unit="connections",
            how=f"most in pg_stat_activity, {len(values)} looks a second apart, without our own",
        )


def _database_cpu(values: Sequence[float], cores: int) -> Iterable[Fact]:
    if values and cores > 0:
        yield Fact(
            name="database_cpu",
            value=statistics.fmean(values) / cores,
            unit="ratio",
            how=f"mean of PostgreSQL's processes, of the {cores} core(s) the system may use",
        )


def _memory(values: Sequence[float]) -> Iterable[Fact]:
    if values:
        yield Fact(
            name="memory_used",
            value=max(values),
            unit="ratio",
            how="highest share of the machine's memory that was not available to new programs",
        )


def _slowest_statement(final: FinalState) -> Iterable[Fact]:
    often = [found for found in final.statements or () if found.calls >= CALLS_MIN]
    if often:
        slowest = max(often, key=lambda found: found.mean_ms)
        query = " ".join(slowest.query.split())
        shown = query if len(query) <= _QUERY_SHOWN else query[: _QUERY_SHOWN - 1] + "…"
        yield Fact(
            name="slowest_statement_mean",
            value=slowest.mean_ms,
            unit="ms",
            how=f"pg_stat_statements, {slowest.calls} calls of: {shown}",
        )
