"""Abort rules in tiers.yaml: where they stand, what they say, and what is wrong with them."""

from __future__ import annotations

import pytest

from palier.cli import build_parser
from palier.commands.planning import plan_of
from palier.commands.show import shown
from palier.errors import ConfigError
from palier.model.parse import parse_catalogue
from palier.model.plan import RunPlan
from palier.model.plan_json import plan_as_json, plan_from_json

FILE = """\
systems:
  shop:
    scenario: locustfile.py
    journeys:
      browse: {title: Look, steps: [{operation: home}, {operation: list, think_s: 3}]}
    aborts:
      errors: {metric: error_ratio, limit: 50, unit: "%", over_s: 15}
      slow: {metric: response_time, percentile: 0.95, limit: 500, unit: ms, over_s: 10, for_s: 30}
    tiers:
      small: {url: "http://127.0.0.1:8000", load: {users: 500}}
      big:
        url: "http://127.0.0.1:8000"
        load: {users: 5000}
        aborts:
          slow: {metric: response_time, percentile: 0.95, limit: 2, unit: s, over_s: 10}
profiles:
  hard:
    title: Hard
    duration_s: 60
    aborts:
      errors: {title: Half is wrong, metric: error_ratio, operation: list, limit: 5, unit: "%",
               over_s: 20, after_s: 30}
"""


def plan(tier: str, *options: str, text: str = FILE) -> RunPlan:
    return plan_of(
        parse_catalogue(text, "my.yaml"), build_parser().parse_args(["show", tier, *options])
    )


def states(plan: RunPlan) -> dict[str, str]:
    return {rule.id: rule.state for rule in plan.aborts}


def problem(old: str, new: str) -> str:
    assert FILE.count(old) == 1
    with pytest.raises(ConfigError) as caught:
        parse_catalogue(FILE.replace(old, new), "my.yaml")
    return str(caught.value)


def test_rules_of_the_system_hold_in_its_tiers() -> None:
    assert states(plan("small")) == {
        "errors": "errors over 15 s > 50 %",
        "slow": "p95 over 10 s > 500 ms for 30 s",
    }


def test_a_rule_of_a_tier_replaces_that_of_its_system_and_one_of_a_profile_both() -> None:
    assert states(plan("big"))["slow"] == "p95 over 10 s > 2 s"
    assert states(plan("big", "--profile", "hard")) == {
        "errors": "errors of list over 20 s > 5 %",
        "slow": "p95 over 10 s > 2 s",
    }


def test_no_abort_leaves_them_out_and_show_says_so() -> None:
    without = plan("small", "--no-abort", "--duration", "20s")
    assert without.aborts == ()
    assert "aborts    switched off" in shown(without)


def test_show_names_each_rule_with_the_moment_from_which_it_is_judged() -> None:
    text = shown(plan("big", "--profile", "hard"))
    assert "errors: Half is wrong: errors of list over 20 s > 5 %, from 30 s on" in text
    assert "slow: p95 over 10 s > 2 s, from 5 s on" in text


def test_a_plan_keeps_its_rules_in_plan_json() -> None:
    once = plan("big", "--profile", "hard")
    assert plan_from_json(plan_as_json(once)) == once


@pytest.mark.parametrize(
    ("old", "new", "where", "told"),
    [
        ("unit: ms, over_s", "unit: \"%\", over_s", ":8:", "use ms or s"),
        ("percentile: 0.95, limit: 500", "limit: 500", ":8:", "add percentile: 0.95"),
        ("metric: error_ratio, limit: 50", "metric: eror_ratio, limit: 50", ":7:", "error_ratio"),
        ("limit: 50, unit", "limit: 100, unit", ":7:", "100 % cannot be exceeded"),
        ("unit: \"%\", over_s: 15", "unit: \"%\", over_s: 1", ":7:", "of 2 or more"),
        ("unit: \"%\", over_s: 15", "unit: \"%\"", ":7:", "add over_s"),
        ("operation: list, limit", "operation: lost, limit", ":21:70", "did you mean 'list'"),
    ],
)  # fmt: skip
def test_a_mistake_is_told_at_its_place_with_its_fix(
    old: str, new: str, where: str, told: str
) -> None:
    text = problem(old, new)
    assert where in text
    assert told in text
