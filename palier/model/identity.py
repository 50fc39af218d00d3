"""Who exists in the synthetic data and when: ids, addresses, passwords and the day it calls today.

Scenarios and seed share these rules, so a scenario can sign in without reading the database.
"""

from __future__ import annotations

import base64
import hashlib
import uuid
from datetime import date

ANCHOR = date(2026, 2, 14)
"""The day the data calls today: date of source 004. Fixed, so that a seed means the same rows on
any machine and any day (docs/decisions/0030-seed.md)."""

NAMESPACE = uuid.UUID("6f1d1f8e-5a2b-5c07-9d6e-0f5a5b1c7a11")
"""Root of every derived id; any fixed value would do."""


def row_id(*, seed: int, kind: str, tenant: int, index: int) -> uuid.UUID:
    """Id of row ``index`` of ``kind`` that belongs to ``tenant``."""
    return uuid.uuid5(NAMESPACE, f"{seed}/{kind}/{tenant}/{index}")


def owner_id(*, seed: int, owner: int) -> uuid.UUID:
    """Id of the account of owner ``owner``: their ``users.id`` and every ``owner_user_id``."""
    return row_id(seed=seed, kind="owner", tenant=owner, index=0)


def gite_id(*, seed: int, owner: int, index: int) -> uuid.UUID:
    """Id of gîte ``index`` of an owner; every owner has a gîte 0."""
    return row_id(seed=seed, kind="gite", tenant=owner, index=index)


def reservation_id(*, seed: int, owner: int, index: int) -> uuid.UUID:
    """Id of booking ``index`` of an owner, counted over all gîtes of that owner."""
    return row_id(seed=seed, kind="reservation", tenant=owner, index=index)


def school_group_id(*, seed: int, group: int) -> uuid.UUID:
    """Id of school group ``group``, a tenant of E-Pilot."""
    return row_id(seed=seed, kind="school_group", tenant=group, index=0)


def owner_email(owner: int) -> str:
    """Address of owner ``owner`` (L-01: "test number N at example.com")."""
    return f"owner{owner}@example.com"


def group_admin_email(group: int, account: int = 0) -> str:
    """Address of an administrator of school group ``group``; every group has account 0."""
    return f"admin{group}.{account}@example.com" if account else f"admin{group}@example.com"


def learner_email(learner: int) -> str:
    """Address of learner ``learner``, a tenant of FrançaisFluide."""
    return f"learner{learner}@example.com"


def catalogue_id(kind: str, slug: str) -> uuid.UUID:
    """Id of a ``plan``, ``category`` or ``module`` of the reference application's catalogue."""
    digest = hashlib.md5(f"{kind}/{slug}".encode(), usedforsecurity=False).hexdigest()
    return uuid.UUID(digest)


def guest_token(*, seed: int, owner: int, index: int) -> str:
    """What the guest of sheet ``index`` of an owner holds (B-80); the table has only its SHA-256.

    43 signs of base64url, as random as SHA-256 looks. Sheet 0 of every owner with bookings is open:
    it lets its guest ask and answer, is not revoked and ends ten years after the anchor
    (``seed/sheets.py``). It is that of the owner's last booking.
    """
    digest = hashlib.sha256(f"{seed}/guest_token/{owner}/{index}".encode()).digest()
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode("ascii")


SUPER_ADMIN_EMAIL = "super@example.com"

SUPPORT_EMAIL = "support@example.com"
"""The account of the support desk (J-13)."""


def password(seed: int) -> str:
    """The one password of every seeded account (L-01: "one common password")."""
    return f"palier-{seed}"
