"""Three suites that ask a model behind a server, at toy size on a server of this machine."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest

from harness.claims import Profile
from harness.cli.suites import load_suite
from harness.plan import Selection
from harness.rehearsal import Rehearsed, rehearse
from harness.store import RunReader
from harness.suite import Scale
from methods.common.causal_lm import load_checkpoint
from methods.common.language_model.local import LocalModel
from methods.common.stand_ins import DIGITS, TinyModel, server
from tests.harness.running import Recorder

pytest.importorskip("openai")

ROLES = {
    "il-bench": ("stronger", "weaker"),
    "metric-aware": ("flan-base", "flan-large", "flan-xl"),
    "rest-react": ("agent",),
}
ASKED = {
    "il-bench": Selection(methods=("lsp", "follow")),
    "metric-aware": Selection(methods=("greedy", "mean")),
    "rest-react": Selection(methods=("prompted", "language")),
}
"""Arms that ask; of other experiments some have arms of the same names."""
SILENT: Mapping[str, Any] = {
    "refuses": {"logprobs": "logprobs is not supported", "echo": "echo is not supported"}
}
"""A server without any log-probabilities."""


@contextmanager
def serving(**behaviour: Any) -> Iterator[str]:
    """A random model that answers by digits often, as no suite's reader would else find one."""
    with TemporaryDirectory() as name:
        TinyModel("qwen2", loud=DIGITS).make(Path(name))
        kept = load_checkpoint(Path(name))
        local = LocalModel("tiny", "tiny", kept.model("cpu", "float32"), kept.tokenizer)
        served = server.Served(local, most=8, **behaviour)
        with server.listening(served):
            yield served.address


def plain() -> AbstractContextManager[str]:
    return serving()


def flaky() -> AbstractContextManager[str]:
    return serving(fails_every=10)


def silent() -> AbstractContextManager[str]:
    return serving(**SILENT)


def ran(name: str, folder: Path, serve: str, engine: str) -> tuple[Rehearsed, RunReader]:
    suite = load_suite(name)
    servers = dict.fromkeys(ROLES[name], f"{__name__}:{serve}")
    resources = {suite.bindings[role] for role in servers}
    stand_ins = {one: made for one, made in suite.rehearsal.stand_ins.items() if one not in resources}
    suite = replace(suite, rehearsal=replace(suite.rehearsal, servers=servers, stand_ins=stand_ins))
    done = rehearse(
        suite,
        Scale(profile=Profile.PAPER),
        folder / "work",
        Recorder(),
        dtype="float32",
        selection=ASKED[name],
        runs=folder / "runs",
        engine=engine,
    )
    return done, RunReader(done.finished.folder)


def usage(reader: RunReader, counter: str) -> int:
    records = reader.trials.values()
    return sum(getattr(model.usage, counter) for record in records for model in record.models)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "serve", "engine"),
    [
        ("il-bench", "flaky", "pool"),
        ("il-bench", "silent", "inline"),
        ("metric-aware", "flaky", "pool"),
        ("rest-react", "plain", "inline"),
        ("rest-react", "flaky", "pool"),
    ],
)
def test_served_models_are_asked_and_recorded(name: str, serve: str, engine: str, tmp_path: Path) -> None:
    done, reader = ran(name, tmp_path, serve, engine)
    assert done.finished.summary.failed == []
    assert done.finished.plan.blocked == {}
    asked = {model.address for record in reader.trials.values() for model in record.models if model.address}
    assert asked == {endpoint.address for endpoint in reader.record.endpoints.values()}
    assert set(reader.record.endpoints) >= {done.suite.bindings[role] for role in ROLES[name]}
    assert usage(reader, "requests") > 10
    assert usage(reader, "failed") == 0
    assert (usage(reader, "retries") > 0) == (serve == "flaky")


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "blocked"),
    [("metric-aware", {"flan": "next tokens"}), ("rest-react", {"agents": "log-probabilities of its texts"})],
)
def test_what_needs_log_probabilities_is_not_run_without(
    name: str, blocked: Mapping[str, str], tmp_path: Path
) -> None:
    done, reader = ran(name, tmp_path, "silent", "inline")
    assert {*done.finished.plan.blocked} == {*blocked}
    assert all(words in done.finished.plan.blocked[place] for place, words in blocked.items())
    assert {record.status for record in reader.trials.values()} <= {"ok"}
