"""FrançaisFluide: learners who write, exercise and read why (FF-01 … FF-03).

    locust -f scenarios/francaisfluide.py --host http://127.0.0.1:8000

Works against any deployment of the reference application, whatever its switches. Which operations
a visitor makes stands in ``tiers.yaml``; what they are is in ``scenarios/ff``.
"""

from __future__ import annotations

from scenarios.ff import reading


class Learner(reading.Reading):
    """Somebody who learns to write French."""

    system = "francaisfluide"
