"""Workers come from one process that has imported what they need."""

from __future__ import annotations

import importlib
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil
import pytest

from harness.engine.framework import import_framework, needs_framework
from harness.engine.job import CallJob, Job, Outcome
from harness.engine.places import Places
from harness.engine.pool import PoolEngine
from harness.method import Context
from harness.plan.fingerprint import Code
from tests.harness.engine.test_places import finish

ROOT = Path(__file__).parents[3]


@dataclass(frozen=True)
class Look:
    """Tells what a worker finds when its job begins."""

    at: str

    def __call__(self, ctx: Context) -> bytes:
        if self.at == "crash":
            os._exit(3)
        found = {
            "torch": lambda: "torch" in sys.modules,
            "pid": os.getpid,
            "keeper": os.getppid,
            "variable": lambda: os.environ.get("CUDA_VISIBLE_DEVICES"),
        }
        return str(found[self.at]()).encode()


def look(at: str, name: str = "j", **fields: Any) -> Job:
    settings: dict[str, Any] = {
        "device": "cpu",
        "dtype": "float32",
        "paths": {},
        "framework": False,
        **fields,
    }
    return CallJob(id=name, call=Look(at), **settings)


@pytest.fixture
def engine() -> Iterator[PoolEngine]:
    pool = PoolEngine(lambda _: None, Places(workers=2, gpus=2))
    yield pool
    pool.close()


def answer(engine: PoolEngine, job: Job) -> Outcome:
    assert engine.accepts(job)
    engine.submit(job)
    (outcome,) = finish(engine, 1)
    return outcome


def server_of(engine: PoolEngine) -> psutil.Process:
    process = engine._server._process
    assert process is not None
    assert process.pid is not None
    return psutil.Process(process.pid)


def test_only_jobs_that_need_pytorch_have_it_and_then_from_the_start(engine: PoolEngine) -> None:
    assert answer(engine, look("torch")).units == b"False"
    assert answer(engine, look("torch", framework=True)).units == b"True"


def test_the_server_forks_as_a_process_of_one_thread(engine: PoolEngine) -> None:
    """Locks that another thread holds would be held for ever in what is forked."""
    answer(engine, look("pid"))
    assert server_of(engine).num_threads() == 1


def test_a_worker_that_died_is_followed_by_one_of_the_same_server(engine: PoolEngine) -> None:
    first = int(answer(engine, look("pid")).units)
    server = server_of(engine).pid
    crashed = answer(engine, look("crash"))
    assert crashed.lost
    assert "(exit code 3)" in crashed.error
    second = int(answer(engine, look("pid")).units)
    assert second != first
    assert server_of(engine).pid == server


def test_the_loss_of_the_server_costs_no_job(engine: PoolEngine) -> None:
    first = answer(engine, look("pid"))
    server_of(engine).kill()
    assert answer(engine, look("pid")).units == first.units, "workers do not depend on it"
    answer(engine, look("crash"))
    assert answer(engine, look("pid")).status == "ok", "there is another one"


def test_variables_of_one_worker_are_not_the_next_ones(engine: PoolEngine, monkeypatch: Any) -> None:
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    assert answer(engine, look("variable", device="cuda", gpus=1)).units == b"1"
    assert answer(engine, look("variable")).units == b"None"


def test_closing_ends_every_process(engine: PoolEngine) -> None:
    keeper = int(answer(engine, look("keeper")).units)
    engine.submit(look("pid", device="cpu"))
    gone = [server_of(engine), psutil.Process(keeper), *psutil.Process(keeper).children()]
    engine.close()
    assert psutil.wait_procs(gone, timeout=10)[1] == []


def test_closing_waits_for_no_import() -> None:
    pool = PoolEngine(lambda _: None, Places(workers=2))
    pool.submit(look("torch", framework=True))
    server = server_of(pool)
    below = server.children(recursive=True)
    pool.close()
    assert not server.is_running()
    deadline = time.monotonic() + 20
    while any(one.is_running() for one in below) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not any(one.is_running() for one in below)


SCRIPT = """
import sys
from pathlib import Path
from tests.harness.running import run
from tests.harness.engine.test_kill import suite
run(suite(), Path(sys.argv[1]), engine="pool")
"""


@pytest.mark.parametrize("way", ["unguarded", "stdin"])
def test_a_main_script_that_cannot_be_imported_again_is_named_once(way: str, tmp_path: Path) -> None:
    script = tmp_path / "mine.py"
    script.write_text(SCRIPT)
    command = [sys.executable, "-" if way == "stdin" else str(script), str(tmp_path / "runs")]
    found = subprocess.run(
        command,
        input=SCRIPT if way == "stdin" else None,
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert found.returncode != 0
    assert "EngineError: Worker processes cannot be started" in found.stderr
    assert "if __name__ == '__main__'" in found.stderr
    assert ("bootstrapping phase" if way == "unguarded" else "<stdin>") in found.stderr
    assert found.stderr.count("in _fixup_main_from_path") == 1


@pytest.mark.parametrize(
    ("code", "needed"),
    [
        (Code(libraries=frozenset({"numpy", "scipy"})), False),
        (Code(libraries=frozenset({"numpy", "torch"})), True),
        (Code(libraries=frozenset({"transformers"})), True),
        (Code(libraries=frozenset({"somebody-elses"})), True),
        (Code(fields={"code x": "unknown: the source cannot be found"}), True),
    ],
)
def test_pytorch_is_needed_unless_everything_is_known_to_do_without(
    code: Code,
    needed: bool,  # noqa: FBT001 - a case
) -> None:
    assert needs_framework(code) is needed


def test_a_source_that_imports_by_variable_may_need_pytorch(tmp_path: Path) -> None:
    from harness.plan.closure import stamp_of

    source = tmp_path / "mine.py"
    source.write_text("import importlib\nname = 'torch'\nimportlib.import_module(name)\n")
    assert needs_framework(Code(files={str(source): stamp_of(source)}))
    source.write_text("import json\n")
    assert not needs_framework(Code(files={str(source): stamp_of(source)}))


def test_pytorch_that_cannot_be_loaded_ends_no_job_that_does_not_touch_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """As where one of its libraries is missing: an OSError, not an ImportError."""

    class Broken:
        def find_spec(self, name: str, *_: Any) -> None:
            if name == "torch":
                raise OSError("libcudart.so.13: cannot open shared object file")

    monkeypatch.delitem(sys.modules, "torch", raising=False)
    monkeypatch.setattr(sys, "meta_path", [Broken(), *sys.meta_path])
    import_framework()
    with pytest.raises(OSError, match="libcudart"):
        importlib.import_module("torch")
