"""Every component beside PostgreSQL and the application, in the order in which they start.

Each is a few lines: when a tier has it, how it is started, and what the others must know of it.
"""

from __future__ import annotations

from palier.model.identity import ANCHOR
from palier.stack.environments import variant_json
from palier.stack.parts import Component, Part, Site
from palier.stack.pooler import find_pgbouncer, limit_statements, start_pooler
from palier.stack.redis_server import URL_VARIABLE as REDIS_VARIABLE
from palier.stack.redis_server import find_redis, open_redis
from palier.stack.replica import (
    open_replica,
    replica_url,
    require_own_replica,
    wait_until_caught_up,
)
from palier.stack.web_cache import find_nginx, start_web_cache
from palier.stack.workers import (
    CALENDAR_HOSTS,
    OUTSIDE_WORLD,
    start_calendar_platform,
    start_worker,
)

WEBHOOK_SECRET = "WEBHOOK_SECRET"
"""Variable with the root of all secrets of webhooks (B-211), made anew for every stack."""

AUTOMATION_DAY_S = 20.0
"""A day of the automation. At its own pace a run would see one pass with something to do and the
next ones an hour apart; so even a run of a minute has several days, and one of ten minutes a month
(J-11)."""


def _start_redis(site: Site) -> Part:
    server = open_redis(site.workspace, cpus=site.cpus, environ=site.environ)
    return Part(
        name="redis",
        processes=() if server.process is None else (server.process,),
        described={
            "version": server.version,
            "origin": server.origin,
            "settings": dict(server.settings),
        },
        environment={"APP_REDIS_URL": server.url, "APP_REDIS_PREFIX": server.prefix},
        address=server.url,
    )


def _start_replica(site: Site) -> Part:
    database = site.database
    server = open_replica(site.workspace, database.server, cpus=site.cpus, environ=site.environ)
    wait_until_caught_up(server, database)
    return Part(
        name="replica",
        processes=() if server.process is None else (server.process,),
        described={
            "version": server.version,
            "origin": server.origin,
            "settings": dict(server.settings),
        },
        environment={"APP_REPLICA_URL": replica_url(server, site.environment["APP_DATABASE_URL"])},
        address=server.url(database.name),
    )


def _start_pooler(site: Site) -> Part:
    database_url = site.environment["APP_DATABASE_URL"]
    limit_statements(site.database.admin_url, database_url)
    of_the_application = site.spec.app_processes * site.spec.pool_size
    pooler = start_pooler(
        site.workspace,
        find_pgbouncer(site.environ),
        database_url=database_url,
        replica_url=site.environment.get("APP_REPLICA_URL"),
        server_connections=site.spec.pooler_connections,
        # To both servers, and whoever looks at the statistics.
        client_connections=2 * of_the_application + 10,
        cpus=site.cpus,
    )
    # Who listens for notifications needs a connection of its own (decision 0084).
    environment = {"APP_DATABASE_URL": pooler.url, "APP_LIVE_DATABASE_URL": database_url}
    if pooler.replica_url is not None:
        environment["APP_REPLICA_URL"] = pooler.replica_url
    return Part(
        name="pgbouncer",
        processes=(pooler.process,),
        described={
            "version": pooler.version,
            "origin": pooler.origin,
            "settings": dict(pooler.settings),
        },
        environment=environment,
        address=pooler.console_url,
    )


def _start_calendars(site: Site) -> Part:
    process, address = start_calendar_platform(
        site.workspace,
        seed=site.seed,
        # Receivers of webhooks verify what they are sent.
        environment={WEBHOOK_SECRET: site.environment[WEBHOOK_SECRET]},
        cpus=site.cpus,
    )
    return Part(
        name=OUTSIDE_WORLD,
        processes=(process,),
        described={"origin": "palier", "seed": site.seed, "hosts": list(CALENDAR_HOSTS)},
        environment={
            "APP_OUTBOUND_PROXY": address,
            "APP_CALENDAR_HOSTS": ",".join(CALENDAR_HOSTS),
        },
        address=address,
    )


def _start_sync_workers(site: Site) -> Part:
    return _workers(
        site,
        "sync_worker",
        "reference_app.sync.worker",
        ready_line="sync worker ready",
        count=site.spec.sync_workers,
    )


def _start_scheduler(site: Site) -> Part:
    return _workers(
        site,
        "sync_scheduler",
        "reference_app.sync.scheduler",
        ready_line="sync scheduler ready",
    )


def _start_view_refresh(site: Site) -> Part:
    return _workers(
        site,
        "view_refresh",
        "reference_app.statistics.refresh",
        ready_line="view refresh ready",
    )


def _start_bulk_workers(site: Site) -> Part:
    return _workers(
        site,
        "bulk_worker",
        "reference_app.bulk.worker",
        ready_line="bulk worker ready",
        count=site.spec.bulk_workers,
    )


def _start_automation(site: Site) -> Part:
    """From the data's today on, so that its subscriptions stand where the seed put them."""
    return _workers(
        site,
        "automation",
        "reference_app.automation",
        *("--today", ANCHOR.isoformat(), "--day-every", f"{AUTOMATION_DAY_S:g}"),
        ready_line="subscription automation ready",
        count=site.spec.automation_workers,
    )


def _start_webhook_workers(site: Site) -> Part:
    return _workers(
        site,
        "webhook_worker",
        "reference_app.webhooks.worker",
        ready_line="webhook worker ready",
        count=site.spec.webhook_workers,
    )


def _start_monitoring(site: Site) -> Part:
    return _workers(
        site,
        "monitoring",
        "reference_app.monitoring",
        ready_line="monitoring ready",
        count=site.spec.monitoring,
    )


def _workers(
    site: Site, name: str, module: str, *arguments: str, ready_line: str, count: int = 1
) -> Part:
    """So many processes of one module."""
    processes = tuple(
        start_worker(
            site.workspace,
            name if number == 0 else f"{name}-{number + 1}",
            module,
            *arguments,
            ready_line=ready_line,
            environment=_of_a_worker(site),
            cpus=site.cpus,
        )
        for number in range(count)
    )
    described: dict[str, object] = {"processes": count}
    if arguments:
        described["arguments"] = list(arguments)
    return Part(name=name, processes=processes, described=described)


def _start_web_cache(site: Site) -> Part:
    if site.url is None:
        raise AssertionError("the web cache comes after the application")
    cache = start_web_cache(
        site.workspace, find_nginx(site.environ), app_url=site.url, cpus=site.cpus
    )
    return Part(
        name="web_cache",
        processes=(cache.process,),
        described={
            "version": f"nginx {cache.version}",
            "origin": cache.origin,
            "settings": dict(cache.settings),
        },
        address=cache.status_url,
        url=cache.url,
    )


def _of_a_worker(site: Site) -> dict[str, str]:
    """Workers have a login of their own, straight to the server: they hold locks and listen."""
    return {
        **site.environment,
        "APP_DATABASE_URL": site.worker_url,
        "APP_VARIANT": variant_json(site.variant),
    }


REDIS = Component(
    title="Redis",
    needed=lambda variant, _spec: variant.cache == "redis" or variant.learning_cache == "levels",
    find=lambda environ: environ.get(REDIS_VARIABLE) or find_redis(environ),
    start=_start_redis,
)

REPLICA = Component(
    title="the read replica",
    needed=lambda variant, _spec: variant.reads == "replica",
    find=require_own_replica,
    start=_start_replica,
)

POOLER = Component(
    title="PgBouncer",
    needed=lambda variant, _spec: variant.pooling == "pgbouncer",
    find=find_pgbouncer,
    start=_start_pooler,
)

CALENDARS = Component(
    title="the booking platforms' calendars",
    # A feed can be fetched in every variant; inline, within a request.
    needed=lambda _variant, _spec: True,
    start=_start_calendars,
)

SYNC_WORKERS = Component(
    title="the sync workers",
    needed=lambda variant, _spec: variant.sync != "inline",
    start=_start_sync_workers,
)

SCHEDULER = Component(
    title="the sync scheduler",
    needed=lambda variant, _spec: variant.sync != "inline",
    start=_start_scheduler,
)

VIEW_REFRESH = Component(
    title="the refresh of the views",
    needed=lambda variant, _spec: variant.views == "materialised",
    start=_start_view_refresh,
)

BULK_WORKERS = Component(
    title="the bulk workers",
    needed=lambda _variant, spec: spec.bulk_workers > 0,
    start=_start_bulk_workers,
)

AUTOMATION = Component(
    title="the automation of subscriptions",
    needed=lambda _variant, spec: spec.automation_workers > 0,
    start=_start_automation,
)

WEBHOOK_WORKERS = Component(
    title="the webhook workers",
    needed=lambda _variant, spec: spec.webhook_workers > 0,
    start=_start_webhook_workers,
)

MONITORING = Component(
    title="the monitoring",
    needed=lambda _variant, spec: spec.monitoring > 0,
    start=_start_monitoring,
)

WEB_CACHE = Component(
    title="nginx",
    needed=lambda variant, _spec: variant.web_cache,
    find=find_nginx,
    start=_start_web_cache,
)

BEFORE_APPLICATION = (REDIS, REPLICA, POOLER, CALENDARS)
"""The application is told of them; the pooler stands before the replica, too."""

AFTER_APPLICATION = (
    SYNC_WORKERS,
    SCHEDULER,
    VIEW_REFRESH,
    BULK_WORKERS,
    WEBHOOK_WORKERS,
    AUTOMATION,
    MONITORING,
    WEB_CACHE,
)
