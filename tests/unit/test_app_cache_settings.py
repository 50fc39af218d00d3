"""Settings of cache, replica and rate limit: what is missing or wrong is said with a way out."""

from __future__ import annotations

import pytest

from reference_app.settings import SettingsError, read_settings

GOOD = {"APP_DATABASE_URL": "postgresql://app_user@db/app", "APP_JWT_SECRET": "s" * 32}


@pytest.mark.covers("B-146", "T-136")
def test_the_limit_is_the_stated_one_unless_it_is_named_or_off() -> None:
    assert read_settings(GOOD).rate_limit_per_min == 100
    assert read_settings(GOOD | {"APP_RATE_LIMIT_PER_MIN": "7"}).rate_limit_per_min == 7
    assert read_settings(GOOD | {"APP_RATE_LIMIT_PER_MIN": "off"}).rate_limit_per_min is None


@pytest.mark.parametrize("wrong", ["0", "-1", "many", "OFF", "1e3"])
def test_a_limit_of_nothing_is_not_how_to_switch_it_off(wrong: str) -> None:
    with pytest.raises(SettingsError, match=r"APP_RATE_LIMIT_PER_MIN .*1 to 100000, or off"):
        read_settings(GOOD | {"APP_RATE_LIMIT_PER_MIN": wrong})


@pytest.mark.parametrize(
    ("variant", "missing"),
    [('{"cache": "redis"}', "APP_REDIS_URL"), ('{"reads": "replica"}', "APP_REPLICA_URL")],
)
def test_a_variant_without_the_server_it_needs_does_not_start(variant: str, missing: str) -> None:
    with pytest.raises(SettingsError, match=f"{missing} is not set") as told:
        read_settings(GOOD | {"APP_VARIANT": variant})
    assert len(told.value.problems) == 1


def test_addresses_are_read_and_passwords_are_not_shown() -> None:
    given = {
        "APP_VARIANT": '{"cache": "redis", "reads": "replica"}',
        "APP_REDIS_URL": "redis://:hidden@cache:6379/0",
        "APP_REDIS_PREFIX": "palier:1:",
        "APP_REPLICA_URL": "postgresql://app_user:hidden@copy/app",
        "APP_CACHE_MEMORY_MB": "8",
    }
    settings = read_settings(GOOD | given)

    assert settings.redis_url == given["APP_REDIS_URL"]
    assert settings.replica_url == given["APP_REPLICA_URL"]
    assert (settings.redis_prefix, settings.cache_memory_mb) == ("palier:1:", 8)
    assert "hidden" not in repr(settings)


def test_an_address_of_another_kind_is_told_without_its_password() -> None:
    with pytest.raises(SettingsError, match="APP_REDIS_URL is not such an address") as told:
        read_settings(GOOD | {"APP_REDIS_URL": "http://:hidden@cache"})
    assert "hidden" not in str(told.value)
