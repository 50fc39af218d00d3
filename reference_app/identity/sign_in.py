"""Sign-in: compare a password with its hash without stopping everybody else."""

from __future__ import annotations

import asyncio
import os
import secrets
from concurrent.futures import ThreadPoolExecutor

from reference_app.database import Database
from reference_app.identity.passwords import SALT_BYTES, hash_password, verify
from reference_app.identity.principal import Principal
from reference_app.identity.queries import Credentials, find_credentials
from reference_app.identity.tokens import Tokens


class SignIn:
    """Checks passwords in threads of its own; scrypt releases the interpreter lock.

    As many threads as processors: more would only share the same processors and hold more memory
    (2**log2_n KiB each). Requests that do not fit wait, without a database connection.

    Args:
        database: Where the accounts are.
        tokens: Makes the tokens.
        log2_n: Cost of new passwords, and of the hash an unknown address is compared with.
    """

    def __init__(self, database: Database, tokens: Tokens, log2_n: int) -> None:
        self._database = database
        self.tokens = tokens
        self._threads = ThreadPoolExecutor(os.cpu_count() or 1, thread_name_prefix="scrypt")
        # Compared with when the address is unknown, so that the time does not tell.
        self._nobody = hash_password(secrets.token_hex(), secrets.token_bytes(SALT_BYTES), log2_n)

    async def check(self, email: str, password: str) -> tuple[Principal, Credentials] | None:
        """Who this is; None when address and password do not belong together."""
        found = await find_credentials(self._database, email)
        stored = self._nobody if found is None else found.password_hash
        matches = await asyncio.get_running_loop().run_in_executor(
            self._threads, verify, password, stored
        )
        if found is None or not matches:
            return None
        tenant = found.id if found.role == "owner" else found.school_group_id
        return Principal(found.id, found.role, tenant), found

    def close(self) -> None:
        """End the threads."""
        self._threads.shutdown(wait=False, cancel_futures=True)
