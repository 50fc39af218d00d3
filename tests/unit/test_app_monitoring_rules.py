"""When alerts open and close, from what was seen."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reference_app.monitoring.health import Component, Health, Worker, verdict
from reference_app.monitoring.rules import Rule, Seen, broken_since, is_over, openings
from reference_app.monitoring.settings import read_monitoring_settings
from reference_app.settings import SettingsError

NOON = datetime(2026, 11, 27, 12, tzinfo=UTC)
SLOW = Rule(slug="slow", title="Slow", metric="ms", comparator=">", threshold=100, for_s=300)


def history(*values: float | None) -> list[Seen]:
    """A look a minute, the last value now; None: the figure was not known. Newest first."""
    found = [
        Seen(NOON + timedelta(minutes=number), {} if value is None else {"ms": value})
        for number, value in enumerate(values)
    ]
    return found[::-1]


def opened(*values: float | None, rule: Rule = SLOW, is_open: bool = False) -> list[float]:
    return [each.value for each in openings([rule], history(*values), lambda _: is_open)]


@pytest.mark.covers("B-60")
def test_an_alert_opens_when_the_rule_was_broken_long_enough() -> None:
    assert opened(101, 102, 103, 104, 105) == []
    assert opened(101, 102, 103, 104, 105, 106) == [106]
    assert opened(101, 102, 99, 104, 105, 106) == []
    assert opened(101, 102, 103, 104, 105, 106, is_open=True) == []


def test_a_look_that_did_not_know_the_figure_neither_opens_closes_nor_starts_again() -> None:
    assert opened(101, 102, None, None, 105, 106) == [106]
    assert opened(101, 102, 103, 104, 105, None) == []
    assert not is_over("slow", {"slow": SLOW}, {})


@pytest.mark.parametrize(
    ("comparator", "broken"),
    [(">", [101]), (">=", [100, 101]), ("<", [99]), ("<=", [99, 100])],
)
def test_a_figure_is_held_against_its_threshold(comparator: str, broken: list[int]) -> None:
    rule = Rule(slug="r", title="", metric="ms", comparator=comparator, threshold=100)  # type: ignore[arg-type]

    assert [value for value in (99, 100, 101) if rule.is_broken({"ms": value})] == broken


def test_an_alert_closes_when_its_rule_holds_again_or_is_gone() -> None:
    assert not is_over("slow", {"slow": SLOW}, {"ms": 101})
    assert is_over("slow", {"slow": SLOW}, {"ms": 100})
    assert is_over("slow", {}, {"ms": 101})


@given(st.lists(st.one_of(st.none(), st.integers(90, 110)), min_size=1, max_size=30))
def test_a_rule_is_broken_since_the_first_of_the_looks_that_all_broke_it(
    values: list[int | None],
) -> None:
    found = broken_since(SLOW, history(*values))

    known = [(n, value) for n, value in enumerate(values) if value is not None]
    holding = [n for n, value in known if value <= 100]
    after = [n for n, _ in known if n > (holding[-1] if holding else -1)]
    if values[-1] is None or not after:
        assert found is None
    else:
        assert found == NOON + timedelta(minutes=after[0])


def test_the_service_is_down_without_its_database_and_degraded_without_anything_else() -> None:
    def service(**statuses: str) -> str:
        return verdict(Component(name, status) for name, status in statuses.items())  # type: ignore[arg-type]

    assert service(database="ok", redis="ok") == "ok"
    assert service(database="ok", redis="down") == "degraded"
    assert service(database="down", redis="ok") == "down"


def test_figures_of_all_components_and_workers_are_one_table() -> None:
    health = Health(
        "ok",
        NOON,
        [Component("a", "ok", figures={"x": 1.0}), Component("b", "ok", figures={"y": 2.0})],
        [Worker("bulk worker", 3, None)],
    )

    assert health.figures() == {"x": 1.0, "y": 2.0, "bulk_worker_connections": 3.0}


@pytest.mark.covers("B-211")
def test_monitoring_is_on_unless_it_is_switched_off() -> None:
    url = {"APP_DATABASE_URL": "postgresql://w@h/d"}

    assert read_monitoring_settings(url).is_enabled
    assert read_monitoring_settings({**url, "MONITORING_ENABLED": "True"}).is_enabled
    assert not read_monitoring_settings({**url, "MONITORING_ENABLED": "false"}).is_enabled


def test_settings_that_cannot_be_are_named_all_at_once() -> None:
    wrong = {
        "MONITORING_ENABLED": "perhaps",
        "APP_ALERT_WEBHOOK_URL": "https://hooks.example/x",
        "WEBHOOK_SECRET": "short",
        "APP_WEBHOOK_BACKOFF_S": "2,x",
        "APP_MONITORED_URL": "file:///etc",
    }

    with pytest.raises(SettingsError) as error:
        read_monitoring_settings(wrong)

    assert len(error.value.problems) == 5
    for name in ("APP_DATABASE_URL", *wrong):
        assert (name in str(error.value)) == (name != "APP_ALERT_WEBHOOK_URL")
