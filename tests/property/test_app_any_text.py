"""The checker on any text: it stays calm, keeps to its bounds, and has nothing to add."""

from __future__ import annotations

import sys
from itertools import pairwise

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from reference_app.fluide.checker.check import apply, check
from reference_app.fluide.checker.elision import BY_WORD as ELISION
from reference_app.fluide.checker.homophones import BY_WORD as HOMOPHONES
from reference_app.fluide.checker.lexicon import GENDERS
from reference_app.fluide.checker.rules import RULES
from reference_app.fluide.checker.spelling import WRONG
from reference_app.fluide.checker.verbs import PARTICIPLES, TABLES

ANY = st.text(max_size=200)

WORDS = sorted(
    {
        *ELISION, *HOMOPHONES, *WRONG, *PARTICIPLES, "homme", "amie", "il", "ils", "elle", "tu",
        "je", "un", "une", "les", "des", "mes", "deux", "avoir", "aurais", "etc", "en", "Janvier",
    }
    | set(sorted(GENDERS)[::7])
    | {form for persons in list(TABLES.values())[:14] for form in persons}
)  # fmt: skip

SIGNS = (" ", "  ", " ", "'", "’", "-", ", ", " ,", ",", ". ", " .", "...", "… ", "?", " !", ":",
         ";", "«", "»", " (", " )", "\n", "\u00a0", "\u202f")  # fmt: skip

LIKE_FRENCH = st.lists(
    st.tuples(
        st.sampled_from(WORDS).flatmap(
            lambda word: st.sampled_from((word, word, word.capitalize(), word.upper()))
        ),
        st.sampled_from(SIGNS),
    ),
    max_size=14,
).map(lambda pairs: "".join(word + sign for word, sign in pairs))
"""Words that rules look at, between signs that rules look at: far more mistakes than any text."""


@given(ANY | LIKE_FRENCH)
@example("Le  homme , de le il à")
@example("\ud800 é\u0301 ß ŉ İ ǆ")
def test_the_corrected_text_is_stable_and_every_place_lies_in_the_text(text: str) -> None:
    checked = check(text)

    assert apply(text, checked.issues) == checked.corrected
    again = check(checked.corrected)
    assert again.issues == (), [(one.rule, one.found, one.suggestion) for one in again.issues]
    for one in checked.issues:
        assert 0 <= one.start <= one.end <= len(text)
        assert text[one.start : one.end] == one.found != one.suggestion
        assert one.rule in RULES
    assert all(one.end <= other.start for one, other in pairwise(checked.issues))


@given(ANY | LIKE_FRENCH)
def test_the_same_text_gives_the_same(text: str) -> None:
    assert check(text) == check(text)


@pytest.mark.parametrize(
    "unit",
    ["a", " ", ",", ".", "…", "?", "'", "-", "le ", "il à ", "«", "le homme ", "a.", "\n", "\u0301",
     "tu mange ", "http://", "ils on manger, "],
)  # fmt: skip
def test_the_work_grows_with_the_text_and_not_with_its_square(unit: str) -> None:
    """Counted in lines of Python that run, which no busy machine changes."""

    def lines(length: int) -> int:
        return _lines_run((unit * length)[:length])

    assert lines(1_600) < 5 * lines(400) + 1_000


def _lines_run(text: str) -> int:
    count = 0

    def trace(_frame: object, _event: str, _arg: object) -> object:
        nonlocal count
        count += 1
        return trace

    before = sys.gettrace()
    sys.settrace(trace)  # type: ignore[arg-type]
    try:
        check(text)
    finally:
        sys.settrace(before)
    return count
