"""Durations and switches as typed on the command line."""

from __future__ import annotations

import pytest

from palier.errors import ConfigError
from palier.model.duration import parse_duration
from palier.model.variant import Variant, override


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("60s", 60.0),
        ("2m", 120.0),
        ("2min", 120.0),
        ("1h", 3600.0),
        ("500ms", 0.5),
        ("1h30m", 5400.0),
        (" 1.5h ", 5400.0),
    ],
)
def test_a_duration_is_a_number_with_its_unit(text: str, seconds: float) -> None:
    assert parse_duration(text) == pytest.approx(seconds)


@pytest.mark.parametrize("text", ["", "s", "-5s", "0s", "60", "5 s x", "1d", "1e3s", "½h", "९s"])
def test_anything_else_is_refused_with_an_example(text: str) -> None:
    with pytest.raises(ConfigError, match="not a length of time") as caught:
        parse_duration(text)
    assert "s" in caught.value.fix


def test_a_bare_number_is_answered_with_the_number_in_seconds() -> None:
    with pytest.raises(ConfigError) as caught:
        parse_duration("60")
    assert caught.value.fix == "write 60s for seconds"


def test_switches_are_set_in_the_order_given_and_the_rest_is_kept() -> None:
    start = Variant(indexes="tier1", pagination="offset")
    changed = override(start, ["cache=redis", "cache=memory", "compression=true"])
    assert changed == Variant(
        indexes="tier1", pagination="offset", cache="memory", compression=True
    )
    assert override(start, []) == start


@pytest.mark.parametrize(
    ("setting", "fix"),
    [
        ("cache", "write e.g. cache=memory"),
        ("cahce=redis", "did you mean 'cache'?"),
        ("cache=rediss", "use one of: none, memory, redis"),
        ("compression=yes", "use one of: true, false"),
    ],
)
def test_a_wrong_switch_is_answered_with_what_is_allowed(setting: str, fix: str) -> None:
    with pytest.raises(ConfigError) as caught:
        override(Variant(), [setting])
    assert caught.value.fix == fix
    assert setting in caught.value.where
