"""What a deployment needs to tell groups of events: the root of all secrets, and the way out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from uuid import UUID

from reference_app.outbound.proxy import read_proxy
from reference_app.signature import endpoint_secret

SECRET_VARIABLE = "WEBHOOK_SECRET"

SECRET_BYTES_MIN = 32
"""As long as the hash it is the key of."""


@dataclass(frozen=True, slots=True)
class Keys:
    """Attributes:
    root: ``WEBHOOK_SECRET`` (B-211); None in a deployment without webhooks.
    proxy: ``APP_OUTBOUND_PROXY``: what every request goes through; None asks directly.
    """

    root: str | None = field(default=None, repr=False)
    proxy: str | None = field(default=None, repr=False)

    def secret_of(self, endpoint_id: UUID, version: int) -> str:
        """The secret of an endpoint.

        Raises:
            LookupError: This deployment has no webhooks.
        """
        if self.root is None:
            raise LookupError(f"{SECRET_VARIABLE} is not set")
        return endpoint_secret(self.root, endpoint_id, version)


def read_keys(environment: Mapping[str, str], problems: list[str]) -> Keys:
    """Read ``WEBHOOK_SECRET`` and ``APP_OUTBOUND_PROXY``.

    Args:
        environment: Variables of the process.
        problems: Gets a line for each that is wrong.
    """
    root = environment.get(SECRET_VARIABLE) or None
    if root is not None and len(root.encode()) < SECRET_BYTES_MIN:
        problems.append(
            f"{SECRET_VARIABLE} is {len(root.encode())} bytes long; "
            f"it needs at least {SECRET_BYTES_MIN}"
        )
    return Keys(root, read_proxy(environment, problems))
