"""Room that is held back on the disk of a run, and files that outlast a full one."""

from __future__ import annotations

import os
import resource
import subprocess
import sys
from pathlib import Path

import pytest

from palier.load.disk import RESERVE_BYTES, Reserve

SPOOL = """
import resource, sys
from pathlib import Path
from scenarios.spool import Spool
spool = Spool(Path(sys.argv[1]))
spool.add("first\\n")
assert spool.flush()
_, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
resource.setrlimit(resource.RLIMIT_FSIZE, (10, hard))
spool.add("second\\n")
assert not spool.flush()
spool.add("third\\n")
assert not spool.flush()
resource.setrlimit(resource.RLIMIT_FSIZE, (hard, hard))
spool.close()
"""


@pytest.mark.skipif(not hasattr(os, "posix_fallocate"), reason="this system cannot hold room")
def test_the_reserve_takes_room_without_leaving_a_file_and_gives_it_back(tmp_path: Path) -> None:
    with Reserve(tmp_path) as reserve:
        assert reserve.held
        assert list(tmp_path.iterdir()) == []
        reserve.release()
        assert not reserve.held
    assert RESERVE_BYTES > 0


def test_a_file_outlasts_a_full_disk_and_loses_nothing(tmp_path: Path) -> None:
    """The limit on the size of a file is the same to a writer; root of a test may lack a disk."""
    path = tmp_path / "lines"
    subprocess.run([sys.executable, "-c", SPOOL, str(path)], check=True)
    assert path.read_text() == "first\nsecond\nthird\n"
    assert resource.getrlimit(resource.RLIMIT_FSIZE)[1] != 10
