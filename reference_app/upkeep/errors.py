"""What can go wrong in upkeep, told so that an operator can act at night."""

from __future__ import annotations


class UpkeepError(Exception):
    """Upkeep cannot do what it was asked.

    Attributes:
        what: What is wrong.
        fix: What to do about it.
    """

    def __init__(self, what: str, *, fix: str) -> None:
        super().__init__(f"{what}\n  fix: {fix}")
        self.what = what
        self.fix = fix


class VerificationError(UpkeepError):
    """Something was checked and found wrong: the data, not the tools."""
