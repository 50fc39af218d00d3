"""Every limit of a fitness check, with its reason. Nothing else in this package has numbers."""

from __future__ import annotations

from typing import Final

LAG_BUDGET_S: Final = 0.010
"""A request sent 10 ms late is still the arrival pattern that was asked for. One process at
2,000 requests/s keeps 99 % within 2 to 5 ms, so 10 ms means it is short of processor time."""

LAG_SHARE_OF_LIMIT: Final = 0.05
"""Where the tightest judged response time is long, lateness up to a twentieth of it is allowed:
response times count from the intended start, so lag can only make the system look worse."""

LATE_SHARE: Final = 0.01
"""At most 1 % of requests may be later than the budget: "lag p99 within the budget"."""

BLOCKED_SHARE: Final = 0.01
"""At most 1 % of the time the generator's event loop may stand still for longer than the lag
budget: what happens then is measured late, so a larger share would reach the 99th percentile."""

CPU_LIMIT: Final = 0.80
"""Of one core, which is all a Python process can use. Queueing for the processor doubles the time
to record an answer at about 80 %."""

SHORTFALL: Final = 0.01
"""At most 1 % of the planned requests may be missing through the generator's own fault."""

LARGEST_GAP_S: Final = 5.0
"""A loader reports once a second; five missing seconds mean it, or its clock, stood still."""
