"""Administrators of school groups sign in."""

from __future__ import annotations

from palier.model.identity import group_admin_email, row_id, school_group_id
from scenarios.account import SignedIn
from scenarios.operation import operation


class Administrator(SignedIn):
    """One of the administrators of a school group."""

    abstract = True

    @operation(essential=True)
    def sign_in(self) -> None:
        """Sessions of a group are those of its administrators, in turn."""
        self.sign_in_as(group_admin_email(self.tenant, self.session % self.accounts))

    def own_group(self) -> str:
        """Id of the group."""
        return str(school_group_id(seed=self.seed, group=self.tenant))

    def own_school(self) -> str:
        """The school that every group has."""
        return str(row_id(seed=self.seed, kind="school", tenant=self.tenant, index=0))
