"""The proxy that all requests to the outside go through, if there is one."""

from __future__ import annotations

from collections.abc import Mapping

import httpx

PROXY_VARIABLE = "APP_OUTBOUND_PROXY"


def read_proxy(environment: Mapping[str, str], problems: list[str]) -> str | None:
    """Read ``APP_OUTBOUND_PROXY``, ``http://host:port``; None asks directly.

    Args:
        environment: Variables of the process.
        problems: Gets a line when it is wrong.
    """
    proxy = environment.get(PROXY_VARIABLE) or None
    if proxy is not None and not _is_proxy(proxy):
        problems.append(f"{PROXY_VARIABLE} must be like http://127.0.0.1:3128")
    return proxy


def _is_proxy(address: str) -> bool:
    try:
        url = httpx.URL(address)
    except httpx.InvalidURL:
        return False
    return url.scheme in ("http", "https") and bool(url.host)
