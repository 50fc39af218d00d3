"""How the loader itself is doing: what a line says of the loader, beside what it measured."""

from scenarios.vitals.vitals import Vitals

__all__ = ["Vitals"]
