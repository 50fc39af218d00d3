"""Processes of a stack are ended, whatever they do and whatever happens to us."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

import psutil
import pytest

from palier.errors import StackError
from palier.stack.cleanup import cleanup_stale, down_all, list_stacks
from palier.stack.health import wait_until
from palier.stack.identity import ProcessId, identify, this_process
from palier.stack.process import ProcessRecord, end
from palier.stack.registry import ensure_home, read_record, write_record
from palier.stack.workspace import Workspace

ENV = {"PATH": os.defpath}


def python(code: str) -> list[str]:
    return [sys.executable, "-S", "-c", code]


WAITS = "import signal; print('up', flush=True); signal.pause()"

DEAF = "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); " + WAITS

WITH_CHILD = (
    "import subprocess, sys, signal;"
    "subprocess.Popen([sys.executable, '-S', '-c', 'import signal; signal.pause()']);" + WAITS
)


def children_in(folder: Path) -> list[psutil.Process]:
    """Our own children that work in ``folder``; the tests' shared server does not."""
    children = psutil.Process().children(recursive=True)
    return [child for child in children if Path(child.cwd()).is_relative_to(folder)]


def wait_for_line(log: Path, line: str = "up") -> None:
    wait_until(
        lambda: None if log.exists() and line in log.read_text() else "silent",
        deadline_s=20,
        component=log.stem,
    )


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Polite signals get little time, for components that ignore them on purpose."""
    monkeypatch.setattr("palier.stack.process.GRACEFUL_S", 0.2)


def test_closing_a_workspace_ends_its_processes_and_removes_its_folder(stacks_home):
    with Workspace.create(purpose="test", home=stacks_home) as workspace:
        child = workspace.start("job", python(WAITS), env=ENV)
        wait_for_line(child.log_path)
        assert child.pids() == (child.pid,)

    assert not child.record.process.alive()
    assert child.exit_code() == -signal.SIGTERM
    assert not workspace.folder.exists()


def test_closing_twice_is_the_same_as_closing_once(stacks_home):
    workspace = Workspace.create(purpose="test", home=stacks_home)
    workspace.start("job", python(WAITS), env=ENV)

    workspace.close()
    workspace.close()

    assert not workspace.folder.exists()


def test_logs_outside_the_folder_stay(stacks_home, tmp_path):
    with Workspace.create(purpose="test", home=stacks_home, logs=tmp_path / "logs") as workspace:
        workspace.run("job", python("print('did it')"), env=ENV, deadline_s=20)

    assert (tmp_path / "logs" / "job.log").read_text() == "did it\n"


def test_a_process_that_ignores_the_polite_signal_is_killed(stacks_home, impatient):
    with Workspace.create(purpose="test", home=stacks_home) as workspace:
        child = workspace.start("deaf", python(DEAF), env=ENV)
        wait_for_line(child.log_path)

    assert child.exit_code() == -signal.SIGKILL


def test_a_frozen_process_ends_without_being_killed(stacks_home):
    """A fault that stopped the application must not cost its clean end."""
    with Workspace.create(purpose="test", home=stacks_home) as workspace:
        child = workspace.start("frozen", python(WAITS), env=ENV)
        wait_for_line(child.log_path)
        os.kill(child.pid, signal.SIGSTOP)

    assert child.exit_code() == -signal.SIGTERM


def test_descendants_of_a_killed_component_are_ended_too(stacks_home):
    with Workspace.create(purpose="test", home=stacks_home) as workspace:
        child = workspace.start("family", python(WITH_CHILD), env=ENV)
        wait_for_line(child.log_path)
        _, grandchild = child.pids()
        orphan = identify(grandchild)
        os.kill(child.pid, signal.SIGKILL)
        child.wait(20)
        assert orphan.alive()

    assert not orphan.alive()


def test_a_shell_somebody_opened_in_the_folder_is_spared(stacks_home):
    with (
        Workspace.create(purpose="test", home=stacks_home) as workspace,
        subprocess.Popen(["sleep", "1000"], cwd=workspace.folder) as shell,
    ):
        workspace.start("job", python(WAITS), env=ENV)
        workspace.end_processes()
        assert shell.poll() is None
        shell.kill()


def test_only_the_process_that_was_meant_is_ended(stacks_home):
    """A pid that now belongs to another process is left alone."""
    with subprocess.Popen(python(WAITS), stdout=subprocess.DEVNULL) as bystander:
        before = ProcessId(pid=bystander.pid, birth="another boot/1")
        end(ProcessRecord(name="gone", process=before, signals=("SIGTERM",)))
        assert bystander.poll() is None
        bystander.kill()


def test_a_program_that_fails_is_an_error_with_what_it_said(stacks_home):
    with (
        Workspace.create(purpose="test", home=stacks_home) as workspace,
        pytest.raises(StackError, match=r"exit code 3(.|\n)*no such column"),
    ):
        workspace.run(
            "job",
            python("import sys; print('no such column'); sys.exit(3)"),
            env=ENV,
            deadline_s=20,
        )


def test_a_program_that_takes_too_long_is_ended_and_an_error(stacks_home):
    with Workspace.create(purpose="test", home=stacks_home) as workspace:
        with pytest.raises(StackError, match=r"not done after 0\.3 s"):
            workspace.run("job", python(WAITS), env=ENV, deadline_s=0.3)
        assert children_in(stacks_home) == []


def test_a_program_that_does_not_exist_says_so_in_its_log(stacks_home):
    with (
        Workspace.create(purpose="test", home=stacks_home) as workspace,
        pytest.raises(StackError, match="cannot run /nowhere/granian: No such file"),
    ):
        workspace.run("app", ["/nowhere/granian"], env=ENV, deadline_s=20)


@pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="needs Linux")
def test_a_component_stays_on_its_cores(stacks_home):
    core = max(os.sched_getaffinity(0))
    with Workspace.create(purpose="test", home=stacks_home) as workspace:
        child = workspace.start("job", python(WAITS), env=ENV, cpus=[core])
        wait_for_line(child.log_path)

        assert os.sched_getaffinity(child.pid) == {core}


def test_ctrl_c_while_a_process_is_being_started_does_not_lose_it(stacks_home, monkeypatch):
    """The signal arrives between the start and the record; it is delivered after both."""
    real = read_record

    def interrupted_write(folder: Path, record: object) -> None:
        signal.raise_signal(signal.SIGINT)
        write_record(folder, record)  # type: ignore[arg-type]

    workspace = Workspace.create(purpose="test", home=stacks_home)
    monkeypatch.setattr("palier.stack.workspace.write_record", interrupted_write)
    with pytest.raises(KeyboardInterrupt):
        workspace.start("job", python(WAITS), env=ENV)
    monkeypatch.undo()

    record = real(workspace.folder)
    assert record is not None
    assert [process.name for process in record.processes] == ["job"]
    workspace.close()
    assert children_in(stacks_home) == []


HARNESS = """
import os, signal, sys
from pathlib import Path
from palier.stack.workspace import Workspace

workspace = Workspace.create(purpose="run", home=Path(sys.argv[1]), detached=False)
child = workspace.start("job", [sys.executable, "-S", "-c", sys.argv[2]], env={})
print(workspace.token, child.pid, flush=True)
signal.pause()
"""


def start_harness(home: Path, code: str) -> tuple[subprocess.Popen[str], str, ProcessId]:
    """A command of ours in another process, with one component; its token and its component."""
    harness = subprocess.Popen(
        [sys.executable, "-c", HARNESS, str(home), code], stdout=subprocess.PIPE, text=True
    )
    assert harness.stdout is not None
    token, pid = harness.stdout.readline().split()
    wait_for_line(home / "stacks" / token / "logs" / "job.log")
    return harness, token, identify(int(pid))


def kill_harness(harness: subprocess.Popen[str]) -> None:
    with harness:
        harness.kill()


@pytest.mark.skipif(sys.platform != "linux", reason="the kernel's help is Linux's")
def test_the_kernel_ends_the_components_of_a_killed_command(stacks_home):
    harness, token, component = start_harness(stacks_home, WAITS)

    kill_harness(harness)

    wait_until(lambda: "alive" if component.alive() else None, deadline_s=20, component="orphan")
    assert cleanup_stale(stacks_home) == (token,)


def test_the_next_start_ends_what_a_killed_command_left(stacks_home, impatient):
    """Even a component that ignores the signal the kernel sends it."""
    harness, token, component = start_harness(stacks_home, DEAF)
    kill_harness(harness)
    assert component.alive()

    assert cleanup_stale(stacks_home) == (token,)

    assert not component.alive()
    assert list_stacks(stacks_home) == ()


def test_cleaning_up_leaves_running_commands_alone(stacks_home):
    harness, token, component = start_harness(stacks_home, WAITS)

    assert cleanup_stale(stacks_home) == ()
    report = down_all(stacks_home)

    assert report.ended == ()
    assert [record.token for record in report.left_running] == [token]
    assert component.alive()
    kill_harness(harness)
    cleanup_stale(stacks_home)


def test_a_detached_stack_outlives_its_command_until_it_is_taken_down(stacks_home):
    code = HARNESS.replace("detached=False", "detached=True").replace(
        "signal.pause()", "workspace.let_go()"
    )
    answer = subprocess.run(
        [sys.executable, "-W", "error", "-c", code, str(stacks_home), WAITS],
        capture_output=True,
        text=True,
        check=True,
    )
    token, pid = answer.stdout.split()
    component = identify(int(pid))
    assert answer.stderr == ""
    assert cleanup_stale(stacks_home) == ()
    assert component.alive()

    assert down_all(stacks_home).ended == (token,)

    assert not component.alive()


def test_a_folder_whose_maker_was_killed_before_the_record_is_removed(stacks_home):
    (ensure_home(stacks_home) / "stacks" / "0123456789").mkdir(parents=True)

    assert cleanup_stale(stacks_home) == ("0123456789",)


def test_commands_that_clean_up_at_the_same_time_do_not_disturb_each_other(stacks_home, impatient):
    harness, token, _ = start_harness(stacks_home, DEAF)
    kill_harness(harness)
    ended: list[tuple[str, ...]] = []

    threads = [
        threading.Thread(target=lambda: ended.append(cleanup_stale(stacks_home))) for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sorted(ended) == [(), (), (), (token,)]


def test_a_home_that_others_may_write_to_is_refused(stacks_home):
    stacks_home.chmod(0o777)

    with pytest.raises(StackError, match="only you can write to"):
        Workspace.create(purpose="test", home=stacks_home)

    stacks_home.chmod(0o711)


def test_a_home_that_is_a_link_is_refused(stacks_home, tmp_path):
    link = tmp_path / "home"
    link.symlink_to(stacks_home)

    with pytest.raises(StackError, match="only you can write to"):
        Workspace.create(purpose="test", home=link)


def test_the_record_of_a_stack_is_for_its_owner_only(stacks_home):
    with Workspace.create(purpose="test", home=stacks_home) as workspace:
        workspace.note(admin_url="postgresql://palier:secret@127.0.0.1/x")

        assert (workspace.folder / "record.json").stat().st_mode & 0o077 == 0
        (record,) = list_stacks(stacks_home)
        assert record.owner == this_process()
        assert not record.stale()
