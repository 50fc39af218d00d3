"""Work of others on the machine: how much, when, and whether it can be told at all."""

from __future__ import annotations

import pandas as pd

from palier.analysis.other_work import other_work


def telemetry(*others: tuple[float, float], cores: float = 2.0) -> pd.DataFrame:
    """Samples at instants in seconds, of cores used."""
    rows = [(0.0, "machine", "cores", cores)]
    rows += [(at_s, "others", "cpu_cores", used) for at_s, used in others]
    rows += [(at_s, "app", "cpu_cores", 0.9) for at_s, _ in others]
    return pd.DataFrame(rows, columns=["at_s", "source", "name", "value"])


def test_the_work_of_others_is_their_mean_within_the_span() -> None:
    seen = telemetry((1, 2.0), (2, 0.3), (3, 0.5), (4, 2.0))
    work = other_work(seen, from_s=1, to_s=3)
    assert work is not None
    assert (work.used_cores, work.cores) == (0.4, 2.0)
    assert str(work) == "0.40 of 2 cores of the machine"


def test_it_is_compared_with_a_share_of_all_cores() -> None:
    for used, cores, is_above in ((0.09, 2, False), (0.11, 2, True), (0.11, 8, False)):
        work = other_work(telemetry((1, used), cores=cores), from_s=0, to_s=1)
        assert work is not None
        assert work.is_above(0.05) == is_above


def test_beside_a_service_that_is_not_ours_nothing_can_be_told() -> None:
    assert other_work(telemetry(), from_s=0, to_s=1) is None
    assert other_work(pd.DataFrame(), from_s=0, to_s=1) is None
