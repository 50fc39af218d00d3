"""The metrics a run can measure, with the units a target may state them in."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Metric:
    """A measured number that a target can name.

    Attributes:
        name: As written in tiers.yaml.
        units: Units a limit on it may have.
        meaning: One line for people.
        by_percentile: True when a target must say which percentile it means.
        by_operation: True when a target may be about one operation only.
        used_up_by_load: False for what the design sets and load does not move, such as the rows of
            a page: how far it is from its limit is no headroom.
    """

    name: str
    units: tuple[str, ...]
    meaning: str
    by_percentile: bool = False
    by_operation: bool = False
    used_up_by_load: bool = True


_ALL = (
    Metric(
        name="response_time",
        units=("ms", "s"),
        meaning="intended start to last byte, at a percentile",
        by_percentile=True,
        by_operation=True,
    ),
    Metric(
        name="response_time_max",
        units=("ms", "s"),
        meaning="the slowest response: every request must stay within the limit",
        by_operation=True,
    ),
    Metric(
        name="error_ratio",
        units=("%",),
        meaning="failed, timed out, abandoned and skipped requests, of those planned",
        by_operation=True,
    ),
    Metric(
        name="throughput",
        units=("requests/s", "requests/min"),
        meaning="requests that succeeded, over the planned window",
        by_operation=True,
    ),
    Metric(
        name="offered_users_at_once",
        units=("users",),
        meaning="users active at once that the offered load stands for",
        used_up_by_load=False,
    ),
    Metric(
        name="users",
        units=("users",),
        meaning="registered users in the data",
        used_up_by_load=False,
    ),
    Metric(name="units", units=("gîtes",), meaning="gîtes in the data", used_up_by_load=False),
    Metric(
        name="tenants",
        units=("tenants",),
        meaning="school groups in the data",
        used_up_by_load=False,
    ),
    Metric(
        name="module_assignments",
        units=("rows",),
        meaning="modules assigned to schools in the data",
        used_up_by_load=False,
    ),
    Metric(
        name="bulk_operation_max",
        units=("s", "ms"),
        meaning="longest bulk operation of the run, from the request to the last row",
    ),
    Metric(
        name="webhook_attempts_max",
        units=("attempts",),
        meaning="most attempts of any delivery of a webhook",
        used_up_by_load=False,
    ),
    Metric(
        name="events_projected",
        units=("events/month",),
        meaning="events of the run (plan changes, notices, webhooks), kept up for 30 days",
        used_up_by_load=False,
    ),
    Metric(
        name="page_rows_max",
        units=("rows",),
        meaning="most rows any list page carried",
        used_up_by_load=False,
    ),
    Metric(
        name="second_load_hit",
        units=("-",),
        meaning="second loads of one page that came from the cache, as a share: 1 is every one",
        used_up_by_load=False,
    ),
    Metric(
        name="sync_retries_max",
        units=("retries",),
        meaning="most retries of any task of synchronisation that this run queued",
        used_up_by_load=False,
    ),
    Metric(
        name="plan_change_propagation_p99",
        units=("ms", "s"),
        meaning="from the commit of a plan change to its receipt by a listener, 99th percentile",
    ),
    Metric(
        name="notification_bytes_max",
        units=("B", "KB"),
        meaning="the largest message that told a listener of a plan change",
        used_up_by_load=False,
    ),
    Metric(
        name="tier1_index_count",
        units=("indexes",),
        meaning="indexes of the tier 1 set",
        used_up_by_load=False,
    ),
    Metric(name="database_size", units=("MB", "GB"), meaning="size of the database"),
    Metric(
        name="database_size_of_plan",
        units=("%",),
        meaning="size of the database, of the storage of the tier's plan",
    ),
    Metric(
        name="database_connections_peak",
        units=("connections",),
        meaning="most connections to the database at once",
    ),
    Metric(
        name="database_connections_of_plan",
        units=("%",),
        meaning="most connections at once, of those the tier's plan allows",
    ),
    Metric(
        name="monthly_requests_projected",
        units=("requests/month",),
        meaning="the offered rate kept up as a mean for 30 days (X-33)",
    ),
    Metric(
        name="monthly_requests_of_plan",
        units=("%",),
        meaning="projected monthly requests, of those the tier's plan allows",
    ),
    Metric(name="database_cpu", units=("%",), meaning="CPU of the database, of its cores"),
    Metric(name="memory_used", units=("%",), meaning="memory used, of what there is"),
    Metric(
        name="slowest_statement_mean",
        units=("ms",),
        meaning="mean time of the SQL statement with the highest mean",
    ),
)

METRICS: dict[str, Metric] = {metric.name: metric for metric in _ALL}
