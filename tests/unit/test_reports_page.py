"""The page: self-contained, accessible, escaped, and the same for the same run."""

from __future__ import annotations

import itertools
import os
import re
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path

import pytest
import reports_samples
from reports_samples import page_of

from reports import page
from reports.figures.style import CSS_VARIABLES

VOID = {"meta", "link", "col", "br", "hr", "img", "input"}
CASES = ("pass", "fail", "empty", "hostile", "interrupted")


class Page(HTMLParser):
    """Elements in order, with the open elements around each; complains about bad nesting."""

    def __init__(self, html: str) -> None:
        super().__init__(convert_charrefs=True)
        self.elements: list[tuple[str, dict[str, str], tuple[str, ...]]] = []
        self.text: dict[str, str] = {}
        self.visible = ""
        self._open: list[str] = []
        self.feed(html)
        self.close()
        assert self._open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, {k: v or "" for k, v in attrs}, tuple(self._open)))
        if tag not in VOID:
            self._open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self._open, f"</{tag}> closes nothing"
        assert self._open[-1] == tag, f"</{tag}> closes <{self._open[-1]}>"
        self._open.pop()

    def handle_data(self, data: str) -> None:
        if self._open and self._open[-1] not in ("style",):
            self.visible += data

    def all(self, tag: str) -> list[dict[str, str]]:
        return [attributes for name, attributes, _ in self.elements if name == tag]


@pytest.mark.parametrize("case", CASES)
def test_the_page_needs_nothing_from_the_network(case: str) -> None:
    html = page_of(case)
    parsed = Page(html)

    for tag, attributes, _ in parsed.elements:
        assert tag not in ("script", "img", "iframe", "object", "embed", "base", "form")
        for name in ("src", "href", "action", "data", "poster", "srcset"):
            value = attributes.get(name, "#")
            assert value.startswith("#") or value == "data:,", (tag, name, value)
        assert not any(name.startswith("on") for name in attributes)
    assert not re.search(r"url\((?!#)", html)
    assert "@import" not in html


@pytest.mark.parametrize("case", CASES)
def test_every_id_is_unique_and_every_reference_leads_somewhere(case: str) -> None:
    html = page_of(case)
    parsed = Page(html)
    ids = [attributes["id"] for _, attributes, _ in parsed.elements if "id" in attributes]

    assert len(ids) == len(set(ids))
    targets = set(ids)
    for _, attributes, _ in parsed.elements:
        if attributes.get("href", "").startswith("#"):
            assert attributes["href"][1:] in targets
        if "aria-labelledby" in attributes:
            assert attributes["aria-labelledby"] in targets
    assert set(re.findall(r"url\(#([^)]+)\)", html)) <= targets


@pytest.mark.parametrize("case", CASES)
def test_a_screen_reader_finds_language_landmarks_headings_and_labels(case: str) -> None:
    parsed = Page(page_of(case))

    assert parsed.all("html") == [{"lang": "en"}]
    assert len(parsed.all("main")) == len(parsed.all("h1")) == 1
    levels = [int(tag[1]) for tag, _, _ in parsed.elements if re.fullmatch("h[1-6]", tag)]
    assert levels[0] == 1
    assert all(after <= before + 1 for before, after in itertools.pairwise(levels))
    first_link = parsed.all("a")[0]
    assert first_link == {"class": "skip", "href": "#answer"}
    for attributes in parsed.all("svg"):
        labelled = attributes.get("role") == "img" and len(attributes["aria-label"]) > 20
        assert labelled or attributes.get("aria-hidden") == "true"
    assert len(parsed.all("table")) == len(parsed.all("caption"))
    for tag, attributes, around in parsed.elements:
        if tag == "th":
            assert attributes.get("scope") in ("col", "row", "colgroup")
        if tag == "table":
            assert "div" in around
        if attributes.get("class") == "scroll":
            assert attributes["role"] == "region"
            assert attributes["tabindex"] == "0"
            assert attributes["aria-label"]


@pytest.mark.parametrize("case", CASES)
def test_every_row_of_a_table_has_as_many_cells_as_its_header(case: str) -> None:
    html = page_of(case)

    for table in re.findall(r"<table.*?</table>", html, re.DOTALL):
        widths = set()
        for row in re.findall(r"<tr.*?</tr>", table, re.DOTALL):
            cells = re.findall(r"<t[hd]\b([^>]*)>", row)
            spans = [int(match[1]) for c in cells if (match := re.search(r'colspan="(\d+)"', c))]
            widths.add(len(cells) - len(spans) + sum(spans))
        assert len(widths) == 1, table[:300]


def test_the_answer_comes_before_the_evidence() -> None:
    text = Page(page_of("fail")).visible

    order = [
        "FAIL",
        "Gate T-52 is missed: response p95 of all requests is 369 ms, the limit is 100 ms",
        "Headroom",
        "Sessions arrive by a Poisson process; inside a session steps follow with think times "
        "(partly open).",
        "What this run cannot show",
        "Gates: they decide the verdict",
        "Goals: judged and shown",
        "not measured by this run, each with its reason",
        "Was the generator fit to measure?",
        "palier run lou-2 --profile steady --duration 60s --seed 1 --workers 1 --set cache=memory",
    ]
    places = [text.index(part) for part in order]
    assert places == sorted(places)


def test_each_target_names_its_source() -> None:
    text = " ".join(Page(page_of("pass")).visible.split())

    for target in reports_samples.TARGETS:
        assert target.id in text
    assert text.count("target from source 002") == len(reports_samples.TARGETS)


def test_unmeasured_targets_are_folded_away_with_their_reason() -> None:
    folded = re.findall(r"<details>.*?</details>", page_of("pass"), re.DOTALL)[0]

    assert "availability is a property of months, not of a run" in folded
    assert "2 targets not measured" in folded


def test_waiting_before_sending_is_said_in_words() -> None:
    assert "Response p95 is 369 ms while service p95 is 40 ms" in page_of("fail")
    assert "Here they are close" in page_of("pass")


def test_an_unfit_measurement_claims_no_headroom() -> None:
    text = Page(page_of("invalid")).visible

    assert "the measurement was unfit, so no headroom can be claimed" in text
    assert "7.3 %" not in text


def test_an_interrupted_run_is_marked_as_partial() -> None:
    text = " ".join(Page(page_of("interrupted")).visible.split())

    assert "Partial report. This run was interrupted after 23 s of 60 s." in text


def test_a_run_without_requests_shows_no_invented_number() -> None:
    text = " ".join(Page(page_of("empty")).visible.split())

    assert "No request was planned in this window" in text
    assert "needs at least 1,000 requests, has 0" in text
    assert re.search(r"p95 0 ms|0 ms\b", text) is None


def test_hostile_text_stays_text() -> None:
    html = page_of("hostile")
    parsed = Page(html)

    assert parsed.all("script") == []
    assert "<script>alert('x')</script>" in parsed.visible
    assert "{{ 7*7 }}" in parsed.visible
    assert "\x1b" not in html
    assert "\x00" not in html
    assert "secret" not in html


def test_passwords_in_addresses_are_not_shown() -> None:
    html = page_of("pass")

    assert "hunter2" not in html
    assert "postgresql://***@127.0.0.1:54321/palier" in html


def test_figures_follow_the_theme_of_the_page() -> None:
    html = page_of("fail")
    figures = "".join(re.findall(r"<figure>.*?</figure>", html, re.DOTALL))

    assert not re.search("|".join(CSS_VARIABLES), figures, re.IGNORECASE)
    for variable in set(re.findall(r"var\((--[\w-]+)\)", html)):
        assert f"{variable}:" in html, f"{variable} has no value"
    assert "prefers-color-scheme: dark" in html


def _luminance(colour: str) -> float:
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    linear = [p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def _contrast(one: str, other: str) -> float:
    high, low = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("theme", [0, 1], ids=["light", "dark"])
def test_text_and_marks_have_enough_contrast_in_both_themes(theme: int) -> None:
    """WCAG 2.2 AA: 4.5 for text, 3 for graphics that carry meaning."""
    css = Path(page.__file__).with_name("templates").joinpath("style.css").read_text("utf-8")
    block = re.findall(r":root \{(.*?)\}", css, re.DOTALL)[theme]
    colours = dict(re.findall(r"--([\w-]+): (#[0-9a-f]{6});", block))

    for surface in ("card", "paper", "shade"):
        for text in ("ink", "muted", "link"):
            assert _contrast(colours[text], colours[surface]) >= 4.5, (text, surface)
    for tone in ("good", "fail", "unsure", "void"):
        for text in (tone, "ink", "muted"):
            assert _contrast(colours[text], colours[f"{tone}-soft"]) >= 4.5, (text, tone)
    series = [f"series-{number}" for number in range(1, 7)]
    for mark in ("response", "service", "bad", "skipped", "limit", *series):
        assert _contrast(colours[mark], colours["card"]) >= 3, mark


def test_the_same_run_gives_the_same_bytes_in_another_process() -> None:
    code = (
        "import sys; sys.path.insert(0, sys.argv[1]); import reports_samples;"
        "sys.stdout.buffer.write(reports_samples.page_of('fail').encode())"
    )
    here = str(Path(reports_samples.__file__).parent)
    elsewhere = subprocess.run(
        [sys.executable, "-c", code, here],
        env={**os.environ, "PYTHONHASHSEED": "12345", "TZ": "Asia/Tokyo", "LC_ALL": "C"},
        capture_output=True,
        check=True,
        timeout=60,
    )

    assert elsewhere.stdout == page_of("fail").encode()


def test_an_hour_is_drawn_thin_and_says_so() -> None:
    html = page_of("hour")

    assert "Drawn in columns of 12 s, each with the latency of its worst second" in html
    assert len(html.encode()) < 2_000_000
