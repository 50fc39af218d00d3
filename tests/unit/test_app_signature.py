"""Signatures of webhooks and callbacks, beside a value made by another tool."""

from __future__ import annotations

import uuid

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reference_app.signature import TOLERANCE_S, endpoint_secret, sign, why_refused

NOW = 1_800_000_000


def test_a_signature_is_the_hmac_of_timestamp_and_body() -> None:
    # printf '%s' '1800000000.{"id":1}' | openssl dgst -sha256 -hmac secret
    expected = "13f5f3ceb661492ea4336cee7f302a6e4270648ee00192c9d783c5e2b1fba7be"
    assert sign("secret", NOW, b'{"id":1}') == f"v1={expected}"


@given(body=st.binary(max_size=200), changed=st.binary(max_size=200))
def test_only_the_very_body_is_genuine(body: bytes, changed: bytes) -> None:
    signature = sign("secret", NOW, body)

    def refused(sent: bytes, secret: str = "secret") -> bool:
        why = why_refused(secret, timestamp=f"{NOW}", signature=signature, body=sent, now=NOW)
        return why is not None

    assert not refused(body)
    assert refused(changed) == (changed != body)
    assert refused(body, secret="another")


@pytest.mark.parametrize(
    ("off_s", "is_refused"), [(0, False), (TOLERANCE_S, False), (TOLERANCE_S + 1, True)]
)
@pytest.mark.parametrize("direction", [-1, 1])
def test_what_is_old_or_of_the_future_is_refused(
    off_s: int, is_refused: bool, direction: int
) -> None:
    signature = sign("secret", NOW, b"")
    why = why_refused(
        "secret", timestamp=f"{NOW}", signature=signature, body=b"", now=NOW + direction * off_s
    )
    assert (why is not None) == is_refused


@given(timestamp=st.text(max_size=30), signature=st.text(max_size=80))
def test_whatever_stands_in_the_headers_is_refused_and_breaks_nothing(
    timestamp: str, signature: str
) -> None:
    assert why_refused("secret", timestamp=timestamp, signature=signature, body=b"", now=NOW)


def test_secrets_differ_by_endpoint_and_version_and_are_the_same_tomorrow() -> None:
    one, two = uuid.UUID(int=1), uuid.UUID(int=2)
    secrets = {endpoint_secret("root", one, 1), endpoint_secret("root", one, 2),
               endpoint_secret("root", two, 1), endpoint_secret("other", one, 1)}  # fmt: skip
    assert len(secrets) == 4
    assert endpoint_secret("root", one, 1) in secrets
