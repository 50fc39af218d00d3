"""The text of a line, made in pieces, is the line."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from palier.load.recorder import Recorder, Sent
from scenarios.line_text import POSITIONS, pieces

WAITS = st.lists(st.integers(min_value=0, max_value=10**7), max_size=60)


def line_of(responses_us: list[int], visits: int) -> dict[str, Any]:
    recorder = Recorder(worker=0)
    for number, response_us in enumerate(responses_us):
        operation = f"look {number % 3}"
        recorder.start(operation, number)
        sent = Sent(operation, number, 0, 0, response_us, "failed", 0, number, f"é {number}")
        if recorder.end(sent):
            recorder.keep(sent, status=500)
    positions = {"open": [[one, 1] for one in range(visits)], "closed": list(range(visits))}
    return recorder.line(at_s=0.5, final=False, health={"cpu_s": 0.1}, positions=positions)


@given(WAITS, st.integers(min_value=0, max_value=3 * POSITIONS))
def test_the_pieces_joined_are_one_line_that_says_the_same(
    responses_us: list[int], visits: int
) -> None:
    line = line_of(responses_us, visits)

    text = "".join(pieces(line))

    assert text.index("\n") == len(text) - 1
    assert text == json.dumps(line, separators=(",", ":")) + "\n"


def test_no_piece_of_a_busy_line_is_long() -> None:
    line = line_of(list(range(0, 4_000_000, 1000)), 4000)

    assert max(map(len, pieces(line))) < 30_000
