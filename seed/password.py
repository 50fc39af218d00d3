"""The one password hash of a dataset.

Every seeded account has the same password (L-01), so one hash is made for all of them: hashing
70,000 passwords at a sign-in's cost would take minutes and prove nothing. Format and parameters
are those the reference application reads: ``scrypt$<log2 N>$8$1$<salt>$<hash>``, base64 without
padding; an integration test signs in with it.

Source: RFC 7914, "The scrypt Password-Based Key Derivation Function".
"""

from __future__ import annotations

import base64
import hashlib
from functools import lru_cache

from palier.model.identity import password

_R, _P, _HASH_BYTES, _SALT_BYTES = 8, 1, 32, 16


@lru_cache(maxsize=4)
def password_hash(*, seed: int, log2_n: int) -> str:
    """Hash of ``identity.password(seed)``; the salt is derived from the seed, so it is repeatable.

    Args:
        seed: Seed of the dataset.
        log2_n: Cost, N = 2**log2_n; needs N KiB of memory.
    """
    salt = hashlib.sha256(f"palier salt {seed}".encode()).digest()[:_SALT_BYTES]
    n = 1 << log2_n
    digest = hashlib.scrypt(
        password(seed).encode(),
        salt=salt,
        n=n,
        r=_R,
        p=_P,
        dklen=_HASH_BYTES,
        maxmem=128 * _R * (n + _P + 2),  # OpenSSL's default limit refuses N >= 2**15
    )
    return f"scrypt${log2_n}${_R}${_P}${_base64(salt)}${_base64(digest)}"


def _base64(data: bytes) -> str:
    return base64.b64encode(data).rstrip(b"=").decode("ascii")
