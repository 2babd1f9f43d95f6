"""The packages of ``examples/`` on tiny problems, installed and run; and the scripts, each run as it is."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import tomllib
from dataclasses import fields, replace
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from methods.common import tiny_lm
from methods.common.causal_lm import load_checkpoint
from methods.lite.generated import GeneratedRanking
from methods.lite.latency import StoredVectors
from methods.lite.scorers import MaxSim
from methods.lite.task import MRR
from methods.lora_rite import strings
from methods.lora_rite.language import StringTask
from methods.lora_rite.regression import ERROR, LinearRegression
from methods.spectr.law import token_law
from methods.spectr.method import BLOCK_EFFICIENCY, SpecTr
from methods.spectr.pairs import Pairs
from methods.spectr.task import Chain
from own_optimizer import LionFineTune, LionRegression
from own_scorer import SoftRanker, SoftRescore
from own_selection import FirstTriesDecoding, FirstTriesSelect
from tests.methods.context import FakeContext

ROOT = Path(__file__).parents[1]
CTX = FakeContext()
EXAMPLES = sorted(path.parent for path in (ROOT / "examples").glob("*/pyproject.toml"))
SUITES = {"own_optimizer": "lora-rite", "own_scorer": "lite", "own_selection": "spectr"}
IN_SMOKE = {
    "own_optimizer": ["lion-regression"],
    "own_scorer": ["soft-ranker"],
    "own_selection": ["first-tries-decoding", "first-tries-select"],
}
"""Methods whose experiments the smallest profile has."""


def entries(example: Path) -> dict[str, str]:
    declared = tomllib.loads((example / "pyproject.toml").read_text(encoding="utf-8"))
    found: dict[str, str] = declared["project"]["entry-points"]["corroborate.methods"]
    return found


def solve(task: Any, method: Any, ctx: FakeContext = CTX) -> dict[str, Any]:
    return dict(task.evaluate(method.run(task.problem(ctx), ctx), ctx).parts)


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda path: path.name)
def test_an_example_is_short_and_declares_its_methods(example: Path) -> None:
    lines = [line for path in example.rglob("*.py") for line in path.read_text(encoding="utf-8").splitlines()]
    assert 0 < len(lines) < 60
    page = (example / "README.md").read_text(encoding="utf-8")
    assert {*re.findall(r"--method ([\w-]+)", page)} == {*entries(example)}
    for target in entries(example).values():
        module, _, name = target.partition(":")
        parameters = {item.name for item in fields(getattr(import_module(module), name))}
        # What chooses one of the paper's own would be said of the outside method, too.
        assert parameters.isdisjoint({"optimizer", "scorer", "name"})


def test_the_optimizer_learns_the_regression() -> None:
    task = LinearRegression(steps=150)
    start, end = (ERROR(solve(task, LionRegression(rate=rate))["main"]) for rate in (1e-9, 0.01))
    assert end < 0.5 * start


def test_the_optimizer_fine_tunes(tmp_path: Path) -> None:
    size = tiny_lm.Size(1, 16, context=strings.LONGEST)
    tiny_lm.new_model(strings.VOCABULARY, size, torch.Generator().manual_seed(0)).save_pretrained(tmp_path)
    ctx = FakeContext(objects={"StringModel": load_checkpoint(tmp_path)})
    task = StringTask(steps=4, batch=4, train=16, test=5)
    model = LionFineTune(rank=2, alpha=2.0).run(task.problem(ctx), ctx).model
    moved = [value for name, value in model.named_parameters() if name.endswith(".b")]
    assert moved
    assert all(bool((value != 0).any()) for value in moved)


def test_the_scorer_learns_to_rank() -> None:
    task = GeneratedRanking(queries=60)
    method = SoftRanker(steps=0, batch=16, negatives=3, sharpness=1.0, trains="scorer", rate=0.05)
    before, after = (MRR(solve(task, replace(method, steps=steps))["main"]) for steps in (0, 120))
    assert after > before + 0.1


def test_the_scorer_is_maxsim_in_the_limit(tmp_path: Path) -> None:
    ctx = FakeContext(scratch=tmp_path)
    problem = StoredVectors(documents=7, l1=3, doc_tokens=(4,), dim=8).problem(ctx)
    d = torch.from_numpy(np.array(problem.read(4), dtype=np.float32))
    expected = MaxSim()(problem.query.expand(7, -1, -1), d, torch.ones(7, 3), torch.ones(7, 4)).numpy()
    # Each of the 3 query vectors adds log Σⱼ exp(β (Sᵢⱼ − maxⱼ)) / β, of 4 terms with one that is 1.
    for sharpness in (5.0, 15.0):
        gap = SoftRescore(doc_tokens=4, batch=3, sharpness=sharpness).run(problem, ctx) - expected
        assert gap.min() > 0
        assert gap.max() < 3 * np.log(4) / sharpness


def test_the_rule_has_the_targets_law() -> None:
    law = solve(Pairs(random=5), FirstTriesSelect())["law"]
    assert max(law["error"]) <= law["tolerance"][0]
    p, q = torch.tensor([0.75, 0.25]).double(), torch.tensor([0.25, 0.75]).double()
    two, three = (token_law(FirstTriesSelect(tries=tries).rule(), p, q, 3)[1] for tries in (2, 3))
    assert two < three


def test_the_rule_decodes_and_gains_less_than_all_tries() -> None:
    task = Chain(prompts=40, tokens=20)
    few = BLOCK_EFFICIENCY(solve(task, FirstTriesDecoding(drafts=8, length=4, tries=1))["main"])
    assert 1 < few < BLOCK_EFFICIENCY(solve(task, SpecTr(drafts=8, length=4))["main"])


def numbers(text: str, line: str) -> list[float]:
    """The numbers of the lines that match, in order."""
    found = [match[1] for match in re.finditer(rf"^\s*{line}(.*)$", text, flags=re.MULTILINE)]
    assert found, f"no line is like {line}:\n{text}"
    return [float(number) for rest in found for number in re.findall(r"-?\d+(?:\.\d+)?", rest)]


def ibws_gets_better(said: str) -> bool:
    rounds = numbers(said, r"after round \d+:")
    return rounds[-1] > rounds[0] and numbers(said, "all .* by Bradley-Terry:")[0] > 0.9


def programs_are_learnt_and_kept(said: str) -> bool:
    short, long = (numbers(said, f"{budget} expansions:")[0] for budget in (1, 6))
    return long >= short > 70 and numbers(said, "from its file:") == [100.0]


def contexts_keep_their_promise(said: str) -> bool:
    return numbers(said, "of 12 counterfactual contexts") == [12, 0]


def the_split_does_not_matter(said: str) -> bool:
    adam, rite = (numbers(said, f"{name}:")[-1] for name in ("AdamW", "LoRA-RITE"))
    return rite < 0.002 and adam > 0.02


def decisions_are_best_for_their_metric(said: str) -> bool:
    table = np.array([numbers(said, f"{metric} +(?=\\d)") for metric in ("accuracy", "mae", "rmse")])
    # Squares and distances; which rating is likeliest the model is not sure enough of.
    return [int(column.argmin()) for column in table.T[1:]] == [1, 2]


def less_is_forgotten(said: str) -> bool:
    (before, general), (direct, forgot), (tuned, kept) = (
        numbers(said, f"{name}: task") for name in ("before", "direct", "ProMoT")
    )
    return max(direct, tuned) < 1 < before and general < kept < forgot


def the_agent_answers(said: str) -> bool:
    return "answer: Dublin, after 2 searches" in said and numbers(said, "(?=8 training)") == [8, 8]


def training_makes_sparse(said: str) -> bool:
    before, after = (numbers(said, f"{state}:")[0] for state in ("untrained", "trained"))
    few = numbers(said, "the 4 largest:")[0]
    return after < 0.8 * before and few > numbers(said, "all 256 neurons:")[0]


def drafts_save_calls(said: str) -> bool:
    one, four = (numbers(said, f"small model, K = {drafts}:")[0] for drafts in (1, 4))
    return four > one > 1.5


def order_is_learnt(said: str) -> bool:
    plain, trained = numbers(said, "MaxSim: MRR")[0], numbers(said, r"LITE, 150 updates more: MRR")[0]
    return trained > plain + 0.15


SCRIPTS = {
    "ibws": ibws_gets_better,
    "il_bench": programs_are_learnt_and_kept,
    "kaft": contexts_keep_their_promise,
    "lite": order_is_learnt,
    "lora_rite": the_split_does_not_matter,
    "metric_aware": decisions_are_best_for_their_metric,
    "promot": less_is_forgotten,
    "rest_react": the_agent_answers,
    "sparsity": training_makes_sparse,
    "spectr": drafts_save_calls,
}


def test_each_script_is_looked_at() -> None:
    assert {path.stem for path in (ROOT / "examples").glob("*.py")} == {*SCRIPTS}


@pytest.mark.slow
@pytest.mark.parametrize("name", SCRIPTS)
def test_a_script_shows_what_it_says(name: str, tmp_path: Path) -> None:
    environment = {
        **os.environ,
        "PYTHONPATH": str(ROOT),
        "CORROBORATE_HOME": str(tmp_path / "home"),
        "HF_HUB_OFFLINE": "1",
    }
    script = [sys.executable, str(ROOT / "examples" / f"{name}.py")]
    done = subprocess.run(
        script, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False, timeout=600
    )
    assert done.returncode == 0, done.stderr
    assert SCRIPTS[name](done.stdout), done.stdout


@pytest.mark.slow
@pytest.mark.parametrize("example", EXAMPLES, ids=lambda path: path.name)
def test_an_example_is_installed_checked_and_run(example: Path, tmp_path: Path) -> None:
    # Building leaves files beside the sources.
    source = shutil.copytree(example, tmp_path / "source")
    offline = ("--no-deps", "--no-build-isolation", "--no-index")
    command(tmp_path, "pip", "install", "--quiet", *offline, "--target", str(tmp_path / "site"), str(source))
    names = IN_SMOKE[example.name]
    assert {*names} <= {*entries(example)}
    for name in names:
        assert command(tmp_path, "harness.cli.main", "check-method", name).endswith("0 failed\n")
    chosen = [word for name in names for word in ("--method", name)]
    only = ("--methods", ",".join(names), "--profile", "smoke", "--runs", str(tmp_path / "runs"))
    command(tmp_path, "harness.cli.main", "run", SUITES[example.name], *chosen, *only)
    (records,) = (tmp_path / "runs").glob("*/trials.jsonl")
    trials = [json.loads(line) for line in records.read_text(encoding="utf-8").splitlines()]
    assert {(trial["method"], trial["status"]) for trial in trials} == {(name, "ok") for name in names}


def command(folder: Path, module: str, *arguments: str) -> str:
    """Run a module where the package is installed, and this repository is not the working directory."""
    search = os.pathsep.join([str(folder / "site"), str(ROOT)])
    environment = {**os.environ, "PYTHONPATH": search, "CORROBORATE_HOME": str(folder / "home")}
    done = subprocess.run(
        [sys.executable, "-P", "-m", module, *arguments],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=600,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout
