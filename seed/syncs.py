"""What the calendar synchronisation left behind: its log and its last finished tasks.

Nothing waits in the queue: a task that a worker may take would be work of the load, not data.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from seed.clock import clock_at
from seed.gites import SYNC_PERIOD_MINUTES, Gites
from seed.ids import GiteIds, OwnerIds, id_text
from seed.owners import MINUTES_A_DAY
from seed.phrases import FEED_ERRORS
from seed.rows import Rows, rows_of_gites
from seed.spec import DatasetSpec
from seed.tables import NULL, SYNC_LOGS, SYNC_QUEUE, Lines

LOGS_A_FEED = 12
TASKS_A_FEED = 2
"""The two latest readings are one period apart, and their tasks are still there."""

DAYS_A_LOG = 45
"""Before that the log keeps one reading of each such span: a year and a quarter in all, so that the
clean-up's year (B-162) lies inside."""

PERCENT_FAILED = 5
"""Of the readings whose task is gone: what is left in the queue went well, at the first try."""

LEAST_MS, MOST_MS = 180, 4_000
QUEUED_MINUTES = 10
"""A task waits at most this long before a worker takes it."""


def log_counts(gites: Gites) -> NDArray[np.int64]:
    """Readings in the log, of each gîte."""
    return LOGS_A_FEED * gites.has_feed


def task_counts(gites: Gites) -> NDArray[np.int64]:
    """Finished tasks in the queue, of each gîte."""
    return TASKS_A_FEED * gites.has_feed


def sync_lines(spec: DatasetSpec, gites: Gites) -> Lines:
    """The log and the finished tasks of these gîtes, by time."""
    rows = rows_of_gites(spec, "sync", gites, log_counts(gites), most=LOGS_A_FEED)
    # The latest reading is the one the gîte remembers.
    span = rows.place - TASKS_A_FEED
    synced = np.where(
        span < 0,
        gites.synced_minute[rows.parent] - rows.place * SYNC_PERIOD_MINUTES,
        -(span * DAYS_A_LOG + 1) * MINUTES_A_DAY - rows.draw(0, DAYS_A_LOG * MINUTES_A_DAY),
    )
    order = np.lexsort((rows.index, rows.owner, synced))
    rows, synced = rows.take(order), synced[order]
    failed = (rows.place >= TASKS_A_FEED) & (rows.draw(1, 100) < PERCENT_FAILED)
    is_task = rows.place < TASKS_A_FEED
    return {
        SYNC_QUEUE: _task_lines(spec, gites, rows.take(is_task), synced[is_task]),
        SYNC_LOGS: _log_lines(spec, gites, rows, synced, failed),
    }


def _task_lines(
    spec: DatasetSpec, gites: Gites, rows: Rows, synced: NDArray[np.int64]
) -> list[str]:
    clock, seed = clock_at(spec.anchor), spec.seed
    owner_ids, gite_ids = OwnerIds(seed), GiteIds(seed)
    lines = []
    for owner, index, gite, ended, waited in zip(
        rows.owner.tolist(),
        rows.index.tolist(),
        gites.index[rows.parent].tolist(),
        synced.tolist(),
        rows.draw(2, QUEUED_MINUTES).tolist(),
        strict=True,
    ):
        queued, end = clock.minute(ended - waited), clock.minute(ended)
        lines.append(
            f"{id_text(seed, 'sync_task', owner, index)}\t{owner_ids[owner]}"
            f"\t{gite_ids[owner, gite]}\t2\tcompleted\t0\t{queued}\t{queued}\t{end}"
            f"\t{NULL}\t{NULL}\t{end}\t{NULL}\t{NULL}\t{NULL}"
        )
    return lines


def _log_lines(
    spec: DatasetSpec,
    gites: Gites,
    rows: Rows,
    synced: NDArray[np.int64],
    failed: NDArray[np.bool_],
) -> list[str]:
    clock, seed = clock_at(spec.anchor), spec.seed
    owner_ids, gite_ids = OwnerIds(seed), GiteIds(seed)
    lines = []
    for owner, index, gite, minute, is_failed, error, added, updated, removed, took in zip(
        rows.owner.tolist(),
        rows.index.tolist(),
        gites.index[rows.parent].tolist(),
        synced.tolist(),
        failed.tolist(),
        rows.draw(3, len(FEED_ERRORS)).tolist(),
        rows.draw(4, 4).tolist(),
        rows.draw(5, 3).tolist(),
        rows.draw(6, 2).tolist(),
        rows.draw(7, MOST_MS - LEAST_MS).tolist(),
        strict=True,
    ):
        result = (
            f"failed\t0\t0\t0\t0\t{LEAST_MS + took}\t{FEED_ERRORS[error]}"
            if is_failed
            else f"success\t{added}\t{updated}\t{removed}\t0\t{LEAST_MS + took}\t{NULL}"
        )
        lines.append(
            f"{id_text(seed, 'sync_log', owner, index)}\t{id_text(seed, 'sync_task', owner, index)}"
            f"\t{owner_ids[owner]}\t{gite_ids[owner, gite]}\t{result}\t{clock.minute(minute)}"
        )
    return lines
