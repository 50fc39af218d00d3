"""Write the name pools from Faker: ``python -m seed.build_pools``.

The pools are committed, so the data does not change when Faker's own lists do: Faker decides
which names exist, the seed decides who bears them. Running this again with another Faker changes
the data; raise ``GENERATOR_VERSION`` then.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from faker import Faker

POOLS = Path(__file__).parent / "pools"
DRAWS = 20_000
"""Enough to meet nearly every name of Faker's French lists, which hold some hundreds each."""

TOWNS = 400


def main() -> None:
    """Draw from a fixed Faker seed, keep each name once, write them sorted."""
    fake = Faker("fr_FR")
    fake.seed_instance(20260214)
    _write("first_names.txt", _distinct(fake.first_name, DRAWS))
    _write("last_names.txt", _distinct(fake.last_name, DRAWS))
    towns = [f"{fake.postcode()} {fake.city()}" for _ in range(TOWNS)]
    _write("towns.txt", sorted(set(towns)))


def _distinct(draw: Callable[[], str], draws: int) -> list[str]:
    return sorted({draw() for _ in range(draws)})


def _write(name: str, lines: list[str]) -> None:
    (POOLS / name).write_text("\n".join(lines) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
