"""Every suite's smoke profile with bfloat16 weights: no optimizer works on a bfloat16 weight itself."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from torch.optim.optimizer import register_optimizer_step_pre_hook

from harness.cli.main import main
from harness.cli.suites import suite_names
from harness.plan import placement
from harness.store import list_runs, open_run
from methods.common.master_weights import MasterWeights

LOW = (torch.bfloat16, torch.float16)
UNTRAINED = {"ibws", "il-bench", "spectr"}
"""Suites that train nothing under ``smoke``: rankings, surrogates and decoding."""


@pytest.fixture
def updates() -> Iterator[list[str]]:
    """Names of the optimizers that take steps, those on bfloat16 weights marked."""
    seen: list[str] = []

    def look(optimizer: torch.optim.Optimizer, *_: Any) -> None:
        types = {p.dtype for group in optimizer.param_groups for p in group["params"]}
        low = bool(types & set(LOW)) and not isinstance(optimizer, MasterWeights)
        seen.append(f"{type(optimizer).__name__}{' on bfloat16' if low else ''}")

    handle = register_optimizer_step_pre_hook(look)
    yield seen
    handle.remove()


@pytest.mark.slow
@pytest.mark.parametrize("suite", suite_names())
def test_smoke_in_bfloat16(
    suite: str, updates: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(placement.DTYPES, "cpu", "bfloat16")
    settings = ["--profile", "smoke", "--engine", "inline", "--device", "cpu", "--no-report"]
    main(["run", suite, *settings, "--runs", str(tmp_path)])
    (folder,) = list_runs(tmp_path)
    trials = open_run(folder).trials.values()
    assert {record.trial: record.error for record in trials if record.status != "ok"} == {}
    assert [name for name in updates if "on bfloat16" in name] == []
    assert bool(updates) == (suite not in UNTRAINED)
