"""HTTPS is as HTTP, with certificates."""

from __future__ import annotations

import ssl
import sys
from datetime import UTC, datetime, timedelta
from ipaddress import IPv4Address
from pathlib import Path

import gevent
import gevent.ssl
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from scenarios.operation import Failed, TimedOut

sys.path.insert(0, str(Path(__file__).parent.parent / "support"))

from asking import LIMIT_S, OK, always, ask, client_of
from wire import Peer, Wire


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A certificate that nobody has signed but itself, and its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    now = datetime.now(tz=UTC)
    signed = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(
            x509.SubjectAlternativeName([x509.IPAddress(IPv4Address("127.0.0.1"))]), critical=False
        )
        .sign(key, hashes.SHA256())
    )
    where = tmp_path_factory.mktemp("tls")
    pem = where / "cert.pem", where / "key.pem"
    pem[0].write_bytes(signed.public_bytes(serialization.Encoding.PEM))
    pem[1].write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    return pem


def of_server(certificate: tuple[Path, Path]) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*certificate)
    return context


def test_https_connections_are_kept_like_others(certificate: tuple[Path, Path]) -> None:
    trusting = gevent.ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    trusting.load_verify_locations(str(certificate[0]))
    for options in ({"verify": False}, {"context": trusting}):
        with Wire(always(OK), context=of_server(certificate)) as wire:
            with client_of(wire, **options) as client:
                assert [ask(client).body for _ in range(4)] == [b"ok"] * 4
            assert wire.connections <= 2  # tickets that come late may cost one connection
            assert len(wire.requests) == 4


def test_a_certificate_that_nobody_trusts_is_refused_when_it_shall_be(
    certificate: tuple[Path, Path],
) -> None:
    with (
        Wire(always(OK), context=of_server(certificate)) as wire,
        client_of(wire) as client,
        pytest.raises(Failed, match="no connection: SSLCertVerificationError"),
    ):
        ask(client)
    assert wire.requests == []


def test_https_fails_and_times_out_like_others(certificate: tuple[Path, Path]) -> None:
    def behave(peer: Peer) -> None:
        if peer.request().startswith(b"GET /cut "):
            peer.send(OK[:-1])
        else:
            peer.wait_for_end()

    with (
        Wire(behave, context=of_server(certificate)) as wire,
        client_of(wire, 2 * LIMIT_S, verify=False) as client,
    ):
        with pytest.raises(Failed, match="no whole answer"):
            ask(client, path="/cut")
        with pytest.raises(TimedOut, match="no answer in"):
            ask(client, path="/wait")
