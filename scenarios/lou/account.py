"""Owners and the support desk sign in."""

from __future__ import annotations

from palier.model.identity import SUPPORT_EMAIL, owner_email
from scenarios.account import SignedIn
from scenarios.operation import operation


class Account(SignedIn):
    """Somebody with an account of LiveOwnerUnit."""

    abstract = True

    @operation(essential=True)
    def sign_in(self) -> None:
        self.sign_in_as(owner_email(self.tenant))

    @operation(essential=True)
    def sign_in_support(self) -> None:
        self.sign_in_as(SUPPORT_EMAIL)
