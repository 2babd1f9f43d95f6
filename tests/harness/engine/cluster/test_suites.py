"""Every suite at smoke size, on two nodes and in one process: the same rows, bit for bit."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from harness.claims import Profile
from harness.cli.suites import load_suite, suite_names
from harness.store import RunReader
from harness.suite import Scale
from tests.harness.engine.cluster.nodes import Nodes
from tests.harness.running import run

pytest.importorskip("ray")
pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def nodes() -> Iterator[Nodes]:
    with closing(Nodes()) as cluster:
        cluster.start(cpus=1)
        cluster.start(cpus=1)
        yield cluster


def rows(reader: RunReader) -> dict[str, str]:
    """The hash of each trial's unit rows; what is timed has its times among them."""
    return {
        name: record.units_sha256
        for name, record in reader.trials.items()
        if record.kind == "trial" and record.status == "ok" and record.method != "*"
    }


@pytest.mark.parametrize("name", suite_names())
def test_rows_are_those_of_one_process(nodes: Nodes, tmp_path: Path, name: str) -> None:
    suite, scale = load_suite(name), Scale(profile=Profile.SMOKE)
    finished, reader, _ = run(suite, tmp_path / "a", scale=scale, engine="ray", address=nodes.address)
    _, plain, _ = run(suite, tmp_path / "b", scale=scale, engine="inline")
    assert not finished.summary.failed
    assert rows(reader) == rows(plain)
    assert rows(reader)
    assert {r.environment for r in reader.trials.values()} == {r.environment for r in plain.trials.values()}
