"""Stored password hashes of every kind there could be."""

from __future__ import annotations

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from reference_app.identity.passwords import hash_password, verify

STORED = hash_password("palier-1", b"x" * 16, 1)


@given(r=st.integers(-1, 2**40), p=st.integers(-1, 2**40))
def test_a_stored_hash_cannot_ask_for_more_memory_or_time_than_ours(r: int, p: int) -> None:
    assume((r, p) != (8, 1))
    scheme, log2_n, _, _, salt, digest = STORED.split("$")

    with pytest.raises(ValueError, match="other scrypt parameters"):
        verify("palier-1", f"{scheme}${log2_n}${r}${p}${salt}${digest}")


@given(guess=st.text(max_size=20))
def test_only_the_password_itself_verifies(guess: str) -> None:
    assert verify(guess, STORED) == (guess == "palier-1")
