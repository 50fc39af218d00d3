"""Reading an access log: every instant to the microsecond, every mistake with its line."""

from __future__ import annotations

import pytest

from palier.errors import ConfigError
from palier.model import trace
from palier.model.trace import parse_trace

COMMON = """\
127.0.0.1 - frank [10/Oct/2000:13:55:36 -0700] "GET /apache_pb.gif HTTP/1.0" 200 2326
127.0.0.1 - - [10/Oct/2000:20:55:38 +0000] "GET /a[1] HTTP/1.0" 200 2326
127.0.0.1 - - [10/Oct/2000:13:55:37 -0700] "GET / HTTP/1.0" 200 1 "http://x/" "Mozilla/4.08 [en]"
"""


def read(text: str) -> tuple[int, ...]:
    return parse_trace(text.splitlines(), where="access.log")


def test_common_and_combined_lines_are_read_with_their_zones_and_put_in_order() -> None:
    assert read(COMMON) == (0, 1_000_000, 2_000_000)


def test_iso_instants_are_exact_to_the_microsecond() -> None:
    text = """\
# two zones, one instant without
2026-11-21T08:00:00.000001Z

2026-11-21T09:00:00.250000+01:00
2026-11-21 08:00:01
"""
    assert read(text) == (0, 249_999, 999_999)


def test_seconds_since_1970_lose_no_digit() -> None:
    # As floating point the second one would be ...123456001 or ...123455999.
    assert read("1700000000\n1700000000.123456\n1700000001.1\n1700000000.1234569\n") == (
        0,
        123_456,
        123_456,
        1_100_000,
    )


@pytest.mark.parametrize(
    "line",
    ["GET /", "99/Oct/2000", "[99/Oct/2000:13:55:36 -0700]", "[10/Okt/2000:13:55:36 +0000]", "-5"],
)
def test_a_line_without_an_instant_is_told_with_its_number(line: str) -> None:
    with pytest.raises(ConfigError, match="no instant") as caught:
        read(f"1700000000\n{line}\n")
    assert caught.value.where == "access.log:2"


def test_an_empty_log_is_refused() -> None:
    with pytest.raises(ConfigError, match="no arrival"):
        read("# nothing\n\n")


def test_a_log_too_long_for_a_plan_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(trace, "MOST_ARRIVALS", 3)
    assert len(read("1\n2\n3\n")) == 3
    with pytest.raises(ConfigError, match="more than 3 arrivals"):
        read("1\n2\n3\n4\n")
