"""Who listens: accounts that sign in by themselves, so that they can do it again."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import httpx

from palier.model.identity import group_admin_email, password

SIGN_INS_AT_ONCE: Final = 4
"""A sign-in is expensive on purpose (scrypt); more at once would only wait for each other."""

SIGN_IN_S: Final = 30.0


@dataclass(frozen=True, slots=True)
class Account:
    """Who signs in.

    Attributes:
        name: Email.
        password: Its password.
    """

    name: str
    password: str


class SignInError(Exception):
    """An account was refused; the message says how."""


def write_accounts(path: Path, accounts: Sequence[Account]) -> None:
    """Write them for ``--accounts``: a name and a password a line, with a tab between."""
    lines = [f"{account.name}\t{account.password}\n" for account in accounts]
    path.touch(mode=0o600)
    path.write_text("".join(lines), encoding="utf-8")


def read_accounts(path: Path) -> tuple[Account, ...]:
    """Read them again.

    Raises:
        ValueError: A line is not a name and a password.
    """
    found = []
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
        name, tab, password = line.partition("\t")
        if not tab:
            raise ValueError(f"{path}, line {number}: a name, a tab and a password are needed")
        found.append(Account(name, password))
    return tuple(found)


def listener_accounts(*, groups: int, seed: int) -> tuple[Account, ...]:
    """The first administrator of each school group of the synthetic data."""
    return tuple(Account(group_admin_email(group), password(seed)) for group in range(groups))


class Tokens:
    """Tokens of accounts, each fetched once for all of its sockets.

    Args:
        client: Of the service.
    """

    def __init__(self, client: httpx.AsyncClient) -> None:
        self._client = client
        self._tokens: dict[str, asyncio.Task[str]] = {}
        self._turns = asyncio.Semaphore(SIGN_INS_AT_ONCE)

    async def of(self, account: Account) -> str:
        """A token of an account.

        Raises:
            SignInError: It was refused.
            httpx.HTTPError: The service did not answer.
        """
        asking = self._tokens.get(account.name)
        if asking is None:
            asking = asyncio.create_task(self._sign_in(account))
            self._tokens[account.name] = asking
        try:
            # Others wait for the same answer: who is cancelled does not take it from them.
            return await asyncio.shield(asking)
        except (SignInError, httpx.HTTPError):
            self.forget(account)
            raise

    def forget(self, account: Account) -> None:
        """Sign in anew next time: the token has ended."""
        asking = self._tokens.get(account.name)
        if asking is not None and asking.done():
            del self._tokens[account.name]

    async def _sign_in(self, account: Account) -> str:
        async with self._turns:
            answer = await self._client.post(
                "/api/auth",
                json={"email": account.name, "password": account.password},
                timeout=SIGN_IN_S,
            )
        if answer.status_code != httpx.codes.OK:
            raise SignInError(f"{account.name}: sign-in answered {answer.status_code}")
        token = answer.json().get("access_token")
        if not isinstance(token, str):
            raise SignInError(f"{account.name}: the answer to the sign-in holds no access_token")
        return token
