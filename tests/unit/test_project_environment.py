"""tools/environment.py: when an environment counts as finished, and when it is made again."""

from __future__ import annotations

import importlib.util
import json
import subprocess
import sys
from pathlib import Path

import pytest
from project_tree import ROOT


def load_environment_module():
    spec = importlib.util.spec_from_file_location("environment", ROOT / "tools" / "environment.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


environment = load_environment_module()

PYPROJECT = """
[project]
name = "palier"
version = "0.1.0"
[tool.ruff]
line-length = 100
"""


@pytest.fixture
def checkout(tmp_path):
    """A checkout with lock files and an environment that was just declared finished for dev."""
    (tmp_path / "requirements").mkdir()
    (tmp_path / "requirements" / "run.txt").write_text("a==1 --hash=sha256:00\n")
    (tmp_path / "requirements" / "dev.txt").write_text("a==1 --hash=sha256:00\nb==1\n")
    (tmp_path / "pyproject.toml").write_text(PYPROJECT)
    finish(tmp_path, "dev")
    return tmp_path


def finish(root, group):
    venv = root / ".venv"
    venv.mkdir(exist_ok=True)
    (venv / environment.UNFINISHED).touch()
    environment.write_stamp(root, venv, group)


def held(root):
    return environment.groups_of_stamp(root, root / ".venv")


def test_a_finished_dev_environment_serves_runs_too(checkout):
    assert held(checkout) == ("run", "dev")


def test_a_finished_run_environment_does_not_serve_tests(checkout):
    finish(checkout, "run")

    assert held(checkout) == ("run",)


def test_a_changed_lock_file_asks_for_a_new_set_up_of_its_group_only(checkout):
    (checkout / "requirements" / "dev.txt").write_text("a==1 --hash=sha256:00\nb==2\n")

    assert held(checkout) == ("run",)


def test_a_changed_entry_point_asks_for_a_new_set_up_and_a_changed_lint_rule_does_not(checkout):
    (checkout / "pyproject.toml").write_text(PYPROJECT.replace("100", "99"))
    assert held(checkout) == ("run", "dev")

    (checkout / "pyproject.toml").write_text(PYPROJECT.replace("0.1.0", "0.2.0"))
    assert held(checkout) == ()


def test_a_moved_checkout_asks_for_a_new_set_up(checkout, tmp_path):
    """Console scripts carry the path of their interpreter."""
    moved = tmp_path.with_name(f"{tmp_path.name} moved")
    checkout.rename(moved)

    assert held(moved) == ()


def test_an_unfinished_environment_never_counts_even_with_an_older_stamp(checkout):
    (checkout / ".venv" / environment.UNFINISHED).touch()

    assert held(checkout) == ()


@pytest.mark.parametrize("damaged", ["", "{", "[]", '{"dev": 1}'])
def test_a_damaged_stamp_counts_as_none(checkout, damaged):
    (checkout / ".venv" / environment.STAMP).write_text(damaged)

    assert held(checkout) == ()


def test_an_unfinished_environment_is_started_over(checkout):
    (checkout / ".venv" / environment.UNFINISHED).touch()

    assert "did not finish" in environment.why_not_reusable(checkout / ".venv", "pip")


def test_an_environment_whose_python_is_gone_is_started_over(checkout):
    assert "does not start" in environment.why_not_reusable(checkout / ".venv", "uv")


def test_nothing_is_said_about_an_environment_that_does_not_exist(tmp_path):
    assert environment.why_not_reusable(tmp_path / ".venv", "pip") is None


def test_removing_a_linked_environment_leaves_what_it_points_to(tmp_path):
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "precious").touch()
    link = tmp_path / ".venv"
    link.symlink_to(elsewhere)

    environment.remove(link)

    assert not link.is_symlink()
    assert (elsewhere / "precious").exists()


def test_installers_do_not_inherit_variables_that_lead_them_elsewhere(monkeypatch):
    for name in ("PYTHONPATH", "PYTHONHOME", "VIRTUAL_ENV", "PIP_TARGET", "PIP_PREFIX"):
        monkeypatch.setenv(name, "/elsewhere")
    monkeypatch.setenv("HTTPS_PROXY", "http://proxy.example")

    child = environment.child_environment()

    assert "/elsewhere" not in child.values()
    assert child["HTTPS_PROXY"] == "http://proxy.example"


def test_uv_comes_first_when_it_is_there_and_pip_alone_when_not_or_when_asked_for(
    monkeypatch, tmp_path
):
    monkeypatch.delenv("PALIER_INSTALLER", raising=False)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert environment.installers() == ("pip",)

    (tmp_path / "uv").write_text("#!/bin/sh\n")
    (tmp_path / "uv").chmod(0o755)
    assert environment.installers() == ("uv", "pip")

    monkeypatch.setenv("PALIER_INSTALLER", "pip")
    assert environment.installers() == ("pip",)
    monkeypatch.setenv("PALIER_INSTALLER", "uv")
    assert environment.installers() == ("uv",)


def test_uv_is_not_replaced_silently_when_it_was_asked_for(monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setenv("PALIER_INSTALLER", "uv")

    with pytest.raises(environment.SetupError, match="uv is not on PATH"):
        environment.installers()


def test_an_unknown_installer_is_refused_with_the_two_there_are(monkeypatch):
    monkeypatch.setenv("PALIER_INSTALLER", "conda")

    with pytest.raises(environment.SetupError, match=r"(?s)'conda'.*pip or uv"):
        environment.installers()


def test_a_python_without_venv_is_told_the_package_to_install(monkeypatch, tmp_path):
    """Debian and Ubuntu ship Python without ensurepip."""
    find_spec = importlib.util.find_spec
    monkeypatch.setattr(
        importlib.util, "find_spec", lambda name: None if name == "ensurepip" else find_spec(name)
    )

    with pytest.raises(environment.SetupError, match=r"apt-get install python3\.\d+-venv"):
        environment.create(tmp_path, tmp_path / ".venv", "pip")
    assert not (tmp_path / ".venv").exists()


def test_a_failing_installer_is_reported_with_its_code_and_command(tmp_path):
    with pytest.raises(environment.SetupError, match=r"(?s)exit code 7.*where: .*exit\(7\)"):
        environment.call(
            [sys.executable, "-c", "import sys; sys.exit(7)"], root=tmp_path, what="x", fix="y"
        )


def run_setup(path, *, python=None, checkout=ROOT):
    environ = {"PATH": str(path)} | ({"PYTHON": python} if python else {})
    return subprocess.run(
        ["/bin/sh", checkout / "tools" / "setup.sh", "run"],
        env=environ,
        capture_output=True,
        text=True,
        check=False,
    )


def fake_python(folder, name, version_ok):
    folder.mkdir(exist_ok=True)
    script = folder / name
    script.write_text(f'#!/bin/sh\n[ "$2" = -c ] && exit {0 if version_ok else 1}\necho "$0 $*"\n')
    script.chmod(0o755)


@pytest.fixture
def tools_path(tmp_path):
    """A PATH with dirname and nothing else of the system."""
    folder = tmp_path / "tools-bin"
    folder.mkdir()
    dirname = next(
        Path(p) / "dirname" for p in ("/usr/bin", "/bin") if (Path(p) / "dirname").exists()
    )
    (folder / "dirname").symlink_to(dirname)
    (folder / "cat").symlink_to(dirname.with_name("cat"))
    return folder


def test_no_python_at_all_gives_one_error_with_what_was_tried_and_how_to_get_one(tools_path):
    ended = run_setup(tools_path)

    assert ended.returncode == 5
    assert ended.stderr.startswith("error: no Python 3.11 or newer found\n  where: ")
    assert "  fix:   install one" in ended.stderr


def test_an_old_python3_is_passed_over_for_a_newer_one(tools_path):
    fake_python(tools_path, "python3", version_ok=False)
    fake_python(tools_path, "python3.12", version_ok=True)

    ended = run_setup(tools_path)

    assert ended.returncode == 0
    assert ended.stdout == f"{tools_path}/python3.12 -I tools/environment.py run\n"


def test_a_python_that_was_named_is_used_or_refused_but_never_replaced(tools_path):
    fake_python(tools_path, "python3", version_ok=True)
    fake_python(tools_path, "mine", version_ok=False)

    ended = run_setup(tools_path, python=str(tools_path / "mine"))

    assert ended.returncode == 5
    assert "mine" in ended.stderr


def test_the_newest_run_is_the_last_name_that_begins_with_a_time(tmp_path):
    script = tmp_path / "tools" / "newest_run.sh"
    script.parent.mkdir()
    script.write_bytes((ROOT / "tools" / "newest_run.sh").read_bytes())

    def newest():
        return subprocess.run(["sh", script], capture_output=True, text=True, check=False)

    assert newest().returncode == 2
    assert "make run" in newest().stderr
    for name in ("20261121T090000Z-lou-2-everyone", "20261121T100000Z-lou 3", "zz"):
        (tmp_path / "runs" / name).mkdir(parents=True)
        (tmp_path / "runs" / name / "plan.json").write_text("{}")
    (tmp_path / "runs" / "20271121T100000Z-empty").mkdir()

    assert newest().stdout == "runs/20261121T100000Z-lou 3\n"


def test_clean_keeps_the_runs_and_says_so(tmp_path):
    script = tmp_path / "tools" / "clean.sh"
    script.parent.mkdir()
    script.write_bytes((ROOT / "tools" / "clean.sh").read_bytes())
    for made in (".venv/lib", ".mypy_cache", "palier/__pycache__", "runs/one"):
        (tmp_path / made).mkdir(parents=True)

    ended = subprocess.run(["sh", script], capture_output=True, text=True, check=True)

    assert sorted(path.name for path in tmp_path.iterdir()) == ["palier", "runs", "tools"]
    assert list((tmp_path / "palier").iterdir()) == []
    assert (tmp_path / "runs" / "one").is_dir()
    assert "kept 1 runs in runs/" in ended.stdout


def test_the_stamp_is_readable_by_people(checkout):
    stamp = json.loads((checkout / ".venv" / environment.STAMP).read_text())

    assert sorted(stamp) == ["dev", "run"]
    assert all(len(value) == 64 for value in stamp.values())
