"""Settings of one process, from environment variables only."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from reference_app.identity.passwords import LOG2_N_RANGE
from reference_app.payments.account import Account, read_account
from reference_app.sync.calendars import Calendars, read_calendars
from reference_app.variant import Variant, parse_variant
from reference_app.webhooks.keys import Keys, read_keys

SECRET_BYTES_MIN = 32
"""HS256 needs a key at least as long as its hash (RFC 7518, section 3.2)."""

RATE_LIMIT_PER_MIN = 100
"""B-146, T-136."""


class SettingsError(Exception):
    """The environment does not describe a process that could run; every problem at once."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__(
            "the application cannot start:\n" + "\n".join(f"  - {line}" for line in problems)
        )
        self.problems = tuple(problems)


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """What ``create_app`` needs to know.

    Attributes:
        database_url: ``APP_DATABASE_URL``: connection of the unprivileged role ``app_user``.
        pool_size: ``APP_POOL_SIZE``: connections of this process.
        pool_min: ``APP_POOL_MIN``: connections that are there from the start; None for all.
        pool_timeout_s: ``APP_POOL_TIMEOUT_S``: longest wait for one of them, then 503.
        statement_retries: ``APP_STATEMENT_RETRIES``: how often a statement that can be repeated is
            repeated (B-196).
        jwt_secret: ``APP_JWT_SECRET``: key of the tokens, 32 bytes or more.
        token_ttl_s: ``APP_TOKEN_TTL_S``: life of a token.
        password_log2_n: ``APP_PASSWORD_LOG2_N``: scrypt cost of new passwords.
        variant: ``APP_VARIANT``: the switches.
        replica_url: ``APP_REPLICA_URL``: a streaming replica of the database, the same role.
        redis_url: ``APP_REDIS_URL``: the Redis all processes share; None without one.
        redis_prefix: ``APP_REDIS_PREFIX``: of every key; others may use the same Redis.
        rate_limit_per_min: ``APP_RATE_LIMIT_PER_MIN``: requests of one owner; None, ``off``,
            for no limit.
        cache_memory_mb: ``APP_CACHE_MEMORY_MB``: what ``cache: memory`` may take in a process.
        calendars: ``APP_CALENDAR_HOSTS`` and ``APP_OUTBOUND_PROXY``: which calendars may be asked.
        live_url: ``APP_LIVE_DATABASE_URL``: where to listen for plan changes, the server itself;
            None for ``database_url``. A pooler cannot be listened through.
        webhooks: ``WEBHOOK_SECRET`` and ``APP_OUTBOUND_PROXY``: what tells groups of events.
        payments: ``APP_PAYMENT_URL``, ``PAYMENT_SECRET`` and ``APP_PUBLIC_URL``: the provider of
            payments; None when every group pays by invoice.
        log_level: ``APP_LOG_LEVEL``: ``WARNING`` by default.
        access_log: ``APP_ACCESS_LOG``: ``1`` writes one line a request.
    """

    database_url: str = field(repr=False)
    pool_size: int
    pool_min: int | None = None
    pool_timeout_s: float = 5.0
    statement_retries: int = 0
    jwt_secret: str = field(repr=False)
    token_ttl_s: int = 3600
    password_log2_n: int = 14
    variant: Variant = field(default_factory=Variant)
    replica_url: str | None = field(default=None, repr=False)
    redis_url: str | None = field(default=None, repr=False)
    redis_prefix: str = ""
    rate_limit_per_min: int | None = None
    cache_memory_mb: int = 64
    calendars: Calendars = field(default_factory=Calendars)
    live_url: str | None = field(default=None, repr=False)
    webhooks: Keys = field(default_factory=Keys)
    payments: Account | None = None
    log_level: str = "WARNING"
    access_log: bool = False


_LOG_LEVELS = ("DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL")


def read_settings(environment: Mapping[str, str]) -> Settings:
    """Read the settings of a process.

    Raises:
        SettingsError: Something is missing or wrong; the message names every such variable.
    """
    reader = Reader(environment)
    database_url = reader.required("APP_DATABASE_URL", "postgresql://app_user@host/database")
    jwt_secret = reader.required("APP_JWT_SECRET", "32 random bytes or more")
    if jwt_secret and len(jwt_secret.encode()) < SECRET_BYTES_MIN:
        reader.problems.append(
            f"APP_JWT_SECRET is {len(jwt_secret.encode())} bytes long; "
            f"it needs at least {SECRET_BYTES_MIN}"
        )
    pool_size = reader.whole("APP_POOL_SIZE", default=8, low=1, high=1000)
    pool_min = reader.whole("APP_POOL_MIN", default=pool_size, low=1, high=pool_size)
    statement_retries = reader.whole("APP_STATEMENT_RETRIES", default=0, low=0, high=10)
    pool_timeout_s = reader.whole("APP_POOL_TIMEOUT_S", default=5, low=1, high=600)
    token_ttl_s = reader.whole("APP_TOKEN_TTL_S", default=3600, low=1, high=31 * 86_400)
    password_log2_n = reader.whole(
        "APP_PASSWORD_LOG2_N", default=14, low=LOG2_N_RANGE.start, high=LOG2_N_RANGE.stop - 1
    )
    log_level = environment.get("APP_LOG_LEVEL", "WARNING").upper()
    if log_level not in _LOG_LEVELS:
        reader.problems.append(
            f"APP_LOG_LEVEL is {log_level!r}; it must be one of {', '.join(_LOG_LEVELS)}"
        )
    variant = Variant()
    try:
        variant = parse_variant(environment.get("APP_VARIANT", "{}"))
    except ValueError as error:
        reader.problems.append(f"APP_VARIANT: {error}")
    replica_url = environment.get("APP_REPLICA_URL") or None
    if variant.reads == "replica" and replica_url is None:
        reader.problems.append(
            "APP_REPLICA_URL is not set; the variant says reads: replica, so it should be like: "
            "postgresql://app_user@replica/database"
        )
    redis_url = reader.address("APP_REDIS_URL", ("redis", "rediss", "unix"), "redis://host:6379/0")
    if not environment.get("APP_REDIS_URL"):
        for switch, of_redis in (("cache", "redis"), ("learning_cache", "levels")):
            if getattr(variant, switch) == of_redis:
                reader.problems.append(
                    f"APP_REDIS_URL is not set; the variant says {switch}: {of_redis}, so it "
                    "should be like: redis://host:6379/0"
                )
    rate_limit_per_min = (
        None
        if environment.get("APP_RATE_LIMIT_PER_MIN") == "off"
        else reader.whole(
            "APP_RATE_LIMIT_PER_MIN",
            default=RATE_LIMIT_PER_MIN,
            low=1,
            high=100_000,
            or_else="off",
        )
    )
    cache_memory_mb = reader.whole("APP_CACHE_MEMORY_MB", default=64, low=1, high=65_536)
    calendars = read_calendars(environment, reader.problems)
    webhooks = read_keys(environment, reader.problems)
    payments = read_account(environment, reader.problems)
    # the proxy is that of all three: its problem is told once
    reader.problems[:] = dict.fromkeys(reader.problems)
    if reader.problems:
        raise SettingsError(reader.problems)
    return Settings(
        database_url=database_url,
        pool_size=pool_size,
        pool_min=pool_min,
        pool_timeout_s=float(pool_timeout_s),
        statement_retries=statement_retries,
        jwt_secret=jwt_secret,
        token_ttl_s=token_ttl_s,
        password_log2_n=password_log2_n,
        variant=variant,
        replica_url=replica_url,
        redis_url=redis_url,
        rate_limit_per_min=rate_limit_per_min,
        redis_prefix=environment.get("APP_REDIS_PREFIX", ""),
        cache_memory_mb=cache_memory_mb,
        calendars=calendars,
        live_url=environment.get("APP_LIVE_DATABASE_URL") or None,
        webhooks=webhooks,
        payments=payments,
        log_level=log_level,
        access_log=environment.get("APP_ACCESS_LOG", "0") == "1",
    )


class Reader:
    """Reads variables and collects problems instead of stopping at the first.

    Attributes:
        problems: What is missing or wrong so far, one line each.
    """

    def __init__(self, environment: Mapping[str, str]) -> None:
        self.environment = environment
        self.problems: list[str] = []

    def required(self, name: str, example: str) -> str:
        value = self.environment.get(name, "")
        if not value:
            self.problems.append(f"{name} is not set; it should be like: {example}")
        return value

    def address(self, name: str, schemes: tuple[str, ...], example: str) -> str | None:
        """An address that may be left out, of one of ``schemes``."""
        text = self.environment.get(name, "")
        if not text:
            return None
        if not text.startswith(tuple(f"{scheme}://" for scheme in schemes)):
            # Not the value itself: it may hold a password.
            self.problems.append(f"{name} is not such an address; it should be like: {example}")
        return text

    def whole(
        self, name: str, *, default: int, low: int, high: int, or_else: str | None = None
    ) -> int:
        text = self.environment.get(name, "")
        if not text:
            return default
        try:
            value = int(text)
        except ValueError:
            value = low - 1
        if not low <= value <= high:
            words = "" if or_else is None else f", or {or_else}"
            self.problems.append(
                f"{name} is {text!r}; it must be a whole number {low} to {high}{words}"
            )
            return default
        return value
