"""One broken package does not keep others from being used, and is named."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from harness.errors import ExitCode
from tests.reliability.toys_cli import package, process

POINTS = "[corroborate.suites]\nguest = {target}\n"
GOOD = "from tests.harness.cli.demo import SUITE\n"


def installed(folder: Path, way: str) -> tuple[Path, str]:
    """A package that is broken in some way, and what it is named by."""
    ways = {
        "parent": ("guest_a.sub:SUITE", {"guest_a/__init__.py": "1 / 0\n", "guest_a/sub.py": GOOD}),
        "syntax": ("guest_b:SUITE", {"guest_b/__init__.py": "def f(:\n"}),
        "exit": ("guest_c:SUITE", {"guest_c/__init__.py": "raise SystemExit(0)\n"}),
        "absent": ("guest_d:SUITE", {}),
        "no module": ("not a module", {}),
        "no suite": ("guest_e:SUITE", {"guest_e/__init__.py": "SUITE = 3\n"}),
    }
    target, modules = ways[way]
    return package(folder, "guest-package", POINTS.format(target=target), modules), target


@pytest.mark.parametrize("way", ["parent", "syntax", "exit", "absent", "no module", "no suite"])
def test_a_broken_suite_is_one_of_many(tmp_path: Path, way: str) -> None:
    folder, target = installed(tmp_path / "site", way)
    listed = process(tmp_path, "list", path=(folder,))
    assert listed.returncode == ExitCode.OK, listed.stderr
    assert "Baby Bear" in listed.stdout
    assert "guest" in listed.stdout
    examined = process(tmp_path, "doctor", "--profile", "smoke", path=(folder,))
    assert examined.returncode == ExitCode.INFRASTRUCTURE
    assert "\nspectr\n" in examined.stdout
    assert "problem: guest" in examined.stdout
    assert target in examined.stdout
    used = process(tmp_path, "run", "guest", path=(folder,))
    assert used.returncode == ExitCode.USAGE
    assert target in used.stderr
    for done in (listed, examined, used):
        assert "Traceback" not in done.stderr
        assert "fault of corroborate" not in done.stderr


@pytest.mark.parametrize("content", [b"[corroborate.suites]\na line without a value\n", b"\xff\xfe[x"])
def test_a_package_whose_metadata_cannot_be_read_is_named(tmp_path: Path, content: bytes) -> None:
    folder = package(tmp_path / "site", "guest-package", "", {})
    (folder / "guest-package-1.0.dist-info" / "entry_points.txt").write_bytes(content)
    listed = process(tmp_path, "list", path=(folder,))
    assert listed.returncode == ExitCode.OK, listed.stderr
    assert "Baby Bear" in listed.stdout
    assert "guest-package" in listed.stdout


def test_two_packages_with_one_suite_are_refused_by_name(tmp_path: Path) -> None:
    points = POINTS.format(target="guest_f:SUITE").replace("guest =", "ibws =")
    folder = package(tmp_path / "site", "guest-package", points, {"guest_f/__init__.py": GOOD})
    listed = process(tmp_path, "list", path=(folder,))
    assert "guest-package 1.0" in listed.stdout
    done = process(tmp_path, "list", "ibws", path=(folder,))
    assert done.returncode == ExitCode.USAGE
    assert "guest-package 1.0" in done.stderr
    assert "corroborate 0" in done.stderr


def test_facts_of_a_plug_in_that_cannot_be_read_are_its_own_fault(tmp_path: Path) -> None:
    modules = {
        "guest_g/__init__.py": "from dataclasses import replace\nfrom pathlib import Path\n"
        + GOOD
        + "SUITE = replace(SUITE, folder=Path(__file__).parent)\n",
        "guest_g/hub.toml": "[[source]\n",
    }
    points = POINTS.format(target="guest_g:SUITE").replace("guest =", "demo =")
    folder = package(tmp_path / "site", "guest-package", points, modules)
    others = process(tmp_path, "plan", "ibws", "--profile", "smoke", path=(folder,))
    assert others.returncode == ExitCode.OK, others.stderr
    own = process(tmp_path, "plan", "demo", "--profile", "smoke", path=(folder,))
    assert own.returncode == ExitCode.USAGE
    assert "hub.toml" in own.stderr


def test_a_method_of_a_broken_package_is_named(tmp_path: Path) -> None:
    points = "[corroborate.methods]\nguest-method = guest_h:Own\n"
    folder = package(tmp_path / "site", "guest-package", points, {"guest_h.py": "raise SystemExit(0)\n"})
    done = process(tmp_path, "check-method", "guest-method", path=(folder,))
    assert done.returncode == ExitCode.USAGE
    assert "guest_h.py:1" in done.stderr


@pytest.mark.parametrize("way", ["exit", "absent"])
def test_what_a_broken_suite_may_need_is_not_pruned(tmp_path: Path, way: str) -> None:
    folder, _ = installed(tmp_path / "site", way)
    entry = tmp_path / "home" / "resources" / "numbers" / "0123456789ab"
    (entry / "files").mkdir(parents=True)
    told = {"name": "numbers", "version": "1", "source": "a package"}
    (entry / "source.json").write_text(json.dumps(told))
    home = {"CORROBORATE_HOME": str(entry.parents[2])}
    pruned = process(tmp_path, "cache", "prune", "--unused", path=(folder,), environment=home)
    assert pruned.returncode == ExitCode.OK, pruned.stderr
    assert "without suite 'guest'" in pruned.stderr
    assert entry.is_dir()
    pruned = process(tmp_path, "cache", "prune", "--unused", environment=home)
    assert pruned.returncode == ExitCode.OK, pruned.stderr
    assert not entry.exists()
