"""Locust with our flags and hooks, whatever the locustfile imports.

    python -m scenarios.shell -f LOCUSTFILE ...

Our own scenarios bring them along; a locustfile written for stock Locust does not.
"""

from __future__ import annotations

# First: importing Locust patches the standard library.
from locust.main import main

from scenarios import control as _control  # noqa: F401  adds flags and hooks

if __name__ == "__main__":
    main()  # type: ignore[no-untyped-call]
