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
"""Of one core, which is all a Python process can use, counting the time in which it was ready to
run and another process had the core: for an answer that has to be noticed both are the same. At
80 % it finds the processor taken four times in five."""

COLLECTOR_SHARE: Final = 0.05
"""Of the time. What happens during a pause of the collector is measured late; at a twentieth of
the time that reaches the 95th percentile, which most targets judge. Single long pauses are the
event loop's to find."""

STEAL_SHARE: Final = 0.20
"""Of the time of all cores. The system then has a fifth less machine than the report says, which
moves a capacity by as much. Single long thefts are stand-stills of the event loop, too."""

CLOCK_STEP_S: Final = 0.1
"""Between two lines of a loader, a second apart. A clock that is corrected gradually moves by 83 ms
a second at most (chrony's maxslewrate; the kernel's own limit is 0.5 ms); ntpd steps at 128 ms."""

CLOCK_BOUND_S: Final = 0.005
"""Half of the lag that is allowed. Response times come from one clock each; what another machine's
clock moves is when its share of the arrivals comes, against the others' and the plan."""

SLOW_LOOKUP_S: Final = 0.1
"""A name server in the same network answers in a few milliseconds, one of a provider in tens."""

SHORTFALL: Final = 0.01
"""At most 1 % of the planned requests may be missing through the generator's own fault."""

LARGEST_GAP_S: Final = 5.0
"""A loader reports once a second; five missing seconds mean it, or its clock, stood still."""

RATE_OVER_S: Final = 5
"""Random arrivals of a single second are often a tenth above their rate; in five they are not."""
