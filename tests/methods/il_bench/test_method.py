"""Every method on small tasks: the contract, the budget, what is learnt, and what sabotages break."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from harness.checks import Subject, run_battery
from harness.method import Method, ProblemError
from methods.il_bench import method as m
from methods.il_bench.models import SurrogateInterpreter
from methods.il_bench.predictors import Program, PromptTree
from methods.il_bench.problem import Learned
from methods.il_bench.programs import Node
from methods.il_bench.rules import parse_rules
from methods.il_bench.sabotage import Sabotaged
from methods.il_bench.task import SynTreeTask
from tests.methods.context import FakeContext

TASK = SynTreeTask(train=120, validation=30, test=100, budget=12)
METHODS: dict[str, Method[Any, Any]] = {
    "lsp": m.LSP(expansions=3),
    "lsp-beam": m.LSP(expansions=4, beam=2, leaves=2),
    "lsp-pruned": m.LSP(expansions=3, pruned=True, chosen="validation"),
    "lsp-paraphrase": m.LSP(expansions=3, learner="paraphrase"),
    "lsp-random": m.LSP(expansions=3, select="random"),
    "best-of": m.BestOf(),
    "long": m.LongPrompt(),
    "ape": m.Ape(),
    "opro": m.Opro(each=4),
    "protegi": m.ProTeGi(),
    "ensemble": m.Ensemble(),
    "tree-prompting": m.TreePrompting(),
    "in-context": m.InContext(),
    "chain-of-thought": m.ChainOfThought(),
    "zero-shot": m.ZeroShot(),
}


def solve(method: Method[Any, Any], task: SynTreeTask, seed: int = 3) -> tuple[Learned, dict[str, Any]]:
    ctx = FakeContext(seed)
    result = method.run(task.problem(ctx), ctx)
    return result, dict(task.evaluate(result, ctx).parts)


def accuracy(method: Method[Any, Any], task: SynTreeTask, seeds: range = range(3)) -> float:
    return float(np.mean([np.mean(solve(method, task, seed)[1]["test"]["correct"]) for seed in seeds]))


@pytest.mark.parametrize("name", METHODS)
def test_searches_keep_to_the_budget_and_are_scored(name: str) -> None:
    result, parts = solve(METHODS[name], TASK)
    assert result.spent.learner <= 12
    assert result.spent.executor <= 12 * 150
    assert len(parts["test"]["unit_id"]) == len(set(parts["test"]["unit_id"])) == 100
    assert parts["test"]["unit_id"] != parts["train"]["unit_id"][:100]
    asks = result.spent.learner > 0
    assert asks == (name not in {"in-context", "chain-of-thought", "zero-shot"})
    assert parts["search"]["learner"] == [result.spent.learner]


@pytest.mark.parametrize("name", ["lsp", "lsp-pruned", "opro", "tree-prompting", "in-context", "zero-shot"])
def test_the_contract_is_kept(name: str, tmp_path: Path) -> None:
    small = replace(TASK, train=60, test=40, budget=6)
    subject = Subject(METHODS[name], small, "test", tmp_path)
    assert [one for one in run_battery(subject) if one.status != "passed"] == []


def test_zero_shot_is_chance() -> None:
    # C10: nothing is known of labels without examples, whatever the tree.
    shares = [np.mean(solve(m.ZeroShot(), TASK, seed)[1]["test"]["correct"]) for seed in range(60)]
    assert abs(np.mean(shares) - 1 / 3) < 3 * np.std(shares) / np.sqrt(60)


def test_programs_beat_one_instruction_on_deep_trees() -> None:
    task = SynTreeTask(test=300)
    assert accuracy(m.LSP(), task) > accuracy(m.BestOf(), task) + 0.05


def test_one_expansion_is_one_instruction() -> None:
    # P2: the same number of proposals from the same batches.
    result, _ = solve(m.LSP(expansions=1, proposals=5), TASK)
    assert isinstance(result.predictor, Program)
    assert (result.predictor.root.size, result.spent.learner) == (1, 5)


def test_capacity_decides() -> None:
    # The control of C1: one instruction with all the rules that are needed leaves nothing to gain.
    exact = SynTreeTask(reader=SurrogateInterpreter(error=0.0), train=400, test=300)
    short, long = m.BestOf(batch=400), m.LongPrompt(rules=64, batch=400)
    assert accuracy(long, exact, range(2)) > 0.99 > accuracy(short, exact, range(2)) + 0.1


def test_instructions_have_no_more_rules_than_allowed() -> None:
    for rules in (2, 3):
        result, _ = solve(m.LSP(expansions=3, rules=rules), TASK)
        assert isinstance(result.predictor, Program)
        sizes = [len(parse_rules(node.instruction)) for _, node in result.predictor.root.modules()]
        assert max(sizes) <= rules


def test_sabotages_hurt() -> None:
    task = SynTreeTask(test=300)
    real = accuracy(m.LSP(), task)
    for bug in ("shuffled-labels", "crossed-switch"):
        assert accuracy(Sabotaged(bug=bug), task) < real - 0.1


def test_crossed_branches_keep_the_program_as_large() -> None:
    whole, crossed = (
        solve(method, TASK)[0].predictor.program for method in (m.LSP(), Sabotaged(bug="crossed-switch"))
    )
    assert whole is not None
    assert crossed is not None
    assert whole.size == crossed.size > 1
    assert whole != crossed


def test_undone_expansions_are_found_out() -> None:
    ctx, task = FakeContext(3), SynTreeTask(train=200, test=50)
    done = m.LSP().run(task.problem(ctx), ctx)
    parts = task.evaluate(replace(done, growth=done.growth[::-1]), ctx).parts
    assert max(parts["growth"]["error"]) > 0
    assert any(parts["growth"]["confirmed"])


def test_the_course_of_a_search_is_shown() -> None:
    ctx = FakeContext(3)
    task = SynTreeTask(train=200, test=100)
    result = m.LSP(curve=True).run(task.problem(ctx), ctx)
    assert [step for step, _ in ctx.probes] == list(range(1, len(result.growth) + 1))
    rows = [task.evaluate(found, ctx).parts["main"] for _, found in ctx.probes]
    assert [row["modules"][0] for row in rows[:2]] == [1, 2]
    trained = [row["train_correct"][0] for row in rows]
    assert trained == sorted(trained)
    final = task.evaluate(result, ctx).parts
    assert rows[-1]["correct"] == [np.mean(final["test"]["correct"])]
    assert max(final["growth"]["error"]) == 0.0


def test_reasoning_gets_room() -> None:
    assert solve(m.ChainOfThought(), TASK)[0].new_tokens > solve(m.InContext(), TASK)[0].new_tokens


def test_votes_cost_a_call_each() -> None:
    _, parts = solve(m.Ensemble(voters=3), TASK)
    assert set(parts["test"]["calls"]) == {3}


def test_prompt_trees_ask_what_is_on_the_path() -> None:
    result, parts = solve(m.TreePrompting(leaves=4), TASK)
    assert isinstance(result.predictor, PromptTree)
    assert 1 <= min(parts["test"]["calls"]) <= max(parts["test"]["calls"]) <= 3


def test_a_search_beyond_its_budget_is_refused() -> None:
    ctx = FakeContext(3)
    result = m.BestOf().run(replace(TASK, budget=13).problem(ctx), ctx)
    with pytest.raises(ProblemError, match="13 times"):
        TASK.evaluate(result, ctx)


def test_a_program_that_nobody_can_follow_gives_the_fallback() -> None:
    ctx = FakeContext(3)
    label = TASK.problem(ctx).labels[1]
    parts = TASK.evaluate(Learned(Program(Node("Do the right thing.", label))), ctx).parts
    share = np.mean([item.label == label for item in TASK.benchmark(ctx).test])
    # The surrogate names some label at its rate of errors, and none otherwise.
    assert np.mean(parts["test"]["correct"]) == pytest.approx(share, abs=0.05)
