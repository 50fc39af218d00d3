"""The ledger closes for every history that accounts for what was planned, and for no other."""

from __future__ import annotations

from collections import Counter
from typing import Any

from hypothesis import assume, given
from hypothesis import strategies as st

from palier.load.histogram import bucket_of
from palier.load.ledger import LedgerBook, closes
from palier.load.merge import Merger
from palier.load.outcome import CLOCKS, OUTCOMES, SKIP_REASONS
from palier.load.recorder import Recorder, Sent

FATES = (*OUTCOMES, *SKIP_REASONS)

STEPS = st.lists(
    st.tuples(
        st.integers(0, 9_999_999),  # planned at, µs
        st.sampled_from("abc"),
        st.sampled_from(FATES),
        st.integers(0, 3_000_000),  # wait for a session, µs
        st.integers(0, 50_000),  # lateness of the generator, µs
        st.integers(0, 20_000_000),  # service, µs
    ),
    max_size=60,
)

Step = tuple[int, str, Any, int, int, int]


def planned_of(steps: list[Step]) -> Counter[tuple[int, str]]:
    return Counter((at_us // 1_000_000, operation) for at_us, operation, *_ in steps)


def lines_of(worker: int, steps: list[Step], line_every: int) -> list[dict[str, Any]]:
    """What a loader would write of these steps."""
    recorder = Recorder(worker=worker)
    lines = []
    for number, (at_us, operation, fate, wait_us, lag_us, service_us) in enumerate(steps):
        second = at_us // 1_000_000
        if fate in SKIP_REASONS:
            recorder.skip(
                operation=operation,
                planned_second=second,
                reason=fate,
                intended_us=at_us,
                waited_us=wait_us,
            )
        else:
            recorder.start(operation=operation, planned_second=second)
            started_us = at_us + wait_us + lag_us
            recorder.end(
                Sent(
                    operation=operation,
                    planned_second=second,
                    intended_us=at_us,
                    started_us=started_us,
                    ended_us=started_us + service_us,
                    outcome=fate,
                    session_wait_us=wait_us,
                    session=number,
                )
            )
        if number % line_every == 0:
            lines.append(recorder.line(at_s=0.0, final=False, health={}))
    return [*lines, recorder.line(at_s=0.0, final=True, health={})]


@given(STEPS, st.integers(1, 4), st.integers(1, 10))
def test_a_run_of_any_outcomes_closes_however_it_is_split(
    steps: list[Step], workers: int, line_every: int
) -> None:
    merger = Merger(planned_of(steps))
    for worker in range(workers):
        for line in lines_of(worker, steps[worker::workers], line_every):
            merger.add(line)

    ledger, histograms = merger.ledger(), merger.histograms()

    assert closes(ledger)
    fates = Counter(fate for _, _, fate, *_ in steps)
    assert {o: int(ledger[o].sum()) for o in OUTCOMES} == {o: fates[o] for o in OUTCOMES}
    assert {r: int(ledger[f"skipped_{r}"].sum()) for r in SKIP_REASONS} == {
        r: fates[r] for r in SKIP_REASONS
    }
    # Every clock of every sent request is there, and merging lost none.
    for clock in CLOCKS:
        rows = histograms[(histograms["clock"] == clock) & (histograms["outcome"] != "skipped")]
        assert rows["count"].sum() == sum(fates[outcome] for outcome in OUTCOMES)
    expected = Counter(
        bucket_of(wait_us if fate in SKIP_REASONS else wait_us + lag_us + service_us)
        for _, _, fate, wait_us, lag_us, service_us in steps
    )
    responses = histograms[histograms["clock"] == "response"]
    assert responses.groupby("bucket")["count"].sum().to_dict() == expected


@given(STEPS, st.data())
def test_a_run_that_forgot_one_request_does_not_close(
    steps: list[Step], data: st.DataObject
) -> None:
    assume(steps)
    forgotten = data.draw(st.integers(0, len(steps) - 1))
    merger = Merger(planned_of(steps))
    for line in lines_of(0, steps[:forgotten] + steps[forgotten + 1 :], 5):
        merger.add(line)
    assert not closes(merger.ledger())


@given(STEPS, STEPS)
def test_books_add_up(one: list[Step], other: list[Step]) -> None:
    apart = [LedgerBook(planned_of(steps)) for steps in (one, other)]
    together = LedgerBook(planned_of(one + other))
    for book, steps in zip(apart, (one, other), strict=True):
        for line in lines_of(0, steps, 3):
            for second, operation, counts in line["ledger"]:
                book.add(second, operation, counts)
                together.add(second, operation, counts)
    apart[0].merge(apart[1])
    assert apart[0].frame().equals(together.frame())
