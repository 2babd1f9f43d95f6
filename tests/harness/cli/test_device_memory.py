"""What ``plan`` tells of memory on GPUs."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from harness.cli.device_memory import GPUS, gpu_size
from harness.errors import UsageError
from harness.method import Resource
from harness.method.footprint import Use
from harness.suite import Experiment, Scale
from tests.harness.cli import demo
from tests.harness.cli.conftest import Shell

CONFIG = {
    "model_type": "llama",
    "hidden_size": 4096,
    "intermediate_size": 11008,
    "num_hidden_layers": 32,
    "num_attention_heads": 32,
    "vocab_size": 32000,
}


@pytest.fixture(autouse=True)
def _with_a_model(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The demo's first method trains all weights of a model; the others say nothing."""
    model = Resource(name="numbers", kind="model", licence="MIT", version="1", sources=())
    plain = demo.SUITE.experiments

    def declared(scale: Scale) -> list[Experiment]:
        first, *rest = plain(scale)
        task, method = next(iter(first.tasks)), next(iter(first.methods))
        use = Use(model=model, kind="full", rows=8, tokens=1024)
        return [replace(first, uses={(task, method): use}), *rest]

    changed = replace(demo.SUITE, folder=tmp_path / "suite", experiments=declared)
    monkeypatch.setattr(demo, "SUITE", changed)


def bound(tmp_path: Path, config: object = CONFIG) -> str:
    folder = tmp_path / "model"
    folder.mkdir()
    (folder / "config.json").write_text(json.dumps(config))
    return f"numbers={folder}"


def test_parts_and_gpus_are_told_for_what_is_bound(shell: Shell, tmp_path: Path) -> None:
    assert shell("plan", "demo", "--bind", bound(tmp_path), "--gpu", "40") == 0
    (line,) = [line for line in shell.out.splitlines() if "numbers (6.74·10⁹)" in line]
    assert "all weights trained: 13.5 + 13.5 + 80.9 + " in line
    assert "GPUs of 40 GB" in shell.out
    counts = {}
    for gpu in ("24", "40", "h100-80", "h200-141"):
        assert shell("plan", "demo", "--bind", f"numbers={tmp_path / 'model'}", "--gpu", gpu, "--json") == 0
        told = json.loads(shell.out)
        (entry,) = told["memory"]
        counts[told["gpu_gb"]] = entry["gpus"]
        assert entry["weights"] == pytest.approx(2 * 6.738, abs=0.01)
    assert list(counts) == [24.0, 40.0, 80.0, 141.0]
    assert counts[24.0] > counts[40.0] > counts[80.0] > counts[141.0] == 1


def test_a_model_without_a_known_configuration_is_named(shell: Shell) -> None:
    assert shell("plan", "demo") == 0
    assert "numbers, all weights trained: its sizes are not known (--bind numbers=PATH" in shell.out
    assert shell("plan", "demo", "--json") == 0
    (entry,) = json.loads(shell.out)["memory"]
    assert "weights" not in entry


@pytest.mark.parametrize(
    ("text", "told"), [("[]", "not an object"), ("{", "cannot be read"), ('{"model_type": "x"}', "type 'x'")]
)
def test_a_configuration_that_says_nothing_ends_no_plan(
    shell: Shell, tmp_path: Path, text: str, told: str
) -> None:
    binding = bound(tmp_path)
    (tmp_path / "model" / "config.json").write_text(text)
    assert shell("plan", "demo", "--bind", binding) == 0
    (line,) = [line for line in shell.out.splitlines() if "sizes are not known" in line]
    assert told in line


def test_gpus_have_names_and_sizes() -> None:
    assert gpu_size("H100-80") == GPUS["h100-80"] == 80.0
    assert gpu_size("141GB") == gpu_size("141") == 141.0
    for wrong in ("0", "-3", "nan", "inf"):
        with pytest.raises(UsageError, match="positive number of GB"):
            gpu_size(wrong)
    with pytest.raises(UsageError, match="a100-80"):
        gpu_size("a100-8")


def test_arms_that_say_nothing_print_nothing(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    plain = demo.SUITE.experiments
    monkeypatch.setattr(
        demo,
        "SUITE",
        replace(demo.SUITE, experiments=lambda scale: [replace(e, uses={}) for e in plain(scale)]),
    )
    assert shell("plan", "demo") == 0
    assert "memory of models" not in shell.out
