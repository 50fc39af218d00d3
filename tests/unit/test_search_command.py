"""What `palier search` refuses, before anything is made or started."""

from __future__ import annotations

from pathlib import Path

import pytest

from palier.cli import main

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
