"""Access tokens: what a process remembers of them changes nothing but the time it takes."""

from __future__ import annotations

import time
import uuid

import pytest

from reference_app.identity import tokens
from reference_app.identity.principal import Principal
from reference_app.identity.tokens import InvalidTokenError, Tokens

SECRET = "only for tests, and long enough for HS256"


def somebody() -> Principal:
    user_id = uuid.uuid4()
    return Principal(user_id, "owner", user_id)


@pytest.mark.covers("B-52")
def test_a_token_that_was_read_before_ends_when_its_time_has_come():
    started = time.time()
    now = [started]
    ours = Tokens(SECRET, ttl_s=60, now=lambda: now[0])
    who = somebody()
    token = ours.issue(who)
    assert ours.read(token) == who

    now[0] = started + 58
    assert ours.read(token) == who
    now[0] = started + 61
    for _ in range(2):
        with pytest.raises(InvalidTokenError):
            ours.read(token)


def test_a_forged_token_is_refused_every_time():
    ours, theirs = Tokens(SECRET, ttl_s=60), Tokens("x" * 32, ttl_s=60)
    forged = theirs.issue(somebody())

    for _ in range(3):
        with pytest.raises(InvalidTokenError):
            ours.read(forged)


def test_more_tokens_than_are_remembered_are_still_read(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(tokens, "REMEMBERED_MAX", 3)
    ours = Tokens(SECRET, ttl_s=60)
    people = [somebody() for _ in range(8)]
    issued = [ours.issue(who) for who in people]

    assert [ours.read(token) for token in issued * 2] == people * 2
