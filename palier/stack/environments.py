"""Environments of the components: clean ones, so that a user's shell changes no measurement."""

from __future__ import annotations

import dataclasses
import json
import os

from palier.model.variant import Variant


def server_environment() -> dict[str, str]:
    """Of a server that is not ours: PostgreSQL, Redis, PgBouncer, nginx."""
    return {"PATH": os.defpath, "LC_ALL": "C", "TZ": "UTC"}


def python_environment() -> dict[str, str]:
    """Of a Python process of ours; it finds the same packages as we do."""
    kept = {
        key: os.environ[key]
        for key in ("HOME", "PATH", "PYTHONPATH", "VIRTUAL_ENV")
        if key in os.environ
    }
    return kept | {"LC_ALL": "C.UTF-8", "TZ": "UTC", "PYTHONUNBUFFERED": "1"}


def variant_json(variant: Variant) -> str:
    """The switches as the application reads them."""
    return json.dumps(dataclasses.asdict(variant), separators=(",", ":"))
