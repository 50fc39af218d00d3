"""Random-looking whole numbers that are a function of where they are used, not of when.

A sequential generator would make row 1,000 depend on the 999 before it. Here every row has a key,
a hash of (seed, kind, tenant, index), and every field of the row hashes that key with its own
number, so rows can be made in any order, by any process, one at a time or a million at once.
Integers only: the same on every machine.

Source: S. Vigna, splitmix64, https://prng.di.unimi.it/splitmix64.c (the mixing function).
"""

from __future__ import annotations

import hashlib

import numpy as np
from numpy.typing import NDArray

_GOLDEN = 0x9E3779B97F4A7C15
_MIX_1 = 0xBF58476D1CE4E5B9
_MIX_2 = 0x94D049BB133111EB


def row_keys(
    *, seed: int, kind: str, tenants: NDArray[np.int64], indexes: NDArray[np.int64]
) -> NDArray[np.uint64]:
    """Key of each row; ``tenants`` and ``indexes`` have the same shape (n,)."""
    stream = int.from_bytes(hashlib.sha256(f"{seed}/{kind}".encode()).digest()[:8], "little")
    tenant_keys = _mixed(tenants.astype(np.uint64) ^ np.uint64(stream))
    return _mixed(tenant_keys ^ indexes.astype(np.uint64))


def below(
    keys: NDArray[np.uint64], field: int, bound: int | NDArray[np.int64]
) -> NDArray[np.int64]:
    """One whole number in [0, bound) for each key; ``field`` tells the draws of a row apart.

    Args:
        keys: Shape (n,).
        field: Small number, different for each use within a row.
        bound: At least 1 and below 2**31; one for all or one for each key. The bias of
            multiply-and-shift is below bound / 2**32.
    """
    offset = np.uint64((field + 1) * _GOLDEN & 0xFFFFFFFFFFFFFFFF)
    high = _mixed(keys + offset) >> np.uint64(32)
    bounds = np.asarray(bound, dtype=np.uint64)
    return ((high * bounds) >> np.uint64(32)).astype(np.int64)


def _mixed(values: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """splitmix64's finaliser on each value; arithmetic modulo 2**64 is meant."""
    mixed = values + np.uint64(_GOLDEN)
    mixed = (mixed ^ (mixed >> np.uint64(30))) * np.uint64(_MIX_1)
    mixed = (mixed ^ (mixed >> np.uint64(27))) * np.uint64(_MIX_2)
    return mixed ^ (mixed >> np.uint64(31))
