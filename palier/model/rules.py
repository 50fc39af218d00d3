"""Rules between the fields of one value: what a type hint cannot say."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from palier.model.abort import AbortRule
from palier.model.document import CatalogueText, SystemText, TierText
from palier.model.journey import Journey
from palier.model.metric import METRICS
from palier.model.profile import SHAPES, Profile
from palier.model.rate_shape import Sine, Spike, Staged
from palier.model.reading import Breach, Rule
from palier.model.target import Target
from palier.model.tier import Cost


def target_rule(target: Target) -> Iterator[Breach]:
    """A target is either measured, with a limit in a fitting unit, or says why it is not."""
    yield from _measured_or_not(target)
    if target.metric is not None:
        yield from _fits_its_metric(target)
    if target.limit is None and target.limit_high is not None:
        yield Breach("limit_high", "limit_high without limit", "give limit, the lower end")
    if target.comparator == "range":
        if target.limit is not None and not target.limit < (target.limit_high or target.limit):
            fix = "give limit_high above limit"
            yield Breach("comparator", "a range needs two ends in rising order", fix)
    elif target.limit_high is not None:
        fix = "use comparator: range, or remove limit_high"
        yield Breach("limit_high", f"comparator {target.comparator!r} has one limit", fix)


def _measured_or_not(target: Target) -> Iterator[Breach]:
    if target.metric is None and target.not_measured is None:
        fix = "add metric, or say in not_measured why no run can measure it"
        yield Breach("role", "neither metric nor not_measured", fix)
    if target.metric is not None and target.not_measured is not None:
        yield Breach("not_measured", "both metric and not_measured", "remove one of them")
    if target.role == "gate" and target.metric is None:
        what = "a gate that no run can measure would leave every run inconclusive"
        yield Breach("role", what, "make it a goal")
    if target.limit is None and target.metric is None and not target.stated:
        yield Breach("role", "neither limit nor stated", "give the number, or the words in stated")


def _fits_its_metric(target: Target) -> Iterator[Breach]:
    metric = METRICS[target.metric or ""]
    if target.unit not in metric.units:
        what = f"unit {target.unit!r} does not fit {metric.name}"
        yield Breach("unit", what, "use " + " or ".join(metric.units))
    if target.limit is None:
        yield Breach("metric", "no limit to compare with", "add limit")
    if metric.by_percentile and target.percentile is None:
        yield Breach("metric", f"{metric.name} needs a percentile", "add percentile: 0.95")
    if not metric.by_percentile and target.percentile is not None:
        yield Breach("percentile", f"{metric.name} has no percentile", "remove percentile")
    if not metric.by_operation and target.operation is not None:
        yield Breach("operation", f"{metric.name} is about the whole run", "remove operation")


def abort_rule(rule: AbortRule) -> Iterator[Breach]:
    """Metric, percentile and unit fit together, and the state can be reached."""
    metric = METRICS[rule.metric]
    if rule.unit not in metric.units:
        what = f"unit {rule.unit!r} does not fit {metric.name}"
        yield Breach("unit", what, "use " + " or ".join(metric.units))
    if metric.by_percentile and rule.percentile is None:
        yield Breach("metric", f"{metric.name} needs a percentile", "add percentile: 0.95")
    if not metric.by_percentile and rule.percentile is not None:
        yield Breach("percentile", f"{metric.name} has no percentile", "remove percentile")
    if rule.unit == "%" and rule.limit >= 100:
        yield Breach("limit", f"{rule.limit:g} % cannot be exceeded", "write a smaller limit")


def journey_rule(journey: Journey) -> Iterator[Breach]:
    if not journey.steps:
        yield Breach("steps", "a journey without steps sends nothing", "add a step")


def profile_rule(profile: Profile) -> Iterator[Breach]:
    if profile.warmup_s >= profile.duration_s:
        what = f"warm-up of {profile.warmup_s:g} s leaves nothing of {profile.duration_s:g} s"
        yield Breach("warmup_s", what, "shorten the warm-up or lengthen the profile")
    shapes = [name for name in SHAPES if getattr(profile, name) is not None]
    if len(shapes) > 1:
        fix = "keep one of them; staged can say all but sine and trace"
        yield Breach(shapes[1], f"{' and '.join(shapes)} at once", fix)
    else:
        yield from _shape_breaches(profile)


def _shape_breaches(profile: Profile) -> Iterator[Breach]:
    """One shape: as long as its profile, above 0 somewhere, and nothing that contradicts it."""
    if profile.staged is not None and profile.staged.duration_s != profile.duration_s:
        what = f"stages of {profile.staged.duration_s:g} s in all, but {profile.duration_s:g} s"
        yield Breach("duration_s", what, f"write duration_s: {profile.staged.duration_s:g}")
    if profile.spike is not None and profile.spike.over_s > profile.duration_s:
        what = f"the peak is over after {profile.spike.over_s:g} s only"
        yield Breach("duration_s", what, "lengthen the profile or shorten the peak")
    if profile.shape is not None and profile.curve.area(profile.duration_s) <= 0:
        yield Breach(profile.shape, "a level of 0 all the time sends nothing", "raise it somewhere")
    if profile.trace is not None and (profile.rate_factor != 1 or profile.concurrency is not None):
        yield Breach("trace", "a trace has its own rate", "use speed; remove the other key")
    if profile.loop is None:
        return
    for name in ("sine", "trace"):
        if getattr(profile, name) is not None:
            yield Breach(name, "users of a loop cannot follow it", "use staged, ramp or spike")
    if profile.rate_factor != 1 or profile.concurrency is not None:
        yield Breach("loop", "a loop has its own users", "change its users; remove the other key")


def staged_rule(staged: Staged) -> Iterator[Breach]:
    if not staged.stages:
        yield Breach("stages", "no stage", "add one: {duration_s: 60, to: 1}")
    elif staged.duration_s <= 0:
        yield Breach("stages", "stages of 0 s in all", "give one of them a duration")


def sine_rule(sine: Sine) -> Iterator[Breach]:
    if sine.low > sine.high:
        yield Breach("low", f"low {sine.low:g} is above high {sine.high:g}", "swap them")


def spike_rule(spike: Spike) -> Iterator[Breach]:
    if spike.over_s <= spike.at_s:
        yield Breach("hold_s", "a peak of 0 s", "give rise_s, hold_s or fall_s")


def cost_rule(cost: Cost) -> Iterator[Breach]:
    low, high = cost.low_per_month, cost.high_per_month
    if low is not None and high is not None and low > high:
        yield Breach("low_per_month", f"low {low:g} is above high {high:g}", "swap them")
    if (low is not None or high is not None) and cost.currency is None:
        yield Breach("low_per_month", "an amount without currency", "add currency: EUR or USD")


def tier_rule(tier: TierText) -> Iterator[Breach]:
    low, high = tier.users_min, tier.users_max
    if low is not None and high is not None and low > high:
        yield Breach("users_min", f"users_min {low} is above users_max {high}", "swap them")
    if tier.url is not None and not tier.url.startswith(("http://", "https://")):
        what = f"{tier.url!r} is not the address of a service"
        yield Breach("url", what, "write e.g. http://127.0.0.1:8000")
    if tier.url is not None and tier.stack is not None:
        fix = "remove stack to drive your service, or url to bring the stack up"
        yield Breach("url", "both url and stack", fix)


def system_rule(system: SystemText) -> Iterator[Breach]:
    if not system.journeys:
        yield Breach("journeys", "a system without journeys has no load", "add a journey")
    if not system.tiers:
        yield Breach("tiers", "a system without tiers cannot be run", "add a tier")


def catalogue_rule(catalogue: CatalogueText) -> Iterator[Breach]:
    if not catalogue.systems:
        yield Breach("systems", "no system", "add one under systems:")


RULES: Mapping[type, Rule] = {
    Target: target_rule,
    AbortRule: abort_rule,
    Journey: journey_rule,
    Profile: profile_rule,
    Staged: staged_rule,
    Sine: sine_rule,
    Spike: spike_rule,
    Cost: cost_rule,
    TierText: tier_rule,
    SystemText: system_rule,
    CatalogueText: catalogue_rule,
}
