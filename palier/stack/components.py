"""Every component beside PostgreSQL and the application, in the order in which they start.

Each is a few lines: when a tier has it, how it is started, and what the others must know of it.
"""

from __future__ import annotations

from collections.abc import Callable

from palier.model.identity import ANCHOR
from palier.model.tier import StackSpec
from palier.model.variant import Variant
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


def _workers(
    name: str,
    *,
    title: str,
    module: str,
    needed: Callable[[Variant, StackSpec], bool],
    count: Callable[[StackSpec], int] = lambda _spec: 1,
    ready_line: str | None = None,
    arguments: tuple[str, ...] = (),
) -> Component:
    """So many processes of one module, which say when they are ready: their name and "ready",
    where nothing else is given."""
    says = ready_line or f"{name.replace('_', ' ')} ready"

    def start(site: Site) -> Part:
        number = count(site.spec)
        processes = tuple(
            start_worker(
                site.workspace,
                name if index == 0 else f"{name}-{index + 1}",
                module,
                *arguments,
                ready_line=says,
                environment=_of_a_worker(site),
                cpus=site.cpus,
            )
            for index in range(number)
        )
        described: dict[str, object] = {"processes": number}
        if arguments:
            described["arguments"] = list(arguments)
        return Part(name=name, processes=processes, described=described)

    return Component(title=title, needed=needed, start=start)


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

SYNC_WORKERS = _workers(
    "sync_worker",
    title="the sync workers",
    module="reference_app.sync.worker",
    needed=lambda variant, _spec: variant.sync != "inline",
    count=lambda spec: spec.sync_workers,
)

SCHEDULER = _workers(
    "sync_scheduler",
    title="the sync scheduler",
    module="reference_app.sync.scheduler",
    needed=lambda variant, _spec: variant.sync != "inline",
)

VIEW_REFRESH = _workers(
    "view_refresh",
    title="the refresh of the views",
    module="reference_app.statistics.refresh",
    needed=lambda variant, _spec: variant.views == "materialised",
)

BULK_WORKERS = _workers(
    "bulk_worker",
    title="the bulk workers",
    module="reference_app.bulk.worker",
    needed=lambda _variant, spec: spec.bulk_workers > 0,
    count=lambda spec: spec.bulk_workers,
)

AUTOMATION = _workers(
    "automation",
    title="the automation of subscriptions",
    module="reference_app.automation",
    ready_line="subscription automation ready",
    # From the data's today on, so that its subscriptions stand where the seed put them.
    arguments=("--today", ANCHOR.isoformat(), "--day-every", f"{AUTOMATION_DAY_S:g}"),
    needed=lambda _variant, spec: spec.automation_workers > 0,
    count=lambda spec: spec.automation_workers,
)

WEBHOOK_WORKERS = _workers(
    "webhook_worker",
    title="the webhook workers",
    module="reference_app.webhooks.worker",
    needed=lambda _variant, spec: spec.webhook_workers > 0,
    count=lambda spec: spec.webhook_workers,
)

MONITORING = _workers(
    "monitoring",
    title="the monitoring",
    module="reference_app.monitoring",
    needed=lambda _variant, spec: spec.monitoring > 0,
    count=lambda spec: spec.monitoring,
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
