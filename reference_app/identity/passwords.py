"""Password hashes: scrypt, with the cost kept in the hash.

Format: ``scrypt$<log2 N>$<r>$<p>$<salt>$<hash>``; salt and hash are standard base64 without
padding, the hash is 32 bytes, r = 8 and p = 1. A stored hash says its own cost, so the cost of
new passwords can change while old ones still verify.

Source: RFC 7914, "The scrypt Password-Based Key Derivation Function".
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
from dataclasses import dataclass

BLOCK_SIZE_R = 8
PARALLEL_P = 1
HASH_BYTES = 32
SALT_BYTES = 16
LOG2_N_RANGE = range(1, 21)
"""Above 2**20 one sign-in needs more than 1 GiB: a corrupt row must not be able to ask for it."""


@dataclass(frozen=True, slots=True)
class _Parts:
    log2_n: int
    r: int
    p: int
    salt: bytes
    digest: bytes


def hash_password(password: str, salt: bytes, log2_n: int) -> str:
    """Hash a password; the same arguments always give the same text.

    Args:
        password: Any text; UTF-8 encoded.
        salt: Random bytes, 16 for a new password.
        log2_n: Cost: N = 2**log2_n, memory N x 1 KiB (128 x r x N bytes).

    Raises:
        ValueError: ``log2_n`` lies outside 1 to 20.
    """
    digest = _scrypt(password, salt, log2_n, BLOCK_SIZE_R, PARALLEL_P)
    return f"scrypt${log2_n}${BLOCK_SIZE_R}${PARALLEL_P}${_encode(salt)}${_encode(digest)}"


def verify(password: str, stored: str) -> bool:
    """Tell whether ``password`` has the stored hash, at the cost the hash names.

    Raises:
        ValueError: ``stored`` is not of our format.
    """
    parts = _parse(stored)
    digest = _scrypt(password, parts.salt, parts.log2_n, parts.r, parts.p)
    return hmac.compare_digest(digest, parts.digest)


def _scrypt(password: str, salt: bytes, log2_n: int, r: int, p: int) -> bytes:
    if log2_n not in LOG2_N_RANGE:
        raise ValueError(f"scrypt cost 2**{log2_n} lies outside 2**1 to 2**20")
    n = 1 << log2_n
    # OpenSSL's default memory limit of 32 MiB refuses N >= 2**15; ask for what the cost needs.
    memory = 128 * r * (n + p + 2)
    return hashlib.scrypt(
        password.encode(), salt=salt, n=n, r=r, p=p, dklen=HASH_BYTES, maxmem=memory
    )


def _parse(stored: str) -> _Parts:
    try:
        scheme, log2_n, r, p, salt, digest = stored.split("$")
        parts = _Parts(int(log2_n), int(r), int(p), _decode(salt), _decode(digest))
    except (ValueError, binascii.Error) as error:
        raise ValueError("stored password hash has an unknown format") from error
    if scheme != "scrypt":
        raise ValueError(f"stored password hash has an unknown scheme: {scheme!r}")
    if (parts.r, parts.p) != (BLOCK_SIZE_R, PARALLEL_P):
        # like log2_n, they multiply the memory and the time a sign-in takes
        raise ValueError(f"stored password hash has other scrypt parameters: r={r}, p={p}")
    return parts


def _encode(data: bytes) -> str:
    return base64.b64encode(data).rstrip(b"=").decode("ascii")


def _decode(text: str) -> bytes:
    return base64.b64decode(text + "=" * (-len(text) % 4), validate=True)
