"""Rows of which an owner or a gîte has several, numbered so that each can be made alone.

Row n of a gîte's rows of a kind has the index ``gite_index * most + n`` within the owner, where
``most`` is the largest number a gîte can have. So no row's number depends on another gîte.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from seed.draws import below, row_keys
from seed.gites import Gites
from seed.spec import DatasetSpec


@dataclass(frozen=True, slots=True, kw_only=True)
class Rows:
    """Rows of one kind as columns, each of shape (n,), in the order of their parents.

    Attributes:
        parent: Place of each row's owner or gîte among those given.
        place: 0, 1, ... among the rows of the same parent.
        owner: Number of the owner.
        index: Within the owner.
        keys: Key of each row.
    """

    parent: NDArray[np.int64]
    place: NDArray[np.int64]
    owner: NDArray[np.int64]
    index: NDArray[np.int64]
    keys: NDArray[np.uint64]

    def draw(self, field: int, bound: int | NDArray[np.int64]) -> NDArray[np.int64]:
        """One number in [0, bound) for each row (``draws.below``)."""
        return below(self.keys, field, bound)

    def take(self, order: NDArray[np.int64] | NDArray[np.bool_]) -> Rows:
        """The rows at these places, in this order."""
        return Rows(
            parent=self.parent[order],
            place=self.place[order],
            owner=self.owner[order],
            index=self.index[order],
            keys=self.keys[order],
        )


def rows_of_owners(
    spec: DatasetSpec, kind: str, owners: NDArray[np.int64], counts: NDArray[np.int64]
) -> Rows:
    """``counts`` rows of each owner, both of shape (n,)."""
    parent, place = _repeated(counts)
    return _rows(spec, kind, parent, place, owners[parent], place)


def rows_of_gites(
    spec: DatasetSpec, kind: str, gites: Gites, counts: NDArray[np.int64], *, most: int
) -> Rows:
    """``counts`` rows of each gîte, at most ``most``."""
    parent, place = _repeated(counts)
    return _rows(spec, kind, parent, place, gites.owner[parent], gites.index[parent] * most + place)


def _rows(
    spec: DatasetSpec,
    kind: str,
    parent: NDArray[np.int64],
    place: NDArray[np.int64],
    owner: NDArray[np.int64],
    index: NDArray[np.int64],
) -> Rows:
    keys = row_keys(seed=spec.seed, kind=kind, tenants=owner, indexes=index)
    return Rows(parent=parent, place=place, owner=owner, index=index, keys=keys)


def _repeated(counts: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    parent = np.repeat(np.arange(len(counts), dtype=np.int64), counts)
    first = np.cumsum(counts) - counts
    return parent, np.arange(len(parent), dtype=np.int64) - first[parent]
