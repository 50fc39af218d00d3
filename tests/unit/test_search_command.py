"""What `palier search` refuses, before anything is made or started."""

from __future__ import annotations

from pathlib import Path

import pytest

from palier.capacity.evidence import Gate, Stretch, Tally
from palier.capacity.log import SearchLog
from palier.capacity.rules import Rules
from palier.capacity.search import measured
from palier.cli import main
from palier.searchfiles import SearchFiles
from palier.selftest.trial import trial_plan

USAGE = 2

TIERS = Path(__file__).parents[2] / "tiers.yaml"


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ((), "no tier named"),
        (("lou-2", "--width", "0"), "is not a width"),
        (("lou-2", "--start", "many"), "is not a rate"),
        (("lou-2", "--start", "50", "--most", "20"), "is not between"),
        (("lou-2", "--profile", "L-02"), "is a closed load"),
        (("lou-2", "--profile", "ramp"), "moves its rate"),
        (("--resume", "nowhere"), "not the directory of a search"),
        (("--resume", "nowhere", "--width", "5%"), "width cannot be given again"),
    ],
)
def test_what_cannot_be_searched_is_told_and_nothing_is_made(
    words: tuple[str, ...],
    said: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    code = main(["search", *words, "--tiers", str(TIERS)])
    assert code == USAGE
    assert said in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


def test_a_search_is_given_more_time_and_not_less_than_it_has_taken(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    gate = Gate(id="late", allowed=0.05)
    rules = Rules(gates=(gate,), start_per_s=10, lowest_per_s=1, highest_per_s=100, longest_s=60)
    all_missed = Stretch(tallies={"late": Tally(planned=(10,) * 16, missed=(10,) * 16)}, run="01")
    log = measured(SearchLog(rules=rules), all_missed)
    files = SearchFiles(tmp_path)
    files.as_run.write_plan(trial_plan(rate_per_s=10, duration_s=60))
    files.write_log(log)

    code = main(["search", "--resume", str(tmp_path), "--longest", "20s"])

    assert log.loaded_s == 21
    assert code == USAGE
    assert "under load for 21 s already, so 20s leaves it no time" in capsys.readouterr().err
    assert files.read_log() == log
