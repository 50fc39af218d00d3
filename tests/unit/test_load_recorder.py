"""What a loader's lines say, and what is kept of single requests."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from palier.errors import RunFilesError
from palier.load.exemplars import FAILURES_KEPT, MESSAGES_KEPT, SLOWEST_KEPT, ExemplarChoice
from palier.load.histogram import bucket_of
from palier.load.ledger import LedgerBook
from palier.load.progress import ProgressMeter
from palier.load.recorder import Recorder, Sent
from palier.load.tail import Tail

SENT = Sent(
    operation="list",
    planned_second=1,
    intended_us=2_100_000,
    started_us=2_400_000,
    ended_us=2_500_000,
    outcome="succeeded",
    session_wait_us=250_000,
    session=7,
)


def played(*requests: Sent) -> Recorder:
    recorder = Recorder(worker=3)
    for sent in requests:
        recorder.start(operation=sent.operation, planned_second=sent.planned_second)
        if recorder.end(sent):
            recorder.keep(sent, status=200, request_id="r-1")
    return recorder


def test_a_request_is_counted_where_it_was_planned_and_timed_where_it_was_intended() -> None:
    line = played(SENT).line(at_s=3.0, final=False, health={"cpu_s": 0.1})

    assert line["ledger"] == [[1, "list", {"started": 1, "succeeded": 1}]]
    assert line["histograms"] == [
        [2, "list", "succeeded", "response", {bucket_of(400_000): 1}],
        [2, "list", "succeeded", "service", {bucket_of(100_000): 1}],
        [2, "list", "succeeded", "lag", {bucket_of(300_000): 1}],
        [2, "list", "succeeded", "generator_lag", {bucket_of(50_000): 1}],
    ]
    assert line["exemplars"] == [SENT.exemplar(status=200, request_id="r-1")]
    assert line["health"]["lag_free_max_ms"] == 50.0
    assert line["health"]["session_wait_max_ms"] == 250.0
    assert (line["worker"], line["seq"], line["final"]) == (3, 0, False)


def test_a_line_holds_only_what_happened_since_the_one_before() -> None:
    recorder = played(SENT)
    recorder.line(at_s=3.0, final=False, health={})
    line = recorder.line(at_s=4.0, final=True, health={}, observations={"x": 1})

    assert (line["ledger"], line["histograms"], line["exemplars"]) == ([], [], [])
    assert (line["seq"], line["final"], line["observations"]) == (1, True, {"x": 1})


def test_a_started_request_is_in_the_line_before_it_has_ended() -> None:
    recorder = Recorder(worker=0)
    recorder.start(operation="list", planned_second=0)
    line = recorder.line(at_s=1.0, final=False, health={})
    assert line["ledger"] == [[0, "list", {"started": 1}]]
    assert line["health"]["in_flight"] == 1


def test_a_skip_that_is_nobodys_fault_has_no_response_time() -> None:
    recorder = Recorder(worker=0)
    recorder.skip(operation="list", planned_second=0, reason="interrupted")
    line = recorder.line(at_s=1.0, final=False, health={})
    assert line["ledger"] == [[0, "list", {"skipped_interrupted": 1}]]
    assert line["histograms"] == []


def test_a_request_that_began_before_it_was_wanted_is_a_clock_error() -> None:
    with pytest.raises(ValueError, match="negative duration"):
        played(SENT._replace(started_us=2_000_000))


def test_the_slowest_requests_are_kept_and_the_others_are_not() -> None:
    choice = ExemplarChoice()
    assert all(choice.keeps("list", 1000 + n, "succeeded", "") for n in range(SLOWEST_KEPT))
    assert not choice.keeps("list", 999, "succeeded", "")
    assert choice.keeps("list", 5000, "succeeded", "")
    assert choice.keeps("other", 1, "succeeded", "")


def test_each_way_to_fail_is_kept_a_few_times_and_the_ways_are_bounded() -> None:
    choice = ExemplarChoice()
    for n in range(SLOWEST_KEPT):
        choice.keeps("list", 10**9 + n, "succeeded", "")
    kept = [choice.keeps("list", 1, "failed", "status 500") for _ in range(FAILURES_KEPT + 3)]
    assert sum(kept) == FAILURES_KEPT
    kept = [choice.keeps("list", 1, "failed", f"id {n}") for n in range(2 * MESSAGES_KEPT)]
    assert sum(kept) == MESSAGES_KEPT - 1


def test_a_ledger_refuses_what_a_loader_must_not_say() -> None:
    book = LedgerBook({})
    with pytest.raises(ValueError, match="planned = 1"):
        book.add(0, "list", {"planned": 1})
    with pytest.raises(ValueError, match="started = -1"):
        book.add(0, "list", {"started": -1})


def test_a_tail_reads_whole_lines_only_and_each_of_them_once(tmp_path: Path) -> None:
    path = tmp_path / "worker-0.jsonl"
    tail = Tail(path, worker=0)
    assert list(tail.read()) == []

    recorder = played(SENT)
    first = json.dumps(recorder.line(at_s=1.0, final=False, health={})) + "\n"
    second = json.dumps(recorder.line(at_s=2.0, final=True, health={})) + "\n"
    path.write_text(first + second[:10])
    assert [line["seq"] for line in tail.read()] == [0]
    assert not tail.final

    path.write_text(first + second)
    assert [line["seq"] for line in tail.read()] == [1]
    assert tail.final


@pytest.mark.parametrize("text", ["not JSON", "[]", '{"schema":1}', '{"schema":2,"seq":0}'])
def test_a_damaged_line_is_an_error_with_its_number(tmp_path: Path, text: str) -> None:
    path = tmp_path / "worker-0.jsonl"
    path.write_text(text + "\n")
    with pytest.raises(RunFilesError, match="line 1"):
        list(Tail(path, worker=0).read())


def test_a_missing_line_is_an_error(tmp_path: Path) -> None:
    recorder = played(SENT)
    recorder.line(at_s=1.0, final=False, health={})
    path = tmp_path / "worker-0.jsonl"
    path.write_text(json.dumps(recorder.line(at_s=2.0, final=False, health={})) + "\n")
    with pytest.raises(RunFilesError, match="is not line 0"):
        list(Tail(path, worker=0).read())


def test_progress_is_about_the_last_seconds() -> None:
    meter = ProgressMeter({(second, "list"): 10 for second in range(20)}, duration_s=20.0)
    recorder = Recorder(worker=0)
    for second in range(1, 13):
        for _ in range(8 if second < 12 else 13):
            recorder.start(operation="list", planned_second=second)
            recorder.end(SENT._replace(outcome="failed" if second == 1 else "succeeded"))
        text = json.dumps(recorder.line(at_s=float(second), final=False, health={}))
        meter.add(json.loads(text))

    progress = meter.at(12.9)  # the next line is not due yet

    assert progress.offered_per_s == 10.0
    assert progress.achieved_per_s == (4 * 8 + 13) / 5
    assert progress.p95_s == pytest.approx(0.4, rel=0.001)
    assert (progress.errors, progress.in_flight) == (8, 0)
    assert (progress.planned_so_far, progress.planned) == (120, 200)
    overdue = meter.at(15.0)  # a loader that says nothing has sent nothing, as far as we know
    assert overdue.achieved_per_s == (8 + 13) / 5
    assert overdue.offered_per_s == 10.0
