"""The nearest allowed word to a mistyped one."""

from __future__ import annotations

import difflib
from collections.abc import Iterable


def nearest(word: str, allowed: Iterable[str]) -> str | None:
    """The most similar allowed word, or ``None`` when nothing is similar."""
    found = difflib.get_close_matches(word.lower(), list(allowed), n=1, cutoff=0.6)
    return found[0] if found else None


def suggestion(word: str, allowed: Iterable[str]) -> str:
    """``did you mean 'limit'?``, or the list of what is allowed."""
    words = list(allowed)
    best = nearest(word, words)
    if best is not None:
        return f"did you mean {best!r}?"
    return "use one of: " + ", ".join(words)
