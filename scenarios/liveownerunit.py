"""LiveOwnerUnit: owners of gîtes, their guests and the support desk (J-01 … J-08, J-12, J-13).

    locust -f scenarios/liveownerunit.py --host http://127.0.0.1:8000

Works against any deployment of the reference application, whatever its switches. Which operations
a visitor makes stands in ``tiers.yaml``; what they are is in ``scenarios/lou``.
"""

from __future__ import annotations

from scenarios.lou import calendar, guest, support


class Visitor(calendar.Calendar, guest.Guest, support.Support):
    """Whoever comes: an owner, a guest, somebody of the support desk."""

    system = "liveownerunit"
