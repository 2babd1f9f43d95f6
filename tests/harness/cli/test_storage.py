"""The commands ``doctor``, ``mirror`` and ``cache``."""

from __future__ import annotations

import json
import os
import time
from pathlib import Path

import pytest

from harness import cuda
from harness.cli import cache, suites
from harness.errors import ExitCode
from harness.resources import Resolver, read_split
from tests.harness.cli.conftest import Shell
from tests.harness.cli.demo import NUMBERS


def entry(home: Path, *, days: float = 0.0) -> Path:
    """The data set in the cache, last used some days ago."""
    folder = Resolver({}, frozenset(), home, None).path(NUMBERS).parent
    then = time.time() - days * 86400
    os.utime(folder / "source.json", (then, then))
    return folder


FINGERPRINT = "0123456789abcdef" * 2
BUILT = "offset-0123456789abcdef-01234567"


def artifact(home: Path) -> Path:
    folder = home / "artifacts" / BUILT
    folder.mkdir(parents=True)
    manifest = {"title": "offset", "class": "m:Offset", "fingerprint": FINGERPRINT, "environment": "here"}
    (folder / "artifact.json").write_text(json.dumps(manifest))
    return folder


@pytest.fixture
def home() -> Path:
    return Path(os.environ["CORROBORATE_HOME"])


def test_doctor_says_what_is_there_and_what_is_needed(shell: Shell, home: Path) -> None:
    assert shell("doctor") == ExitCode.OK
    for part in ["Python", "torch", str(home), "demo", "fetchable numbers", "1 artifacts", "CC0-1.0"]:
        assert part in shell.out
    entry(home)
    assert shell("doctor", "demo", "--profile", "small") == ExitCode.OK
    assert "present   numbers" in shell.out
    assert "smoke" not in shell.out


def test_doctor_says_which_gpu_and_why_it_is_not_taken(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    gpus = (cuda.Gpu("NVIDIA H200 MIG 1g.18gb", 16.0), cuda.Gpu("NVIDIA T4", 15.0))
    monkeypatch.setattr(cuda, "driver", lambda: cuda.Driver(gpus, "570.1", "12.8"))
    monkeypatch.setattr(cuda, "torch_build", lambda: cuda.TorchBuild("2.13.0+cpu"))
    shell("doctor", "demo")
    for part in [
        "NVIDIA H200 MIG 1g.18gb, 16 GiB",
        "NVIDIA T4, 15 GiB memory (driver 570.1, CUDA up to 12.8)",
    ]:
        assert part in shell.out
    assert "device      cpu (PyTorch 2.13.0+cpu is built without CUDA, though there is a GPU" in shell.out
    monkeypatch.setattr(cuda, "torch_build", lambda: cuda.TorchBuild("2.13.0", "12.8"))
    shell("doctor", "demo")
    assert "device      cuda (NVIDIA H200 MIG 1g.18gb with 16 GiB, the first of 2; driver 570.1" in shell.out


def test_doctor_knows_only_installed_suites(shell: Shell) -> None:
    assert shell("doctor", "dmo") == ExitCode.USAGE
    assert "Did you mean demo" in shell.err


def test_doctor_reports_a_cache_that_cannot_be_written(
    shell: Shell, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("CORROBORATE_HOME", str(tmp_path / "file"))
    assert shell("doctor") == ExitCode.INFRASTRUCTURE
    assert "CORROBORATE_HOME" in shell.out + shell.err


def test_a_mirror_can_be_built_and_read(
    shell: Shell, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    assert shell("mirror", "mine") == ExitCode.OK
    assert read_split(tmp_path / "mine" / "numbers", "test") == [{"n": n} for n in range(4)]
    assert "CC0-1.0" in (tmp_path / "mine" / "README.md").read_text()
    monkeypatch.setenv("CORROBORATE_MIRROR", str(tmp_path / "mine"))
    assert Resolver.from_environment().path(NUMBERS) == tmp_path / "mine" / "numbers"
    # Copying a mirror onto itself would remove it first.
    assert shell("mirror", "mine") == ExitCode.INFRASTRUCTURE
    assert read_split(tmp_path / "mine" / "numbers", "test")


def test_a_mirror_takes_only_what_is_asked_for(shell: Shell, tmp_path: Path) -> None:
    assert shell("mirror", "mine", "--data-set", "number") == ExitCode.USAGE
    assert "numbers" in shell.err
    assert shell("mirror", "mine", "--profile", "smoke") == ExitCode.OK
    assert not (tmp_path / "mine").exists()


def test_the_cache_is_shown(shell: Shell, home: Path) -> None:
    entry(home)
    artifact(home)
    assert shell("cache") == ExitCode.OK
    assert "numbers" in shell.out
    assert BUILT in shell.out
    assert "2 entries" in shell.out


def test_pruning_needs_a_condition(shell: Shell, home: Path) -> None:
    folder = entry(home)
    assert shell("cache", "prune") == ExitCode.USAGE
    assert folder.exists()


@pytest.mark.parametrize(("age", "kept"), [("30d", True), ("1d", False), ("47h", False), ("1w", True)])
def test_pruning_by_age(shell: Shell, home: Path, age: str, kept: bool) -> None:  # noqa: FBT001 - a parameter
    folder = entry(home, days=2)
    assert shell("cache", "prune", "--older-than", age) == ExitCode.OK
    assert folder.exists() == kept


def test_using_an_entry_makes_it_young(shell: Shell, home: Path) -> None:
    folder = entry(home, days=90)
    Resolver({}, frozenset(), home, None).path(NUMBERS)
    assert shell("cache", "prune", "--older-than", "30d") == ExitCode.OK
    assert folder.exists()


def test_an_age_without_a_unit_is_refused(shell: Shell) -> None:
    assert shell("cache", "prune", "--older-than", "30") == ExitCode.USAGE
    assert "12h" in shell.err


def test_a_dry_run_removes_nothing(shell: Shell, home: Path) -> None:
    folder = entry(home, days=2)
    assert shell("cache", "prune", "--older-than", "1d", "--dry-run") == ExitCode.OK
    assert "numbers" in shell.out
    assert folder.exists()


def test_unused_is_what_neither_suites_nor_runs_refer_to(
    shell: Shell, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder, built = entry(home), artifact(home)
    leftover = home / "artifacts" / ".offset-0123456789abcdee-01234567.building"
    leftover.mkdir()
    assert shell("cache", "prune", "--unused") == ExitCode.OK
    assert folder.exists()
    assert not built.exists()
    assert not leftover.exists()
    monkeypatch.setattr(suites, "_points", lambda group: {})
    assert shell("cache", "prune", "--unused") == ExitCode.OK
    assert not folder.exists()


def test_an_artifact_that_a_run_used_is_kept(
    shell: Shell, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    built = artifact(home)
    monkeypatch.setattr(cache, "_needed_folders", lambda runs: (set(), {FINGERPRINT}))
    assert shell("cache", "prune", "--unused") == ExitCode.OK
    assert built.exists()


def test_what_is_being_filled_is_kept(shell: Shell, home: Path) -> None:
    from filelock import FileLock

    built = artifact(home)
    with FileLock(home / "artifacts" / f".{BUILT}.lock"):
        assert shell("cache", "prune", "--unused") == ExitCode.OK
    assert "another process" in shell.out
    assert built.exists()


def test_what_came_from_an_artifact_store_is_pruned_like_the_rest(shell: Shell, home: Path) -> None:
    names = ["0" * 64, f".{'1' * 64}.0123abcd.part", "mine", "2" * 63]
    for name in names:
        (home / "content" / name).mkdir(parents=True)
        (home / "content" / name / "w.bin").write_bytes(b"0" * 2000)
    shell("cache")
    assert "content" in shell.out
    assert shell("cache", "prune", "--older-than", "1h") == ExitCode.OK
    assert sorted(path.name for path in (home / "content").iterdir()) == sorted(names)
    assert shell("cache", "prune", "--unused") == ExitCode.OK
    left = sorted(path.name for path in (home / "content").iterdir() if path.is_dir())
    assert left == sorted(names[2:]), "what is not ours stays"
