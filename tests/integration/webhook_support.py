"""Webhooks with everything real: an application, worker processes, and receivers that verify."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from typing import Any

from app_support import Site, app_login, migrate_both, site_on, worker_login
from sync_support import Platform, Process, platform, process, wait_for

from reference_app.identity.principal import Principal
from reference_app.variant import Variant
from reference_app.webhooks.keys import Keys
from reference_app.webhooks.worker import NAME

ROOT = "only for tests, and long enough for HMAC"
VARIANT = Variant(indexes="full", row_security="wrapped", pagination="keyset")

CHANGE_PLAN = (
    "UPDATE subscriptions SET plan_id = (SELECT id FROM subscription_plans WHERE slug = %s)"
    " WHERE school_group_id = %s"
)


@dataclass(frozen=True, slots=True)
class Post:
    """An application, its workers' login, and the outside world."""

    site: Site
    worker_url: str
    outside: Platform

    def worker(self, **settings: object) -> AbstractContextManager[Process]:
        """A worker process, running until the block ends; retries follow at once."""
        env = {
            "APP_DATABASE_URL": self.worker_url,
            "WEBHOOK_SECRET": ROOT,
            "APP_OUTBOUND_PROXY": self.outside.url,
            "APP_WEBHOOK_BACKOFF_S": "0,0",
            **{name: str(value) for name, value in settings.items()},
        }
        return process("reference_app.webhooks.worker", env=env)

    def endpoint(self, admin: Principal, path: str = "ok", **more: Any) -> dict[str, Any]:
        """A registered endpoint whose receiver knows its secret."""
        url = f"http://hooks.example/{path}/{uuid.uuid4()}"
        answer = self.site.call("POST", "/api/webhooks", admin, json={"url": url, **more})
        assert answer.status_code == 201, answer.text
        body = answer.json()
        self.tell_secret(url, body["secret"])
        return dict(body["endpoint"])

    def tell_secret(self, url: str, secret: str) -> None:
        where = url.removeprefix("http://")
        self.outside.client.put(f"/secrets/{where}", content=secret).raise_for_status()

    def change_plan(self, admin: Principal, plan: str) -> None:
        self.site.world.run(CHANGE_PLAN, plan, admin.tenant_id)

    def deliveries(self, admin: Principal, **filters: Any) -> list[dict[str, Any]]:
        answer = self.site.call("GET", "/api/webhooks/deliveries", admin, params=filters)
        assert answer.status_code == 200, answer.text
        return list(answer.json()["items"])

    def attempts(self, admin: Principal, delivery: dict[str, Any]) -> list[dict[str, Any]]:
        address = f"/api/webhooks/deliveries/{delivery['id']}/attempts"
        return list(self.site.call("GET", address, admin).json())

    def only_delivery(self, admin: Principal) -> dict[str, Any]:
        """Wait until the group's one delivery has ended."""

        def ended() -> dict[str, Any] | None:
            (found,) = self.deliveries(admin)
            return found if found["status"] in ("delivered", "failed") else None

        return wait_for(ended, f"the delivery does not end: {self.deliveries(admin)}")

    def hooks(self) -> dict[str, Any]:
        """What the receivers count."""
        return dict(self.outside.counts()["hooks"])

    def received(self, delivery: dict[str, Any]) -> dict[str, int]:
        """Requests of a delivery, and how often it was taken."""
        all_of_them = self.outside.client.get("/deliveries").json()
        return dict(all_of_them.get(delivery["id"], {"requests": 0, "taken": 0}))

    def wait_until_no_worker_is_connected(self) -> None:
        """A killed worker's last statement may still be running in the server."""
        wait_for(
            lambda: (
                self.site.world.rows(
                    "SELECT count(*) FROM pg_stat_activity"
                    " WHERE datname = current_database() AND application_name = %s",
                    NAME,
                )
                == [(0,)]
            ),
            "a worker is still connected",
        )


@contextmanager
def post_on(admin_url: str) -> Iterator[Post]:
    """Bring all of it up on an empty database."""
    migrate_both(admin_url, VARIANT)
    worker_url = worker_login(admin_url)
    with (
        platform() as outside,
        site_on(admin_url, app_login(admin_url), VARIANT, webhooks=Keys(ROOT, outside.url)) as up,
    ):
        yield Post(up, worker_url, outside)
