"""Work on the machine that is none of a run's own, as the run's telemetry saw it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import pandas as pd

WORTH_SAYING: Final = 0.15
"""Of the machine's cores, in the report of a run: a quiet system needs less for itself."""

NO_EVIDENCE: Final = 0.05
"""Of the machine's cores, in a search: near the capacity the system lacks all that others take, and
with two cores of which one is the generator's that is twice this share of what it has."""


@dataclass(frozen=True, slots=True)
class OtherWork:
    """Attributes:
    used_cores: What it used on average.
    cores: What the machine has.
    """

    used_cores: float
    cores: float

    def is_above(self, share: float) -> bool:
        """Whether it used more than a share of the machine."""
        return self.used_cores > share * self.cores

    def __str__(self) -> str:
        return f"{self.used_cores:.2f} of {self.cores:.0f} cores of the machine"


def other_work(telemetry: pd.DataFrame, *, from_s: float, to_s: float) -> OtherWork | None:
    """The work of others in (from_s, to_s]; None where it cannot be told from the system's.

    Args:
        telemetry: Samples of a run: columns at_s, source, name and value.
        from_s: Seconds from the start of the run.
        to_s: The same.
    """
    if telemetry.empty:
        return None
    source, name = telemetry["source"].astype(str), telemetry["name"].astype(str)
    inside = (telemetry["at_s"] > from_s) & (telemetry["at_s"] <= to_s)
    used = telemetry.loc[inside & (source == "others") & (name == "cpu_cores"), "value"]
    cores = telemetry.loc[(source == "machine") & (name == "cores"), "value"]
    if used.empty or cores.empty:
        return None
    return OtherWork(float(used.mean()), float(cores.iloc[0]))
