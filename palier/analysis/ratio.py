"""The error ratio: the share of planned requests that did not get the right answer.

``errors = failed + timed out + abandoned + skipped``, where skips are those charged to the system
(no free session, end of run) and the steps that could not follow an earlier error
(session aborted): in each case somebody wanted an answer and did not get one. Steps that were not
sent because the run was interrupted, or because the user of a closed load was still waiting, are
in neither number.
"""

from __future__ import annotations

from typing import Final

import numpy as np
import pandas as pd
from scipy.special import betaincinv

from palier.analysis.dependence import CONFIDENCE, design_effect
from palier.analysis.findings import Estimate

OWN_ERRORS: Final = (
    "failed",
    "timed_out",
    "abandoned",
    "skipped_no_free_session",
    "skipped_end_of_run",
)
"""Errors that happened by themselves, as ledger columns."""

FOLLOWING_ERRORS: Final = ("skipped_session_aborted",)
"""Errors that only follow from an earlier one of the same session."""

STOPPED: Final = ("skipped_interrupted", "skipped_aborted")
"""Steps that were not sent because the run had been stopped, by people or by an abort rule."""

UNKNOWN: Final = ("skipped_worker_lost",)
"""Steps of which nobody knows whether they were sent, because their loader was lost."""

NOT_CHARGED: Final = (*STOPPED, *UNKNOWN, "skipped_user_busy")
"""Nobody is known to have wanted an answer and not got it: the run had been stopped, the loader
was lost, or the user of a closed load, still waiting for other answers, never came to ask."""

_TAIL: Final = (1 - CONFIDENCE) / 2


def error_ratio(ledger: pd.DataFrame) -> Estimate:
    """Error ratio in [0, 1] with its 95 % interval (Clopper-Pearson).

    The two limits answer two questions, and each is the careful answer to its own:

    * ``low`` is about this window. An error that happened is no sample of something else, so
      every planned request counts; but only errors that happened by themselves do, because one
      failed sign-in that keeps four further steps from being sent is one event, not five.
    * ``high`` is about other windows. Errors come in bursts, so the sample size is the effective
      one (``palier.analysis.dependence``), and following errors count.

    Args:
        ledger: Rows of the judged window: second and the counts of the ledger.

    Source: Clopper and Pearson (1934), Biometrika 26(4), 404-413; with an effective sample size:
        Korn and Graubard (1998), Survey Methodology 24(2), 193-201.
    """
    charged = _column(ledger, "planned") - _columns(ledger, NOT_CHARGED)
    planned = int(charged.sum())
    if planned == 0:
        return Estimate(
            value=None, low=None, high=None, samples=0, refused="no request was planned"
        )
    own = _columns(ledger, OWN_ERRORS)
    errors = own + _columns(ledger, FOLLOWING_ERRORS)
    effective = planned / design_effect(*_per_second(ledger, errors, charged))
    ratio = int(errors.sum()) / planned
    return Estimate(
        value=ratio,
        low=lower_limit(float(own.sum()), planned),
        high=upper_limit(ratio * effective, effective),
        samples=planned,
        effective=effective,
    )


def lower_limit(hits: float, n: float) -> float:
    """Lower 97.5 % limit of a proportion; 0 for no hits."""
    return 0.0 if hits <= 0 else float(betaincinv(hits, n - hits + 1, _TAIL))


def upper_limit(hits: float, n: float) -> float:
    """Upper 97.5 % limit of a proportion; 1 when every one is a hit."""
    return 1.0 if hits >= n else float(betaincinv(hits + 1, n - hits, 1 - _TAIL))


def _per_second(
    ledger: pd.DataFrame, errors: np.ndarray, planned: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Errors and planned requests of every second from the first to the last."""
    second = ledger["second"].to_numpy(np.int64)
    offset = second - second.min()
    length = int(offset.max()) + 1
    return (
        np.bincount(offset, weights=errors, minlength=length).astype(np.int64),
        np.bincount(offset, weights=planned, minlength=length).astype(np.int64),
    )


def _columns(ledger: pd.DataFrame, names: tuple[str, ...]) -> np.ndarray:
    total = np.zeros(len(ledger), dtype=np.int64)
    for name in names:
        total = total + _column(ledger, name)
    return total


def _column(ledger: pd.DataFrame, name: str) -> np.ndarray:
    return ledger[name].to_numpy(np.int64)
