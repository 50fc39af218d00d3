"""Tags of answers, and clients that have them already."""

from __future__ import annotations

import pytest

from reference_app.conditional import represent, seen_as

TAG = '"abc"'


@pytest.mark.parametrize(
    ("sent", "seen"),
    [
        ('"abc"', '"abc"'),
        ('W/"abc"', 'W/"abc"'),
        ('"x", W/"y" ,"abc"', '"abc"'),
        ('"a,b", "abc"', '"abc"'),
        ("*", TAG),
        (" * ", TAG),
        ('""', None),
        ('"abcd"', None),
        ('w/"abc"', None),
        ("abc", None),
        ('"abc', None),
        ("", None),
        ('"x" "abc"', None),
    ],
)
def test_a_tag_is_compared_weakly_and_said_back_as_it_was_sent(sent: str, seen: str | None) -> None:
    assert seen_as(sent, TAG) == seen


def test_a_tag_is_a_function_of_the_bytes() -> None:
    one, same, other = represent({"a": 1}), represent({"a": 1}), represent({"a": 2})
    assert one == same
    assert one.body == b'{"a":1}'
    assert one.etag != other.etag
    assert one.etag.startswith('"')
    assert one.etag.endswith('"')
