"""Open files and ports: a connection of the generator is one of each."""

from __future__ import annotations

import resource
from dataclasses import dataclass
from typing import Final

from palier.machine.check import Check
from palier.stack.ports import ephemeral_ports

OWN_FILES: Final = 100
"""Files a loader has open beside its connections: libraries, logs, the event loop."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Needed:
    """Connections of a run.

    Attributes:
        usual: While the service answers as it should; without them a run cannot work.
        stalled: When it stands still for as long as a request may take: then every request of
            that time waits on a connection of its own.
    """

    usual: int
    stalled: int

    def shared(self, loaders: int) -> Needed:
        """What each of several loaders needs."""
        return Needed(usual=-(-self.usual // loaders), stalled=-(-self.stalled // loaders))

    def beside(self, open_all_the_time: int) -> Needed:
        """With so many more that are open however the service answers."""
        return Needed(
            usual=self.usual + open_all_the_time, stalled=self.stalled + open_all_the_time
        )


def look_at_files(needed: Needed) -> Check:
    """Open files that a loader may have, against what it needs. It raises its limit itself, as
    far as the hard limit allows."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard == resource.RLIM_INFINITY:
        return Check(name="open files", status="ok", found="no limit")
    return _enough(
        "open files",
        hard - OWN_FILES,
        needed,
        found=f"{hard:,} for each loader, which needs up to {needed.stalled + OWN_FILES:,}",
        fix=f"raise nofile in limits.conf to {needed.stalled + OWN_FILES:,}, "
        "or use more loader processes (--workers)",
    )


def look_at_ports(needed: Needed) -> Check:
    """Ports for outgoing connections to one service, against what all loaders need."""
    first, last = ephemeral_ports()
    count = last - first + 1
    return _enough(
        "ports",
        count,
        needed,
        found=f"{count:,} for outgoing connections ({first} to {last}), and up to "
        f"{needed.stalled:,} are needed",
        fix="sysctl -w net.ipv4.ip_local_port_range='1024 65535', or loaders on more machines",
    )


def _enough(name: str, there: int, needed: Needed, *, found: str, fix: str) -> Check:
    if there >= needed.stalled:
        return Check(name=name, status="ok", found=found)
    if there < needed.usual:
        return Check(name=name, status="missing", found=found, fix=fix)
    stalled = "if the service stands still the generator runs out and the run is INVALID"
    return Check(name=name, status="warning", found=f"{found}: {stalled}", fix=fix)
