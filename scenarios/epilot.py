"""E-Pilot: the administrators of school groups, and who runs the service (J-09, J-10).

    locust -f scenarios/epilot.py --host http://127.0.0.1:8000

Works against any deployment of the reference application, whatever its switches. Which operations
a visitor makes stands in ``tiers.yaml``; what they are is in ``scenarios/ep``.
"""

from __future__ import annotations

from scenarios.ep import bulk, limits, office, schools


class Visitor(schools.Schools, bulk.Bulk, limits.Limits, office.Office):
    """Whoever comes: an administrator of a group, or a super administrator."""

    system = "epilot"
