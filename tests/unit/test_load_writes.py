"""The log of writes: read back as written, also when its loader was killed."""

from __future__ import annotations

from dataclasses import replace

import pytest

from palier.errors import RunFilesError
from palier.load.writes import Write, last_line, read_writes, writes_file

WRITE = Write(
    at_ns=5,
    operation="create_reservation",
    tenant=3,
    session=12,
    kind="reservation",
    action="create",
    id="6f1d1f8e-5a2b-5c07-9d6e-0f5a5b1c7a11",
    row={"client_nom": "Famille Lefèvre", "voyageurs": 2},
    fate="acknowledged",
)


def test_the_writes_of_all_loaders_come_back_in_the_order_of_their_answers(tmp_path):
    later = replace(WRITE, at_ns=9, id=None, fate="unanswered")
    writes_file(tmp_path, 0).write_text(later.line() + last_line(1))
    writes_file(tmp_path, 1).write_text(WRITE.line() + last_line(1))

    log = read_writes(tmp_path, workers=2)

    assert log.writes == (WRITE, later)
    assert log.unknown == ()


@pytest.mark.parametrize("end", ["", WRITE.line()[:40], WRITE.line().rstrip("\n")])
def test_a_killed_loader_keeps_what_it_had_flushed_and_is_named(tmp_path, end):
    writes_file(tmp_path, 0).write_text(WRITE.line() + end)

    log = read_writes(tmp_path, workers=2)

    assert log.writes == (WRITE,)
    assert log.unknown == (0, 1)


@pytest.mark.parametrize(
    "text",
    [
        "not a line\n",
        '{"schema": 2}\n',
        '{"schema": 1, "kind": "reservation"}\n',
        WRITE.line() + last_line(2),
    ],
)
def test_a_damaged_log_is_an_error(tmp_path, text):
    writes_file(tmp_path, 0).write_text(text)

    with pytest.raises(RunFilesError):
        read_writes(tmp_path, workers=1)
