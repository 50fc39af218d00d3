"""What `palier tiers` and `palier show` say."""

from __future__ import annotations

import json
from collections import Counter
from functools import cache
from pathlib import Path

import jsonschema
import pytest

from palier.analysis import percentile, ratio
from palier.cli import build_parser
from palier.commands.planning import plan_of as planned_by_options
from palier.describe import describe_tiers, tiers_as_json
from palier.describe_plan import (
    BEYOND,
    describe_plan,
    expected_concurrency,
    expected_counts,
    requests_for_error_limit,
    requests_needed,
    requirement,
    span,
    will_be_judged,
)
from palier.errors import ConfigError
from palier.load.schedule import make_schedule
from palier.model.catalogue import Catalogue
from palier.model.parse import load_catalogue, parse_catalogue
from palier.model.plan import RunPlan, make_plan
from palier.model.variant import override

TIERS = Path(__file__).parents[2] / "tiers.yaml"


@cache
def catalogue() -> Catalogue:
    return load_catalogue(TIERS)


def plan_of(
    tier_id: str,
    *,
    profile: str = "steady",
    duration_s: float | None = 60.0,
    switches: tuple[str, ...] = (),
    url: str | None = None,
) -> RunPlan:
    tier = catalogue().tier(tier_id)
    return make_plan(
        system=catalogue().system(tier.system),
        tier=tier,
        profile=catalogue().profile(profile),
        duration_s=duration_s,
        seed=1,
        workers=1,
        variant=override(tier.variant, switches),
        url=url,
    )


def counts_by_operation(plan: RunPlan) -> dict[str, int]:
    counts: Counter[str] = Counter()
    for (_, operation), count in make_schedule(plan).planned_counts().items():
        counts[operation] += count
    return dict(counts)


def test_the_ladder_has_one_aligned_line_a_tier() -> None:
    lines = describe_tiers(catalogue()).splitlines()
    column = lines[0].index("variant")
    for tier in catalogue().tiers():
        [line] = [line for line in lines if line.startswith(f"{tier.id} ")]
        assert line[column - 1] == " "
        assert line[column] != " "


def test_a_line_of_the_ladder_says_users_plan_cost_rate_and_what_changes() -> None:
    lines = {line.split()[0]: line for line in describe_tiers(catalogue()).splitlines() if line}
    shown = {tier_id: " ".join(line.split()) for tier_id, line in lines.items()}
    assert shown["lou-2"] == "lou-2 100-200 free 0 € 3.33 pagination=offset"
    assert shown["lou-3"] == "lou-3 200-500 pro 25 € 8.33 ="
    assert shown["ff-3"] == "ff-3 10,000-100,000 - 1,000-3,000 $ 1,667 learning_cache=levels"
    assert "profiles: steady, everyone, smoke, soak, calm, peak" in describe_tiers(catalogue())


def test_the_first_tier_of_a_ladder_is_compared_with_the_defaults() -> None:
    [line] = [x for x in describe_tiers(catalogue()).splitlines() if x.startswith("lou70-0 ")]
    assert line.endswith("pooling=none")


def test_the_ladder_of_somebodys_own_file_is_described_too() -> None:
    text = """\
systems:
  shop:
    scenario: locustfile.py
    journeys: {browse: {title: Look around, steps: [{operation: home}]}}
    tiers:
      small: {url: "http://127.0.0.1:8000", load: {users: 500}}
"""
    own = parse_catalogue(text, "my.yaml")
    assert "small  (500)  -                -        8.33  (your service)" in describe_tiers(own)


def test_the_ladder_as_json_has_every_tier_with_its_gates() -> None:
    document = json.loads(json.dumps(tiers_as_json(catalogue())))
    jsonschema.validate(
        document,
        {
            "properties": {
                "schema": {"const": 1},
                "systems": {"items": {"required": ["id", "title", "scenario", "tiers"]}},
            },
            "required": ["schema", "path", "systems", "profiles"],
        },
    )
    tiers = {tier["id"]: tier for system in document["systems"] for tier in system["tiers"]}
    assert list(tiers) == [tier.id for tier in catalogue().tiers()]
    assert tiers["lou-2"]["gates"] == ["T-52", "T-54", "T-66", "T-67", "T-130"]
    assert tiers["lou-2"]["requests_per_s"] == pytest.approx(10 / 3)
    assert tiers["lou-2"]["variant"]["pagination"] == "offset"


def test_expected_counts_are_the_means_of_the_schedule() -> None:
    plan = plan_of("lou-5", duration_s=120.0)
    expected, made = expected_counts(plan), counts_by_operation(plan)
    assert set(expected) == set(made)
    for operation, count in made.items():
        # Steps of one session come together, so a count varies more than its root.
        spread = 4 * (2 * expected[operation]) ** 0.5
        assert count == pytest.approx(expected[operation], abs=spread), operation


def test_concurrency_follows_littles_law() -> None:
    plan = plan_of("lou-5")
    expected = expected_concurrency(plan)
    assert expected.response_s == 0.3, "the limit of T-52, the tightest gate"
    assert expected.in_flight == pytest.approx(plan.requests_per_s * 0.3)
    weights = sum(journey.weight for journey in plan.journeys)
    mean_steps = sum(j.weight * len(j.steps) for j in plan.journeys) / weights
    mean_think_s = sum(j.weight * j.think_s for j in plan.journeys) / weights
    assert expected.session_s == pytest.approx(mean_think_s + mean_steps * 0.3)
    assert expected.sessions == pytest.approx(plan.sessions_per_s * expected.session_s)


def test_what_a_run_can_show_is_what_the_analysis_will_accept() -> None:
    assert BEYOND == percentile.BEYOND
    for fraction in (0.5, 0.9, 0.95, 0.99, 0.999):
        assert requests_needed(fraction) == percentile.requests_needed(fraction)
    for limit in (0.005, 0.01):
        needed = requests_for_error_limit(limit)
        assert ratio.upper_limit(0, needed) <= limit
        assert ratio.upper_limit(0, round(needed * 0.97)) > limit


def test_a_short_run_is_told_which_percentile_and_which_error_limit_it_cannot_decide() -> None:
    text = describe_plan(plan_of("lou-2"))
    assert "percentiles: p50, p90\n" in text
    assert "p99 needs 1,000 requests, about --duration 305s" in text
    assert "T-54 (0.5 %) needs 738 requests, about --duration 227s" in text
    assert "cut from 600 s to 60 s" in text
    longer = describe_plan(plan_of("lou-2", profile="everyone"))
    assert "percentiles: p50, p90, p95, p99\n" in longer
    assert "T-54 (0.5 %) needs" not in longer


def test_the_offered_rate_is_shown_with_its_derivation() -> None:
    assert "200 users x 10% active at once x 10 requests/min each" in describe_plan(
        plan_of("lou-2")
    )
    assert "stated: 100 requests/s" in describe_plan(plan_of("ep-1"))
    assert "500 listeners beside it" in describe_plan(plan_of("ep-1"))
    assert "200 users x 100% active" in describe_plan(plan_of("lou-2", profile="everyone"))


def test_counts_of_the_schedule_and_rows_of_the_seed_replace_the_estimates() -> None:
    plan = plan_of("lou-2")
    counts = counts_by_operation(plan)
    text = describe_plan(plan, counts, {"reservations": 24_113})
    assert f"{sum(counts.values()):,} in 60 s, in the schedule of seed 1" in text
    assert "reservations        24,113 rows" in text
    assert "expected on average" in describe_plan(plan)
    assert "200 owners, 400 gîtes, about 24,000 reservations" in describe_plan(plan)


def test_switches_set_for_the_run_are_marked() -> None:
    text = describe_plan(plan_of("lou-2", switches=("cache=memory",)))
    assert "cache         memory  (set for this run)" in text
    assert text.count("(set for this run)") == 1


def test_somebodys_own_service_is_neither_brought_up_nor_seeded() -> None:
    text = describe_plan(plan_of("lou-2", url="http://127.0.0.1:1"))
    assert "your service at http://127.0.0.1:1; nothing is brought up" in text
    assert "max_connections" not in text


def test_gates_are_named_with_what_they_require() -> None:
    text = describe_plan(plan_of("lou-2"))
    assert "gate T-52   API latency p95 < 300 ms" in text
    assert "gate T-130  Rows shown on a list page <= 50 rows" in text
    assert "gate T-192  Error rate not >= 0.5 %" in describe_plan(plan_of("ff-1"))
    plan = plan_of("lou-2")
    judged = [target for target in plan.tier.targets if will_be_judged(target, plan)]
    assert f"{len(judged)} judged (5 gates" in text


def test_a_requirement_is_written_as_people_write_it() -> None:
    targets = {t.id: t for tier in catalogue().tiers() for t in tier.targets}
    assert requirement(targets["T-169"]) == "50 to 100 users"
    assert requirement(targets["T-68"]) == "of list_reservations < 500 ms"
    assert requirement(targets["T-132"]) == "hit"
    assert requirement(targets["T-02"]) == "p99 < 200 ms"


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0.5, "0.5 s"),
        (5, "5 s"),
        (90, "90 s"),
        (600, "10 min"),
        (5400, "1 h 30 min"),
        (125, "2 min 5 s"),
    ],
)
def test_a_span_is_shown_in_units_people_use(seconds: float, text: str) -> None:
    assert span(seconds) == text


@pytest.mark.parametrize("profile", ["steady", "everyone", "smoke", "soak", "calm", "peak"])
def test_every_tier_can_be_described_with_every_profile(profile: str) -> None:
    for tier in catalogue().tiers():
        text = describe_plan(plan_of(tier.id, profile=profile, duration_s=None))
        assert text.startswith(f"{tier.id}  ")
        assert "nan" not in text


def test_every_stage_of_a_closed_profile_is_shown_with_its_users() -> None:
    text = describe_plan(plan_of("lou-4", profile="L-01", duration_s=None))
    for line in (
        "closed: up to 1,000 users, each waiting for every answer before asking again",
        "666.7 requests/s at most: 1,000 users x 2 requests in 3 s or more",
        "J-01: sign_in > list_reservations > pause of 2 s, again and again",
        "0 s to 2 min: 0 users to 100 users",
        "2 min to 7 min: 100 users\n",
        "7 min to 9 min: 100 users to 1,000 users",
        "9 min to 14 min: 1,000 users\n",
        "14 min to 16 min: 1,000 users to 0 users",
        "if every answer takes 300 ms, 1,000 users ask for 556 requests/s of the 667 they could",
    ):
        assert line in text
    once = describe_plan(plan_of("lou-2", profile="L-01-once", duration_s=None))
    assert "J-01: sign_in once, then list_reservations > pause of 2 s, again and again" in once
    assert "note: only 200 accounts exist, so up to 5 users share one" in once


@pytest.mark.parametrize("profile", ["L-01", "L-01-once", "L-02"])
def test_expected_counts_of_a_closed_profile_are_those_of_its_schedule(profile: str) -> None:
    plan = plan_of("lou-4", profile=profile, duration_s=60.0)
    # What is done once, and the way in, is not in the mean.
    made = {n: c for n, c in counts_by_operation(plan).items() if n in expected_counts(plan)}
    assert made == pytest.approx(expected_counts(plan), rel=0.05)


def test_a_shape_is_squeezed_into_a_shorter_duration_and_the_plan_says_so() -> None:
    text = describe_plan(plan_of("lou-4", profile="spike", duration_s=42.0))
    assert (
        "its shape is scaled in time, so levels are the same and every change comes 10 times"
        in (text)
    )
    assert "12 s to 13 s: 16.67 requests/s to 83.33 requests/s" in text
    assert "13 s to 19 s: 83.33 requests/s\n" in text
    # A session of 16 s and more smooths a peak of 7 s away, and 700 s are enough for all of it.
    assert "requests follow the arrivals of their sessions: about 53.51 requests/s at most" in text
    longer = plan_of("lou-4", profile="spike", duration_s=4200.0)
    assert "about 83.33 requests/s at most" in describe_plan(longer)
    assert longer.shortened == ""
    assert "20 min to 21 min 40 s: 16.67 requests/s to 83.33 requests/s" in describe_plan(longer)


def test_a_sine_is_shown_with_its_period_and_its_ends() -> None:
    text = describe_plan(plan_of("lou-4", profile="day", duration_s=None))
    assert "a sine of 10 min between 3.333 requests/s and 30 requests/s" in text


def test_a_profile_of_another_system_is_refused() -> None:
    with pytest.raises(ConfigError, match="profile L-07 is about francaisfluide"):
        plan_of("lou-2", profile="L-07")


def test_every_profile_can_be_described_with_the_tiers_of_its_system() -> None:
    for profile in catalogue().profiles:
        for system in catalogue().systems:
            # The smallest and the largest: what is between differs in numbers only.
            for tier in (system.tiers[0], system.tiers[-1]):
                if profile.system not in (None, system.id):
                    continue
                text = describe_plan(plan_of(tier.id, profile=profile.id, duration_s=None))
                assert "nan" not in text


def test_a_trace_beside_the_tiers_file_is_replayed(tmp_path: Path) -> None:
    (tmp_path / "logs").mkdir()
    lines = [f"2026-11-21T08:00:{second:02d}.5Z" for second in range(0, 40, 2)]
    (tmp_path / "logs" / "access.log").write_text("\n".join(lines))
    (tmp_path / "tiers.yaml").write_text("""\
profiles:
  replay: {title: Yesterday, duration_s: 60, trace: {path: logs/access.log}}
  fast: {title: Yesterday, duration_s: 60, trace: {path: logs/access.log, speed: 2}}
  lost: {title: Gone, duration_s: 60, trace: {path: logs/other.log}}
systems:
  shop:
    scenario: locustfile.py
    journeys: {browse: {title: Look around, steps: [{operation: home}]}}
    tiers:
      small: {url: "http://127.0.0.1:8000", load: {users: 500}}
""")
    own = load_catalogue(tmp_path / "tiers.yaml")

    def planned(*words: str) -> RunPlan:
        return planned_by_options(
            own, build_parser().parse_args(["show", "small", "--profile", *words])
        )

    exact = planned("replay")
    assert exact.arrivals_us == tuple(range(0, 40_000_000, 2_000_000))
    assert exact.rate_derivation == "20 of 20 arrivals of logs/access.log in 60 s"
    assert [s.at_us for s in make_schedule(exact).sessions] == list(exact.arrivals_us)
    text = describe_plan(exact)
    assert "arriving when those of the log did" in text
    assert "38 s of the log are replayed, and nothing after them" in text
    cut = planned("replay", "--duration", "10s")
    assert cut.arrivals_us == (0, 2_000_000, 4_000_000, 6_000_000, 8_000_000)
    assert "only the start of the trace is replayed, at its own speed" in cut.shortened
    assert planned("fast").arrivals_us == tuple(range(0, 20_000_000, 1_000_000))
    with pytest.raises(ConfigError, match="cannot read the trace"):
        planned("lost")
