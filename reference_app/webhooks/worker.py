"""The worker: ``python -m reference_app.webhooks.worker``, any number of them.

On SIGTERM it waits for the answers to what it has sent. Killed, it loses nothing: what it was
sending is another's when the lease has run out, counts as tried, and is sent again with the same
``Palier-Delivery``.
"""

from __future__ import annotations

import logging
import sys

from reference_app.background import Stop, connect_pool, run_process
from reference_app.crew import Crew, Work, worker_name
from reference_app.webhooks.queue import CHANNEL, Queue
from reference_app.webhooks.sender import Sender
from reference_app.webhooks.settings import WebhookSettings, read_webhook_settings

READY = "webhook worker ready"

NAME = "reference_app webhook worker"

logger = logging.getLogger("reference_app.webhooks")


class Worker:
    """One worker process.

    Args:
        settings: What it runs with.
        stop: Ends it.
    """

    def __init__(self, settings: WebhookSettings, stop: Stop) -> None:
        self._settings = settings
        self._stop = stop
        # A connection is needed before and after a request, never during it.
        pool = connect_pool(settings.database_url, size=settings.parallel // 2 + 1, name=NAME)
        self._queue = Queue(
            pool, worker=worker_name(), delays_s=settings.backoff_s, lease_s=settings.lease_s
        )
        self._sender = Sender(settings.keys.proxy, settings.timeout_s)
        self._crew = Crew(
            Work(
                name=NAME,
                channel=CHANNEL,
                ready=READY,
                turn=self._deliver_next,
                next_due_s=self._queue.next_due_s,
                beside=(self._end_lost,),
            ),
            pool,
            database_url=settings.database_url,
            places=settings.parallel,
            stop=stop,
        )

    async def run(self) -> None:
        """Work until the stop is wished."""
        try:
            await self._crew.run()
        finally:
            await self._sender.close()

    async def _end_lost(self) -> None:
        """Look after the deliveries of workers that are no more."""
        while not await self._stop.wait(self._settings.lease_s / 3):
            lost = await self._queue.end_lost()
            if lost:
                logger.warning("%d attempts of lost workers have ended", lost)

    async def _deliver_next(self) -> bool:
        """One attempt for the next delivery; False when none is due."""
        held = await self._queue.claim()
        if held is None:
            return False
        outcome = await self._sender.send(
            held.message,
            url=held.url,
            secret=self._settings.keys.secret_of(held.endpoint_id, held.secret_version),
            delivery_id=held.id,
        )
        status = await self._queue.end(held, outcome)
        if status is None:
            logger.warning("delivery %s was taken from us", held.id)
        elif status == "failed":
            logger.warning("delivery %s has failed for good: %s", held.id, outcome.error)
        return True


async def work(settings: WebhookSettings, stop: Stop) -> None:
    """Run a worker until the stop is wished."""
    await Worker(settings, stop).run()


if __name__ == "__main__":
    sys.exit(run_process(read_webhook_settings, work))
