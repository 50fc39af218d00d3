"""The application: ``granian --interface asgi --factory reference_app.app:create_app``."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from litestar import Litestar
from litestar.config.compression import CompressionConfig
from litestar.di import Provide
from litestar.openapi import OpenAPIConfig
from litestar.openapi.spec import Components, SecurityScheme
from litestar.router import Router

from reference_app import health
from reference_app.activities.routes import ActivitiesController
from reference_app.alerts.routes import AlertRulesController, AlertsController, HealthController
from reference_app.audit.routes import AuditController
from reference_app.automation.routes import (
    AutomationController,
    ResumptionController,
    SubscriptionController,
)
from reference_app.bulk.routes import (
    BulkController,
    BulkCreationController,
    BulkPlanController,
)
from reference_app.cache.memory import MemoryStore
from reference_app.cache.pages import PageCache
from reference_app.cache.redis import RedisStore
from reference_app.cache.store import Store
from reference_app.cache.versions import VersionReader, reading
from reference_app.cleaning.routes import CleaningController
from reference_app.conditional import packed_right
from reference_app.database import Database
from reference_app.description import describe_refusals
from reference_app.errors.routes import ErrorsController
from reference_app.exports.routes import ExportsController
from reference_app.fluide.routes import (
    CorrectionsController,
    ExercisesController,
    ExplanationsController,
    LearningSessionsController,
    QuotaController,
)
from reference_app.fluide.study import Study
from reference_app.groups.routes import GroupsController, UsageController
from reference_app.guests.guest_routes import GuestController
from reference_app.guests.owner_routes import (
    FeedbackController,
    HourRequestsController,
    SheetsController,
)
from reference_app.identity.admission import admission
from reference_app.identity.routes import IdentityController
from reference_app.identity.sign_in import SignIn
from reference_app.identity.tokens import Tokens
from reference_app.information.routes import InformationController
from reference_app.linen.routes import LinenController
from reference_app.live.live import Live
from reference_app.live.routes import LiveController
from reference_app.log import configure_logging
from reference_app.metrics import Metrics, ReplicaMetrics
from reference_app.monitoring.health import SERVICE_HEALTH, InDatabase, read_service_health
from reference_app.monitoring.look import REPLICA_LAG, Parts
from reference_app.notifications.routes import NotificationsController
from reference_app.observation import observed
from reference_app.overview.routes import OverviewController
from reference_app.payments.local import LocalProvider
from reference_app.payments.routes import (
    CallbacksController,
    PaymentMethodsController,
    PaymentsController,
)
from reference_app.payments.till import Till
from reference_app.plans.content_routes import PlanContentController
from reference_app.plans.routes import PlanAdministrationController, PlansController
from reference_app.problems import EXCEPTION_HANDLERS
from reference_app.rate_limit import RateLimit, announced
from reference_app.remote import Remote
from reference_app.replica import ANSWER_TIMEOUT_S, Reports
from reference_app.reservations.routes import ReservationsController
from reference_app.schools.module_routes import SchoolModulesController
from reference_app.schools.routes import (
    FilesController,
    SchoolsController,
    StaffController,
    StudentsController,
)
from reference_app.session import provide_guest_session, provide_session
from reference_app.settings import Settings, read_settings
from reference_app.statistics.routes import StatisticsController
from reference_app.support.routes import SupportController
from reference_app.sync.fetch import Fetcher
from reference_app.sync.proxy import CalendarProxy
from reference_app.sync.routes import SyncController
from reference_app.tax.office import TaxOffice
from reference_app.tax.routes import TaxController
from reference_app.trips.routes import TripsController
from reference_app.units.routes import UnitsController
from reference_app.webhooks.routes import DeliveriesController, WebhooksController
from reference_app.webhooks.sender import Sender

VERSION_TIMEOUT_S = 5.0
"""Longest look-up of versions by their key, once there is a connection."""

REPLICA_PATIENCE_S = 1.0
"""Longest wait for a connection to the replica."""


def create_app(settings: Settings | None = None) -> Litestar:
    """Put the application together.

    Args:
        settings: What it runs with; None reads the environment.

    Raises:
        SettingsError: The environment is incomplete or wrong; it says what.
    """
    if settings is None:
        settings = read_settings(os.environ)
    configure_logging(settings.log_level, access_log=settings.access_log)

    database = Database(settings)
    metrics = Metrics(database.statistics)
    tokens = Tokens(settings.jwt_secret, settings.token_ttl_s)
    remote = (
        None
        if settings.redis_url is None
        else Remote(settings.redis_url, prefix=settings.redis_prefix)
    )
    rate_limit = (
        None
        if settings.rate_limit_per_min is None
        else RateLimit(settings.rate_limit_per_min, remote)
    )
    versions = VersionReader(
        reading(database, timeout_s=settings.pool_timeout_s + VERSION_TIMEOUT_S)
    )
    pages = _pages(settings, versions, remote, metrics)
    replica = _replica(settings)
    reports = None if replica is None else _reports(database, replica, versions, metrics)
    study = Study(
        database,
        settings.variant.learning_cache,
        metrics.cache,
        remote=remote,
        web_cache=settings.variant.web_cache,
    )
    tax_office = TaxOffice()
    sign_in = SignIn(database, tokens, settings.password_log2_n)
    fetcher = Fetcher(settings.calendars)
    calendar_proxy = CalendarProxy(fetcher, settings.calendars)
    live = Live(database, tokens, settings, metrics.registry)
    webhooks = Sender(settings.webhooks.proxy)
    till = Till(database, None if settings.payments is None else LocalProvider(settings.payments))

    parts = _parts(database, replica, remote)

    @asynccontextmanager
    async def connected(_: Litestar) -> AsyncIterator[None]:
        await database.open()
        if replica is not None and reports is not None:
            await replica.open()
            reports.open()
        try:
            yield
        finally:
            await live.close()
            sign_in.close()
            tax_office.close()
            await study.close()
            await calendar_proxy.close()
            await fetcher.close()
            await webhooks.close()
            await till.close()
            if pages is not None:
                await pages.close()
            if replica is not None and reports is not None:
                await reports.close()
                await replica.close()
            await database.close()
            if remote is not None:
                await remote.close()

    app = Litestar(
        route_handlers=[
            health.router,
            IdentityController,
            UnitsController,
            InformationController,
            ActivitiesController,
            SheetsController,
            HourRequestsController,
            FeedbackController,
            GuestController,
            ReservationsController,
            StatisticsController,
            ExportsController,
            CleaningController,
            LinenController,
            TripsController,
            TaxController,
            NotificationsController,
            ErrorsController,
            SupportController,
            SyncController,
            PlansController,
            PlanAdministrationController,
            PlanContentController,
            LiveController,
            GroupsController,
            UsageController,
            SubscriptionController,
            AutomationController,
            ResumptionController,
            SchoolsController,
            SchoolModulesController,
            StudentsController,
            StaffController,
            FilesController,
            BulkController,
            BulkCreationController,
            BulkPlanController,
            WebhooksController,
            DeliveriesController,
            CorrectionsController,
            ExercisesController,
            ExplanationsController,
            QuotaController,
            LearningSessionsController,
            AuditController,
            HealthController,
            AlertsController,
            AlertRulesController,
            OverviewController,
            PaymentMethodsController,
            PaymentsController,
            CallbacksController,
        ],
        middleware=[admission(tokens, None if rate_limit is None else rate_limit.admit)],
        dependencies={
            "session": Provide(
                provide_session(database, pages, reports, settings.variant), sync_to_thread=False
            ),
            "guest_session": Provide(
                provide_guest_session(database, settings.variant), sync_to_thread=False
            ),
            "sign_in": Provide(lambda: sign_in, sync_to_thread=False),
            "tax_office": Provide(lambda: tax_office, sync_to_thread=False),
            "study": Provide(lambda: study, sync_to_thread=False),
            "database": Provide(lambda: database, sync_to_thread=False),
            "fetcher": Provide(lambda: fetcher, sync_to_thread=False),
            "calendars": Provide(lambda: settings.calendars, sync_to_thread=False),
            "calendar_proxy": Provide(lambda: calendar_proxy, sync_to_thread=False),
            "live": Provide(lambda: live, sync_to_thread=False),
            "webhook_keys": Provide(lambda: settings.webhooks, sync_to_thread=False),
            "webhook_sender": Provide(lambda: webhooks, sync_to_thread=False),
            "till": Provide(lambda: till, sync_to_thread=False),
            "metrics": Provide(lambda: metrics, sync_to_thread=False),
            "parts": Provide(lambda: parts, sync_to_thread=False),
        },
        exception_handlers=EXCEPTION_HANDLERS,
        lifespan=[connected],
        compression_config=(
            CompressionConfig(backend="gzip", minimum_size=500)
            if settings.variant.compression
            else None
        ),
        openapi_config=_openapi(),
        logging_config=None,
    )
    describe_refusals(app)
    if rate_limit is not None:
        app.asgi_handler = announced(app.asgi_handler)
    if settings.variant.compression:
        app.asgi_handler = packed_right(app.asgi_handler)
    app.asgi_handler = observed(app.asgi_handler, metrics, access_log=settings.access_log)
    return app


def _pages(
    settings: Settings, versions: VersionReader, remote: Remote | None, metrics: Metrics
) -> PageCache | None:
    store: Store
    if settings.variant.cache == "none":
        return None
    if settings.variant.cache == "memory":
        store = MemoryStore(settings.cache_memory_mb * 1_000_000)
    elif remote is None:
        raise ValueError("variant cache: redis needs the setting redis_url")
    else:
        store = RedisStore(remote)
    return PageCache(store, versions, metrics.cache)


def _replica(settings: Settings) -> Database | None:
    if settings.variant.reads == "primary":
        return None
    if settings.replica_url is None:
        raise ValueError("variant reads: replica needs the setting replica_url")
    # A report that finds no connection here soon has the primary; it need not wait as long.
    patience_s = min(settings.pool_timeout_s, REPLICA_PATIENCE_S)
    return Database(
        dataclasses.replace(settings, database_url=settings.replica_url, pool_timeout_s=patience_s)
    )


def _reports(
    database: Database, replica: Database, versions: VersionReader, metrics: Metrics
) -> Reports:
    return Reports(
        database,
        replica,
        versions=versions,
        copied_versions=VersionReader(reading(replica, timeout_s=ANSWER_TIMEOUT_S)),
        metrics=ReplicaMetrics(metrics.registry),
    )


def _parts(database: Database, replica: Database | None, remote: Remote | None) -> Parts:
    """How this process asks each part of the service how it is."""

    async def ask_database() -> InDatabase:
        (found,) = await database.rows(None, SERVICE_HEALTH, {}, read_service_health)
        return found

    async def ask_replica(copy: Database) -> float:
        (lag_s,) = await copy.rows(None, REPLICA_LAG, {}, float)
        return lag_s

    return Parts(
        database=ask_database,
        replica=None if replica is None else lambda: ask_replica(replica),
        redis=None if remote is None else lambda: remote.ask("PING"),
    )


def _openapi() -> OpenAPIConfig:
    return OpenAPIConfig(
        title="Palier reference application",
        version="0.1.0",
        components=Components(
            security_schemes={
                "bearer": SecurityScheme(type="http", scheme="bearer", bearer_format="JWT")
            }
        ),
        security=[{"bearer": []}],
        openapi_router=Router(
            "/schema", route_handlers=[], opt={"public": True}, include_in_schema=False
        ),
    )
