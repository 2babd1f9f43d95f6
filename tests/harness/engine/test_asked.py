"""Runs that ask models behind servers: what is recorded, and that nothing is asked twice."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil
import pytest

from harness.claims import Profile
from harness.engine.asked import models_asked
from harness.errors import UsageError
from harness.method import Probed
from harness.plan.served import needs_of
from harness.resources import Resolver
from harness.resources.endpoint import endpoint_of
from harness.store import RunReader, list_runs
from harness.suite import Scale, Suite
from methods.common.servers import probed
from methods.common.stand_ins.server import listening
from tests.harness.asking import PUPIL, TEACHER, Asking, Canned, suite
from tests.harness.running import request, run

pytest.importorskip("openai")
SCALE = Scale(profile=Profile.SMALL)
ROLES = {"teacher": TEACHER.name, "pupil": PUPIL.name}


@contextmanager
def canned(**behaviour: Any) -> Iterator[Canned]:
    served = Canned(**behaviour)
    with listening(served):
        yield served
        served.released.set()


def connected(
    asking: Suite, home: Path, address: str, *, roles: tuple[str, ...] = ("teacher", "pupil")
) -> tuple[Resolver, dict[str, Any]]:
    """A resolver in which one server stands for roles, and what it lacks."""
    found = Resolver({}, frozenset(), home, None)
    lacking = {}
    for role in roles:
        needs: dict[str, Any] = {}
        needs |= needs_of(asking.served.roles[role], ROLES[role], asking.experiments(SCALE))
        told: Probed = probed(address, f"canned-{role}", key_variable="NO_SUCH_KEY", needs=needs)
        found.bindings[ROLES[role]] = endpoint_of(told).write(home)
        lacking[ROLES[role]] = told.lacking
    return found, lacking


@pytest.mark.parametrize("engine", ["inline", pytest.param("pool", marks=pytest.mark.slow)])
def test_records_say_which_models_were_asked_and_how_often(tmp_path: Path, engine: str) -> None:
    asking = suite(artifact=True)
    with canned() as server:
        resolver, lacking = connected(asking, tmp_path / "home", server.address)
        _, reader, _ = run(asking, tmp_path, resolver=resolver, lacking=lacking, engine=engine)
    assert {record.status for record in reader.trials.values()} == {"ok"}
    (told,) = reader.trials["e/t/mean/100"].models
    assert (told.name, told.address, told.protocol) == ("canned-teacher", server.address, "completions")
    assert told.capabilities["listed"]["can"] == "yes"
    assert (told.usage.requests, told.usage.calls, told.usage.prompt_tokens) == (10, 10, 50)
    (artifact,) = (record for record in reader.trials.values() if record.kind == "artifact")
    assert (artifact.models[0].usage.requests, artifact.models[0].usage.unread) == (1, 1)
    assert {name: one.told for name, one in reader.record.endpoints.items()} == {
        TEACHER.name: f"canned-teacher at {server.address} (completions, echo)",
        PUPIL.name: f"canned-pupil at {server.address} (completions, echo)",
    }
    assert reader.record.bindings == {}


def test_what_is_taken_over_keeps_what_it_asked(tmp_path: Path) -> None:
    asking = suite(artifact=True)
    with canned() as server:
        resolver, lacking = connected(asking, tmp_path / "home", server.address)
        _, first, _ = run(asking, tmp_path, resolver=resolver, lacking=lacking)
        before = len(server.prompts)
        _, second, _ = run(asking, tmp_path, resolver=resolver, lacking=lacking)
    assert len(server.prompts) == before
    for name in first.record.planned:
        assert second.trials[name].reused_from
        assert second.trials[name].models == first.trials[name].models != []
    assert not (first.folder / "answers").exists()


def test_failed_requests_are_repeated_and_counted(tmp_path: Path) -> None:
    asking = suite(seeds=(100,))
    with canned(fails=10) as server:
        resolver, lacking = connected(asking, tmp_path / "home", server.address)
        _, reader, _ = run(asking, tmp_path, resolver=resolver, lacking=lacking)
    assert {record.status for record in reader.trials.values()} == {"ok"}
    usages = [model.usage for record in reader.trials.values() for model in record.models]
    assert sum(one.retries for one in usages) == server.failures > 0
    assert sum(one.failed for one in usages) == 0
    assert sum(one.requests for one in usages) == len(server.prompts) + server.failures


def test_a_retry_asks_nothing_again_though_the_code_was_mended(tmp_path: Path) -> None:
    def broken_or_not(*, broken: bool) -> Suite:
        return suite(seeds=(100,), mean=Asking(broken=broken), half=Asking(calls=3))

    with canned() as server:
        resolver, lacking = connected(suite(), tmp_path / "home", server.address)
        changes: dict[str, Any] = {"resolver": resolver, "lacking": lacking}
        finished, reader, _ = run(broken_or_not(broken=True), tmp_path, **changes)
        (told,) = reader.trials["e/t/mean/100"].models
        assert (reader.trials["e/t/mean/100"].status, told.usage.requests) == ("failed", 10)
        before = len(server.prompts)
        _, reader, _ = run(broken_or_not(broken=False), tmp_path, resume=finished.folder, **changes)
        assert len(server.prompts) == before
        # Answers that were only read are no input that its code read by itself: they are gone by now.
        _, later, _ = run(broken_or_not(broken=False), tmp_path, **changes)
    assert {record.trial: record.reused_from for record in later.trials.values()} == dict.fromkeys(
        reader.trials, finished.folder.name
    )
    (told,) = reader.trials["e/t/mean/100"].models
    assert reader.trials["e/t/mean/100"].status == "ok"
    assert (told.usage.requests, told.usage.cached, told.usage.calls) == (0, 10, 10)
    assert not (finished.folder / "answers").exists()


def test_what_a_server_lacks_is_not_run_where_it_is_needed(tmp_path: Path) -> None:
    asking = suite()
    with canned(lists=False) as server:
        resolver, lacking = connected(asking, tmp_path / "home", server.address)
        finished, reader, _ = run(asking, tmp_path, resolver=resolver, lacking=lacking)
    (place,) = finished.plan.blocked
    assert place == "f"
    assert "logprobs are not supported" in finished.plan.blocked["f"]
    assert "grades and choices from the distribution of the next token" in reader.record.blocked["f"]
    assert {record.experiment for record in reader.trials.values()} == {"e"}
    assert {record.status for record in reader.trials.values()} == {"ok"}


def test_a_run_goes_on_with_its_own_server_only(tmp_path: Path) -> None:
    asking = suite(seeds=(100,))
    with canned() as server, canned() as other:
        resolver, lacking = connected(asking, tmp_path / "home", server.address)
        finished, _, _ = run(asking, tmp_path, resolver=resolver, lacking=lacking)
        elsewhere, _ = connected(asking, tmp_path / "home", other.address)
        with pytest.raises(UsageError, match="another server") as caught:
            run(asking, tmp_path, resolver=elsewhere, resume=finished.folder)
        _, fresh, _ = run(asking, tmp_path, resolver=elsewhere)
    assert f"canned-teacher at {server.address}" in str(caught.value)
    assert other.address in str(caught.value)
    # Another server is another trial: nothing is taken over.
    assert not any(record.reused_from for record in fresh.trials.values())


def test_without_a_server_it_is_said_how_to_name_one(tmp_path: Path) -> None:
    finished, _, _ = run(suite(), tmp_path)
    assert finished.plan.trials == ()
    assert "--endpoint teacher-model=URL --model teacher-model=NAME" in finished.plan.blocked["f"]


@dataclass
class Told:
    """A model as foreign code might have it."""

    what: Any
    counts: Any

    @property
    def usage(self) -> Any:
        return self

    def described(self) -> Any:
        return self.what

    def as_dict(self) -> Any:
        return self.counts


def test_models_that_tell_nonsense_end_no_record() -> None:
    fine = Told({"name": "m", "identity": "x"}, {"calls": 2, "more": 1})
    wrong = [Told({}, {}), Told(None, {}), Told({"name": "m"}, {"calls": "many"}), Told({"name": "m"}, None)]
    wrong.append(Told({"name": "m", "capabilities": {"a": object()}}, {"calls": 1}))
    found = models_asked([fine, *wrong, fine])
    assert [(one.name, one.usage.calls) for one in found] == [("m", 4)]


SCRIPT = """
import sys
from pathlib import Path
from harness.store import list_runs
from tests.harness.engine.test_asked import connected, suite
from tests.harness.running import run
if __name__ == "__main__":
    folder, address = Path(sys.argv[1]), sys.argv[2]
    runs = list_runs(folder / "runs")
    asking = suite()
    resolver, lacking = connected(asking, folder / "home", address)
    run(asking, folder, resolver=resolver, lacking=lacking, engine="pool", resume=runs[-1] if runs else None)
"""


def start(folder: Path, server: Canned) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-c", SCRIPT, str(folder), server.address]
    return subprocess.Popen(command, cwd=Path(__file__).parents[3])


@pytest.mark.slow
def test_a_killed_run_asks_nothing_again(tmp_path: Path) -> None:
    with canned(waits=15) as server:
        process = start(tmp_path, server)
        deadline = time.monotonic() + 300
        # Both workers wait for an answer: each has kept what it was answered before.
        while len(server.prompts) < 15 + 2 and time.monotonic() < deadline and process.poll() is None:
            time.sleep(0.05)
        workers = psutil.Process(process.pid).children(recursive=True)
        os.kill(process.pid, signal.SIGKILL)
        process.wait()
        # Workers end with their driver; until then an answer would let them ask the next question.
        assert not psutil.wait_procs(workers, timeout=60)[1]
        under_way, server.waits = Counter(server.prompts[15:]), 10**9
        server.released.set()
        assert start(tmp_path, server).wait(timeout=300) == 0
    (folder,) = list_runs(tmp_path / "runs")
    reader = RunReader(folder)
    assert {record.status for record in reader.trials.values()} == {"ok"}
    counts = Counter(server.prompts)
    # Each arm of each experiment asks for itself, with words that another one may use as well.
    planned = Counter(
        f"Question {number} of seed {record.seed}:"
        for record in reader.trials.values()
        for number in range(10 if record.method == "mean" else 3)
    )
    assert counts >= planned
    assert counts - planned <= under_way
    assert sum(model.usage.cached for one in reader.trials.values() for model in one.models) > 0
    assert request(suite(), tmp_path).resume is None
