"""A thread that reads one component each second; one that hangs costs its own samples only."""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable

from palier.telemetry.meter import NO_ANSWER, Meter
from palier.telemetry.samples import Sample


class Clock:
    """The run's clock, and its end.

    Args:
        t0: Start of the run, an instant of ``time.monotonic``.
        interval_s: Between two looks.
    """

    def __init__(self, t0: float, interval_s: float) -> None:
        self._t0 = t0
        self._interval_s = interval_s
        self._stopped = threading.Event()

    def now_s(self) -> float:
        """Offset from the start of the run, in seconds; negative before it."""
        return time.monotonic() - self._t0

    def stop(self) -> None:
        """End every wait."""
        self._stopped.set()

    def wait_for_next_tick(self) -> bool:
        """Wait for the next whole interval of the run; True when it is over."""
        tick = math.floor(self.now_s() / self._interval_s) + 1
        return self._stopped.wait(max(0.0, tick * self._interval_s - self.now_s()))


class Watcher:
    """Reads a meter until the clock is stopped.

    Args:
        source: Component; of its samples.
        meter: Reads it.
        clock: Of the run.
        samples: Gets the samples.
        patience_s: After this long without an answer a reading counts as lost.
    """

    def __init__(
        self, source: str, meter: Meter, *, clock: Clock, samples: list[Sample], patience_s: float
    ) -> None:
        self.problem: str | None = None
        self._source = source
        self._meter = meter
        self._clock = clock
        self._samples = samples
        self._patience_s = patience_s
        self._reading_since: float | None = None
        self._thread = threading.Thread(target=self._run, name=f"telemetry-{source}", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def join(self) -> None:
        """Wait until it has ended; a reading that hangs is cut."""
        self._thread.join(self._patience_s)
        if self._thread.is_alive():
            self._meter.cut()
            self._thread.join(self._patience_s)

    def end_hanging_reading(self) -> None:
        """Called now and then by another thread."""
        since = self._reading_since
        if since is not None and time.monotonic() - since > self._patience_s:
            self._meter.cut()

    def _run(self) -> None:
        try:
            self._attempt(self._meter.start)
            while True:
                now_s = self._clock.now_s()
                lost = self._attempt(
                    lambda at_s=now_s: self._samples.extend(  # type: ignore[misc]
                        Sample(at_s, self._source, *reading) for reading in self._meter.read(at_s)
                    )
                )
                self._samples.append(
                    Sample(now_s, self._source, "unavailable", 0.0 if lost is None else 1.0)
                )
                if self._clock.wait_for_next_tick():
                    break
            self.problem = self._attempt(self._meter.finish)
        finally:
            self._meter.close()

    def _attempt(self, action: Callable[[], None]) -> str | None:
        """Run it; a component that does not answer is an observation, not a failure of ours.

        Returns:
            None, or what the component (or its absence) said.
        """
        self._reading_since = time.monotonic()
        try:
            action()
        except NO_ANSWER as error:
            return str(error).strip()
        finally:
            self._reading_since = None
        return None
