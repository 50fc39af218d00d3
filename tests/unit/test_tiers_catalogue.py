"""tiers.yaml holds everything the requirements state, and nothing that they do not."""

from __future__ import annotations

import ast
import json
import re
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import fields
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from palier.analysis import metrics as analysis_metrics
from palier.analysis.units import convert
from palier.model.catalogue import Catalogue
from palier.model.jsonschema import main as write_schema
from palier.model.jsonschema import schema_text
from palier.model.metric import METRICS
from palier.model.parse import load_catalogue
from palier.model.target import Target
from palier.model.tier import Tier

ROOT = Path(__file__).parents[2]
TIERS = ROOT / "tiers.yaml"
REQUIREMENTS = ROOT / "docs" / "requirements"

TIER_IDS = (
    *(f"lou-{n}" for n in range(11)),
    *(f"lou-ov-{n}" for n in range(8)),
    *(f"lou70-{n}" for n in range(6)),
    "ep-1",
    "ep-2",
    *(f"ep-p{n}" for n in range(1, 5)),
    *(f"ff-{n}" for n in range(1, 5)),
)


def operations_of_the_scenario() -> set[str]:
    """Read, not imported: importing it patches the standard library."""
    return {
        method.name
        for path in (ROOT / "scenarios" / "lou").glob("*.py")
        for method in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(method, ast.FunctionDef)
        and any("operation" in ast.unparse(mark) for mark in method.decorator_list)
    }


@cache
def catalogue() -> Catalogue:
    return load_catalogue(TIERS)


@cache
def written() -> dict[str, Any]:
    document: dict[str, Any] = yaml.safe_load(TIERS.read_text(encoding="utf-8"))
    return document


def targets_written() -> Iterator[tuple[str, Mapping[str, Any]]]:
    for system in written()["systems"].values():
        yield from system["targets"].items()
        for tier in system["tiers"].values():
            yield from tier.get("targets", {}).items()


def every_target() -> dict[str, Target]:
    return {target.id: target for tier in catalogue().tiers() for target in tier.targets}


@cache
def rows() -> dict[str, dict[str, str]]:
    """Rows T-nnn of docs/requirements/targets.md, cells by column name."""
    found: dict[str, dict[str, str]] = {}
    header: list[str] = []
    for line in (REQUIREMENTS / "targets.md").read_text(encoding="utf-8").splitlines():
        cells = [cell.strip() for cell in line.strip().strip("|").split("|")]
        if not line.startswith("|"):
            header = []
        elif not header:
            header = cells
        elif re.fullmatch(r"T-\d+", cells[0]):
            found[cells[0]] = dict(zip(header, cells, strict=True))
    return found


@cache
def contradictions() -> frozenset[str]:
    text = (REQUIREMENTS / "contradictions.md").read_text(encoding="utf-8")
    return frozenset(re.findall(r"^\| (X-\d+) \|", text, flags=re.MULTILINE))


def gates(tier: Tier) -> set[str]:
    return {target.id for target in tier.targets if target.role == "gate"}


def role(tier_id: str, target_id: str) -> str:
    return next(t.role for t in catalogue().tier(tier_id).targets if t.id == target_id)


def test_every_row_of_the_targets_is_written_exactly_once() -> None:
    counts = Counter(target_id for target_id, _ in targets_written())
    assert set(counts) == {f"T-{n:02d}" for n in range(1, 220)} == set(rows())
    assert {target_id for target_id, count in counts.items() if count != 1} == set()


def test_every_tier_of_the_requirements_is_there_and_in_ladder_order() -> None:
    assert tuple(tier.id for tier in catalogue().tiers()) == TIER_IDS


KINDS = {
    "SLO": "slo",
    "CAP": "capacity",
    "KPI": "kpi",
    "ALERT": "alert",
    "CRIT": "critical",
    "TEST": "test",
    "BASE": "baseline",
    "PARAM": "parameter",
}


@pytest.mark.parametrize("target_id", sorted(rows()))
def test_a_target_says_what_its_row_says(target_id: str) -> None:
    row, target = rows()[target_id], every_target()[target_id]
    assert target.title == row.get("Metric", row.get("Component"))
    assert target.kind == KINDS[row["Kind"]]
    assert target.source == row["Src"]
    if "Cmp" not in row:
        assert row["Today"] in target.stated
        assert row["Estimated limit"] in target.stated
        return
    presumed = {"none": {">=", "approx"}, ">= presumed": {">="}}
    assert target.comparator in presumed.get(row["Cmp"], {row["Cmp"]})
    numbers = [float(number) for number in re.findall(r"\d+(?:\.\d+)?", row["Value"])]
    shown = f"{target.limit} {target.limit_high} {target.stated}"
    in_target = {float(number) for number in re.findall(r"\d+(?:\.\d+)?", shown)}
    assert set(numbers) <= in_target
    if re.fullmatch(r"p\d+", row["Stat"]):
        assert target.percentile == float(row["Stat"][1:]) / 100


UNITS_WRITTEN_OTHERWISE = {
    "req/s": "requests/s",
    "users at once": "users",
    "% of plan": "%",
    "unit not given (% presumed)": "%",
    "requests": "requests/month",
    "h interval": "h",
}
"""T-116 says "per month presumed" in its column Stat."""


@pytest.mark.parametrize("target_id", sorted(t for t in rows() if "Unit" in rows()[t]))
def test_a_measured_target_has_the_unit_of_its_row(target_id: str) -> None:
    unit, target = rows()[target_id]["Unit"], every_target()[target_id]
    if target.metric is not None:
        assert target.unit == UNITS_WRITTEN_OTHERWISE.get(unit, unit)


def test_every_contradiction_named_exists() -> None:
    text = TIERS.read_text(encoding="utf-8")
    assert set(re.findall(r"X-\d+", text)) <= contradictions()


def test_other_ids_named_exist_in_the_requirements() -> None:
    text = TIERS.read_text(encoding="utf-8")
    known = "".join(path.read_text(encoding="utf-8") for path in REQUIREMENTS.glob("*.md"))
    for named in set(re.findall(r"\b(?:J|L|C|K|B)-\d+\b", text)):
        assert re.search(rf"\b{named}\b", known), named


@pytest.mark.covers("X-10", "X-11")
@pytest.mark.parametrize("tier_id", [i for i in TIER_IDS if i.startswith("lou")])
def test_a_run_of_liveownerunit_is_gated_by_latency_and_errors(tier_id: str) -> None:
    tier = catalogue().tier(tier_id)
    assert {"T-52", "T-54", "T-66", "T-67"} <= gates(tier)
    assert role(tier_id, "T-45") == "goal"


@pytest.mark.parametrize("tier_id", [i for i in TIER_IDS if i.startswith("lou")])
def test_the_length_of_a_page_is_a_gate_where_lists_have_pages(tier_id: str) -> None:
    paged = catalogue().tier(tier_id).variant.pagination != "none"
    assert ("T-130" in gates(catalogue().tier(tier_id))) == paged


@pytest.mark.parametrize("tier_id", TIER_IDS)
def test_every_tier_has_gates_and_each_can_be_measured(tier_id: str) -> None:
    tier = catalogue().tier(tier_id)
    operations = {
        step.operation for one in catalogue().system(tier.system).journeys for step in one.steps
    }
    assert gates(tier)
    for target in tier.targets:
        if target.role == "gate":
            assert target.metric in METRICS
            assert target.operation is None or target.operation in operations


@pytest.mark.covers("X-01", "X-03")
def test_the_strict_and_the_lenient_figure_of_e_pilot_are_both_judged() -> None:
    assert (role("ep-1", "T-07"), role("ep-1", "T-08")) == ("gate", "goal")
    assert (role("ep-1", "T-01"), role("ep-1", "T-02")) == ("gate", "gate")
    assert role("ep-p1", "T-02") == "goal", "one small tenant has too few requests for a p99"


def test_a_target_without_metric_says_why_in_a_sentence() -> None:
    for target in every_target().values():
        assert (target.metric is None) == (target.not_measured is not None)
        if target.not_measured is not None:
            assert len(target.not_measured.split()) >= 5, target.id


def test_a_target_of_the_system_is_judged_in_every_tier_of_it() -> None:
    for system in catalogue().systems:
        for tier in system.tiers:
            assert {t.id for t in system.targets} <= {t.id for t in tier.targets}


def test_a_tier_carries_the_limits_of_its_plan() -> None:
    assert dict(catalogue().tier("lou-2").plan_limits) == {
        "storage_gb": 0.5,
        "requests_per_month": 500_000,
        "connections": 50,
        "bandwidth_gb": 1,
    }
    assert dict(catalogue().tier("ep-p2").plan_limits)["schools"] == 3


@pytest.mark.covers("X-55")
def test_a_measure_once_taken_stays_in_the_tiers_above() -> None:
    """The ladder of the sections of 004 never goes back to a default."""
    ladder = [catalogue().tier(f"lou-{n}").variant for n in range(11)]
    for name in (one.name for one in fields(ladder[0])):
        values = [getattr(variant, name) for variant in ladder]
        changes = [value for i, value in enumerate(values) if i == 0 or value != values[i - 1]]
        assert len(changes) == len(set(changes)), name
    assert ladder[0].indexes == ladder[0].pagination == "none"
    assert (ladder[1].indexes, ladder[2].pagination) == ("tier1", "offset")
    assert (ladder[4].cache, ladder[5].reads, ladder[5].sync) == ("redis", "replica", "queue")


@pytest.mark.parametrize("prefix", ["lou-", "lou-ov-", "ff-"])
def test_the_ranges_of_a_ladder_join_without_gap(prefix: str) -> None:
    ladder = [t for t in catalogue().tiers() if re.fullmatch(rf"{prefix}\d+", t.id)]
    for below, above in pairwise(ladder):
        assert below.users_max == above.users_min


def test_offered_rates_follow_users_or_the_stated_rate() -> None:
    rates = {tier.id: tier.load.offered_per_s for tier in catalogue().tiers()}
    assert rates["lou-2"] == pytest.approx(200 * 0.10 * 10 / 60)
    assert rates["lou70-5"] == pytest.approx(1003, abs=1)
    assert rates["ep-1"] == 100
    for tier_id, top_per_min in {"ff-1": 1e3, "ff-2": 1e4, "ff-3": 1e5, "ff-4": 1e6}.items():
        assert rates[tier_id] == pytest.approx(top_per_min / 60, rel=1e-3)
        assert rates[tier_id] * 60 <= top_per_min


def test_profiles_are_those_of_the_design_and_all_of_the_requirements() -> None:
    profiles = {profile.id: profile for profile in catalogue().profiles}
    still = ["steady", "everyone", "smoke", "soak", "calm", "peak"]
    moving = ["ramp", "breakpoint", "spike", "day"]
    variants = ["L-01-once", "L-06-hold", "L-06-token", "L-06-token-hold"]
    stated = [f"L-{number:02d}" for number in range(1, 14)]
    assert sorted(profiles) == sorted(still + moving + stated + variants)
    assert all(profiles[one].loop is not None for one in [*stated[:6], *variants])
    assert all(profiles[one].loop is None for one in [*still, *moving, *stated[6:]])
    # Where a source gives no script, the profile says what is ours.
    assert all(profiles[one].note for one in [*stated, *variants])
    assert (profiles["steady"].duration_s, profiles["soak"].duration_s) == (600, 3600)
    assert (profiles["everyone"].concurrency, profiles["everyone"].duration_s) == (1.0, 300)
    assert (profiles["smoke"].concurrency, profiles["smoke"].duration_s) == (0.5, 60)
    assert (profiles["calm"].rate_factor, profiles["peak"].rate_factor) == (0.5, 2)


def test_journeys_of_liveownerunit_use_operations_its_scenario_has() -> None:
    journeys = catalogue().system("liveownerunit").journeys
    numbers = (*range(1, 9), 12, 13)
    assert [journey.id for journey in journeys] == [f"J-{number:02d}" for number in numbers]
    used = {step.operation for journey in journeys for step in journey.steps}
    assert used <= operations_of_the_scenario()
    without_account = {"J-03", "J-08"}
    for journey in journeys:
        signs_in = journey.steps[0].operation.startswith("sign_in")
        assert signs_in == (journey.id not in without_account)


def test_the_schema_that_is_committed_is_the_one_the_classes_give(tmp_path: Path) -> None:
    target = tmp_path / "tiers.schema.json"
    assert write_schema([str(target)]) == 0
    committed = (ROOT / "tiers.schema.json").read_text(encoding="utf-8")
    assert target.read_text(encoding="utf-8") == committed, "run python -m palier.model.jsonschema"


def test_tiers_yaml_is_valid_by_the_schema_and_names_it_for_editors() -> None:
    schema = json.loads(schema_text())
    jsonschema.Draft202012Validator.check_schema(schema)
    jsonschema.Draft202012Validator(schema).validate(written())
    first_line = TIERS.read_text(encoding="utf-8").splitlines()[0]
    assert first_line == "# yaml-language-server: $schema=tiers.schema.json"


def test_the_metrics_a_target_can_name_are_those_the_analysis_reads() -> None:
    assert set(METRICS) == set(analysis_metrics.METRICS)
    for metric in METRICS.values():
        first, *others = metric.units
        for unit in others:
            assert convert(1.0, unit, first) > 0


def test_journeys_of_francaisfluide_begin_with_signing_in_and_keep_its_pace() -> None:
    """003 states 10 requests a minute of one active user, top to top, in every phase."""
    journeys = catalogue().system("francaisfluide").journeys
    assert [journey.id for journey in journeys] == ["FF-01", "FF-02", "FF-03"]
    for journey in journeys:
        assert journey.steps[0].operation == "sign_in_learner"
    steps = sum(journey.weight * len(journey.steps) for journey in journeys)
    thought_s = sum(
        journey.weight * sum(step.think_s for step in journey.steps) for journey in journeys
    )
    assert 9 <= steps / (thought_s / 60) <= 14


@pytest.mark.covers("L-07", "L-08", "L-09")
@pytest.mark.parametrize(
    ("profile", "tier", "first_per_min", "last_per_min"),
    [("L-07", "ff-2", 1e3, 1e4), ("L-08", "ff-3", 1e4, 1e5), ("L-09", "ff-4", 1e5, 1e6)],
)
def test_the_tests_after_a_migration_go_from_the_top_of_the_phase_before_to_that_of_the_phase(
    profile: str, tier: str, first_per_min: float, last_per_min: float
) -> None:
    curve = catalogue().profile(profile).curve
    rate_per_min = catalogue().tier(tier).load.offered_per_s * 60

    assert curve.level(0) * rate_per_min == pytest.approx(first_per_min, rel=1e-3)
    assert curve.peak * rate_per_min == pytest.approx(last_per_min, rel=1e-3)
    assert curve.level(700) == 1


def test_each_phase_has_its_own_cache_and_the_pool_of_the_source() -> None:
    phases = [catalogue().tier(f"ff-{number}") for number in range(1, 5)]

    caches = [phase.variant.learning_cache for phase in phases]
    assert caches == ["simple", "bounded", "levels", "levels"]


@pytest.mark.covers("X-41")
@pytest.mark.parametrize(
    ("tier_id", "met", "reached", "reached_ms", "following"),
    [
        ("ff-1", "T-177", "T-191", 1500, "ff-2"),
        ("ff-2", "T-178", "T-195", 1200, "ff-3"),
        ("ff-3", "T-179", "T-199", 1000, "ff-4"),
    ],
)
def test_a_phase_can_meet_its_target_and_reach_the_trigger_of_the_next_and_both_are_told(
    tier_id: str, met: str, reached: str, reached_ms: float, following: str
) -> None:
    tier = catalogue().tier(tier_id)
    targets = {target.id: target for target in tier.targets}
    trigger = targets[reached]

    assert (targets[met].role, trigger.role, trigger.kind) == ("gate", "info", "critical")
    assert trigger.limit == reached_ms
    assert convert(targets[met].limit, targets[met].unit, "ms") >= trigger.limit
    actions = {one.target: one.action for one in tier.triggers}
    assert actions[reached] == f"start the next phase ({following})"
    # Percent and any of them, as decided; errors alone also fail the phase.
    assert [
        targets[one].role for one in actions if one in targets and targets[one].kind == "critical"
    ].count("gate") == 1
