"""Which figures a search gets, with the sentences that go with them."""

from __future__ import annotations

from palier.analysis.findings import Estimate
from palier.capacity.story import ProbeTold, SearchStory
from palier.capacity.targets import SearchTarget
from reports import format as fmt
from reports.drawings import Picture, draw_picture
from reports.figures.search import draw_bracket, draw_by_rate
from reports.search import words


def draw_all(story: SearchStory) -> list[Picture]:
    """Every figure the search has data for, in the order of the page."""
    pictures = (_bracket(story), _by_rate(story))
    return [picture for picture in pictures if picture is not None]


def _bracket(story: SearchStory) -> Picture | None:
    if not story.probes:
        return None
    steps = "; ".join(
        f"{words.rate(probe.rate_per_s)}/s {words.OUTCOMES[probe.outcome]}"
        for probe in story.probes
    )
    return draw_picture(
        "search-probes",
        label=f"Rates of the probes in the order they were made: {steps}.",
        caption="Each mark is a probe. The band is what the probes so far leave for the capacity.",
        draw=lambda width: draw_bracket(story, width=width),
    )


def _by_rate(story: SearchStory) -> Picture | None:
    target = _drawn(story)
    if target is None or target.limit_s is None:
        return None
    points = [
        (probe, found)
        for probe in story.probes
        if (found := _measured(probe, target.gate.id)) is not None
    ]
    if not points:
        return None
    limit_s, name = target.limit_s, fmt.percentile_name(1 - target.gate.allowed)
    numbers = "; ".join(
        f"{words.rate(probe.rate_per_s)}/s {fmt.estimate(found)}" for probe, found in points
    )
    return draw_picture(
        "response-by-rate",
        label=f"Response {name} by offered rate, limit {fmt.duration(limit_s)}: {numbers}.",
        caption=f"{target.gate.id}: response {name} of each probe with its 95 % interval. "
        "What decides is the share of planned requests that missed the limit.",
        draw=lambda width: draw_by_rate(points, story, limit_s=limit_s, name=name, width=width),
    )


def _drawn(story: SearchStory) -> SearchTarget | None:
    """The binding gate, or another one with a limit where that has none."""
    binding = story.binding
    if binding is not None and binding.limit_s is not None:
        return binding
    return next((one for one in story.targets if one.limit_s is not None), None)


def _measured(probe: ProbeTold, gate: str) -> Estimate | None:
    found = probe.responses.get(gate)
    return None if found is None or fmt.known(found.value) is None else found
