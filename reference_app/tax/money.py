"""Whole cents: how they are rounded, and how a sum is shared out so that no cent is lost."""

from __future__ import annotations

from collections.abc import Sequence


def half_up(numerator: int, denominator: int) -> int:
    """``numerator / denominator``, rounded to the nearest whole number, halves up.

    Neither is negative, and nothing here is ever a float.
    """
    return (2 * numerator + denominator) // (2 * denominator)


def share_out(total: int, weights: Sequence[int]) -> list[int]:
    """Shares of ``total`` in proportion to ``weights``; they add up to it exactly.

    Every share is rounded down, and what is left over goes, one each, to those who lost most by
    that; of two who lost the same, to the earlier (the largest-remainder method). Without any
    weight all weigh the same.

    Args:
        total: 0 or more.
        weights: 0 or more each; none at all gives no shares.
    """
    if not weights:
        return []
    if not any(weights):
        weights = [1] * len(weights)
    whole = sum(weights)
    shares = [total * weight // whole for weight in weights]
    lost = [total * weight % whole for weight in weights]
    by_loss = sorted(range(len(weights)), key=lambda place: (-lost[place], place))
    for place in by_loss[: total - sum(shares)]:
        shares[place] += 1
    return shares
