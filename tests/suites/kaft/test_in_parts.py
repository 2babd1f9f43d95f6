"""A trial whose model two processes hold, from the plan to its record."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from harness.claims import Profile
from harness.suite import Experiment, Scale
from suites.kaft import SUITE
from tests.harness.running import run


@dataclass(frozen=True)
class OnTwo:
    """KAFT alone, on two processes."""

    def __call__(self, scale: Scale) -> Sequence[Experiment]:
        world = next(one for one in SUITE.experiments(scale) if one.id == "world")
        return (replace(world, methods={"kaft": world.methods["kaft"]}, only=None, gpus=2),)


@pytest.mark.slow
def test_a_trial_on_two_processes_runs_in_the_pool_and_leaves_nothing(tmp_path: Path) -> None:
    suite = replace(SUITE, experiments=OnTwo(), claims=(), controls=(), tables=(), figures=())
    scale = Scale(profile=Profile.SMOKE)
    finished, reader, _ = run(suite, tmp_path, scale=scale, engine="pool")
    assert not finished.summary.failed
    (trial,) = [record for record in reader.trials.values() if record.kind == "trial"]
    assert (trial.status, trial.gpus, trial.left, trial.unsure) == ("ok", 2, [], "")
    assert trial.parts
