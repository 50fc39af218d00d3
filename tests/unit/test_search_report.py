"""The report of a search: one wording on page, in Markdown and on the terminal."""

from __future__ import annotations

import itertools
import math
from dataclasses import replace
from pathlib import Path

import pytest

from palier.analysis.findings import Estimate
from palier.capacity.answer import Answer
from palier.capacity.evidence import Stretch, Tally
from palier.capacity.log import SearchLog
from palier.capacity.rules import make_rules
from palier.capacity.search import (
    Drain,
    Measure,
    drained,
    known_so_far,
    measured,
    next_step,
    proved,
)
from palier.capacity.story import SearchStory, story_as_json, tell_probes
from palier.capacity.targets import search_targets
from palier.model.plan import RunPlan
from palier.model.target import Target
from palier.selftest.trial import trial_plan
from reports.search import markdown, page, words
from reports.search.drawings import draw_all
from reports.search.inputs import SearchInputs
from reports.search.terminal import answer_text
from reports.search.write import write_search_reports

HOLDS = 240.0

LATE = Target(
    id="late",
    role="gate",
    title="Answers <are> fast",
    metric="response_time",
    percentile=0.95,
    comparator="<",
    limit=300,
    unit="ms",
)
SIZE = replace(LATE, id="size", metric="database_size", percentile=None, unit="MB")


def plan() -> RunPlan:
    base = trial_plan(rate_per_s=50, duration_s=60)
    return replace(base, tier=replace(base.tier, id="lou-2", targets=(LATE, SIZE)))


def answered(rate_per_s: float, seconds: int) -> Stretch:
    """As many misses as a tail that is straight in the rate has, without chance."""
    share = min(1.0, 0.05 * math.exp(8 * (rate_per_s / HOLDS - 1)))
    upto = [round(rate_per_s * share * second) for second in range(seconds + 1)]
    missed = tuple(after - before for before, after in itertools.pairwise(upto))
    planned = (max(round(rate_per_s), *missed),) * seconds
    return Stretch(tallies={"late": Tally(planned=planned, missed=missed)}, run="01")


def searched(probes: int) -> SearchLog:
    gates = tuple(one.gate for one in search_targets(plan().tier.targets)[0])
    log = SearchLog(rules=make_rules(gates, start_per_s=50, most_per_s=4000))
    while not isinstance(step := next_step(log), Answer):
        if isinstance(step, Measure):
            goes_on = log.probes and log.decisions()[-1].outcome == "go_on"
            if len(log.probes) == probes and not goes_on:
                break
            log = measured(log, answered(step.rate_per_s, step.seconds))
        elif isinstance(step, Drain):
            log = drained(log)
        else:
            log = proved(log, healthy=True)
    return log


def story(probes: int) -> SearchStory:
    log = searched(probes)
    step = next_step(log)
    targets, left_out = search_targets(plan().tier.targets)
    seen = Estimate(value=0.25, low=0.2, high=0.31, samples=1000)
    return SearchStory(
        name="20261127T120000Z-lou-2-search",
        rules=log.rules,
        answer=step if isinstance(step, Answer) else known_so_far(log),
        targets=targets,
        left_out=left_out,
        probes=tell_probes(log, {number: {"late": seen} for number in range(1, 13)}),
    )


@pytest.mark.parametrize("probes", [12, 1, 0], ids=["found", "one probe", "none"])
def test_page_markdown_and_terminal_say_the_same_answer(probes: int, tmp_path: Path) -> None:
    told = story(probes)
    inputs = SearchInputs(plan=plan(), story=told)
    pictures = draw_all(told)
    html, text = page.render(inputs, pictures), markdown.render(inputs, pictures)
    lines = answer_text(told, plan(), tmp_path, width=100, color=False)

    answers = {
        12: "lou-2 holds 2",
        1: "lou-2 holds at least 50 requests/s.",
        0: "It is not known what lou-2 holds.",
    }
    for said in (html, text, lines):
        assert answers[probes] in said
        assert "size" in said, "a gate that is left out is named"
        assert "nan" not in said
    assert "<are>" not in html
    assert len(pictures) == (2 if probes else 0)


def test_a_narrow_interval_with_an_unconfirmed_lower_end_does_not_say_that_it_is_wide() -> None:
    told = story(12)
    answer = replace(told.answer, end="time_used_up")
    assert words.end(replace(told, answer=answer)) == (
        "The time is used up before a long probe confirmed the lower end. "
        "Go on with more time (--resume with --longest), or ask for a wider interval (--width)."
    )
    wide = replace(answer, low=100.0, high=200.0)
    assert "as narrow as was asked for" in words.end(replace(told, answer=wide))


def test_the_answer_document_has_the_interval_and_each_probe() -> None:
    told = story(12)
    document = story_as_json(told)
    low, high = document["low"], document["high"]
    assert isinstance(low, float)
    assert isinstance(high, float)
    assert document["end"] == "found"
    assert low <= HOLDS <= high
    assert document["binding"] == "late"
    each = document["each"]
    assert isinstance(each, list)
    assert [one["number"] for one in each if isinstance(one, dict)] == list(range(1, len(each) + 1))
    widths = [one.high - one.low for one in told.probes if one.low and one.high]
    assert widths == sorted(widths, reverse=True), "the bracket only closes"


def test_the_same_search_gives_the_same_files(tmp_path: Path) -> None:
    inputs = SearchInputs(plan=plan(), story=story(12))
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        write_search_reports(tmp_path / name, inputs)
    for name in ("report.html", "report.md", "figures/search-probes.svg"):
        assert (tmp_path / "one" / name).read_bytes() == (tmp_path / "two" / name).read_bytes()
