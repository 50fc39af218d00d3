"""A deployment's account with its provider of payments."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import httpx

from reference_app.outbound.proxy import read_proxy

URL_VARIABLE = "APP_PAYMENT_URL"
SECRET_VARIABLE = "PAYMENT_SECRET"
PUBLIC_URL_VARIABLE = "APP_PUBLIC_URL"

SECRET_BYTES_MIN = 32
"""As long as the hash it is the key of."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """An account.

    Attributes:
        url: ``APP_PAYMENT_URL``: where the provider is.
        secret: ``PAYMENT_SECRET``: what it and we sign with.
        public_url: ``APP_PUBLIC_URL``: where it calls back; None when it cannot, and then a charge
            that takes a while is asked for again.
        proxy: ``APP_OUTBOUND_PROXY``.
    """

    url: str
    secret: str = field(repr=False)
    public_url: str | None = None
    proxy: str | None = field(default=None, repr=False)


def read_account(environment: Mapping[str, str], problems: list[str]) -> Account | None:
    """Read the account; None without ``APP_PAYMENT_URL``: every group pays by invoice.

    Args:
        environment: Variables of the process.
        problems: Gets a line for each that is wrong.
    """
    url = environment.get(URL_VARIABLE) or None
    if url is None:
        return None
    public_url = environment.get(PUBLIC_URL_VARIABLE) or None
    for name, address in ((URL_VARIABLE, url), (PUBLIC_URL_VARIABLE, public_url)):
        if address is not None and not _is_address(address):
            problems.append(f"{name} must be like https://host")
    secret = environment.get(SECRET_VARIABLE, "")
    if len(secret.encode()) < SECRET_BYTES_MIN:
        problems.append(
            f"{SECRET_VARIABLE} is {len(secret.encode())} bytes long; with {URL_VARIABLE} "
            f"it needs at least {SECRET_BYTES_MIN}"
        )
    return Account(
        url=url.rstrip("/"),
        secret=secret,
        public_url=None if public_url is None else public_url.rstrip("/"),
        proxy=read_proxy(environment, problems),
    )


def _is_address(text: str) -> bool:
    try:
        url = httpx.URL(text)
    except httpx.InvalidURL:
        return False
    return url.scheme in ("http", "https") and bool(url.host)
