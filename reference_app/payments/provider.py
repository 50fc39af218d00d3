"""What every provider of payments can do, whoever it is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, Protocol

Status = Literal["succeeded", "declined", "pending"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """What is to be charged.

    Attributes:
        key: Idempotency key: with the same one nothing is charged a second time.
        token: What the provider calls the card; empty for one that was removed meanwhile, which
            matters only if the provider has never heard of the key.
    """

    key: str
    token: str
    cents: int
    currency: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What a provider says of a charge.

    Attributes:
        reference: Its name of it.
        reason: Why it was declined.
    """

    status: Status
    reference: str | None = None
    reason: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Callback:
    """What a provider says by itself, later.

    Attributes:
        id: Of the message: it may come more than once.
        key: The order's.
    """

    id: str
    key: str
    answer: Answer


class ProviderError(Exception):
    """The provider gave no answer that can be used; whether it charged is not known.

    Ask again with the same key.
    """


class CallbackRefusedError(Exception):
    """What came in is not from the provider, not of now, or not understood."""


class Provider(Protocol):
    """A provider of payments; one for each process."""

    @property
    def name(self) -> str:
        """As payments and their means remember it."""
        ...

    async def charge(self, order: Order) -> Answer:
        """Charge once, however often it is called with the same key.

        Raises:
            ProviderError: See there.
        """
        ...

    def read_callback(self, headers: Mapping[str, str], body: bytes) -> Callback:
        """Read a message that came in, if the provider has signed it.

        Raises:
            CallbackRefusedError: See there.
        """
        ...

    async def close(self) -> None:
        """Close the connections that are kept."""
        ...
