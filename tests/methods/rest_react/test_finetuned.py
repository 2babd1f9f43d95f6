"""The path of the larger profiles, on a tiny model with a real tokenizer."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch

from harness.method import ProblemError
from methods.common import tiny_lm
from methods.common.causal_lm import load_checkpoint
from methods.rest_react.agent import Settings, roll_out
from methods.rest_react.finetuned import PretrainedStudents
from methods.rest_react.method import SelfImprove
from methods.rest_react.prepare import PretrainedTeacher
from methods.rest_react.steps import Kind, State
from methods.rest_react.training_data import StepExample
from tests.methods.context import FakeContext
from tests.methods.rest_react.small import TASK, TEACHER

PLAN = PretrainedTeacher(
    seed=100,
    entities=20,
    relations=4,
    demonstrations=10,
    steps=20,
    batch=8,
    base_steps=4,
    base_batch=4,
    base_rate=1e-3,
    limit=200,
    rows=16,
)


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("base")
    texts = [example.state + example.target for example in TEACHER.demonstrate().examples]
    tokenizer = tiny_lm.train_tokenizer(texts, 500)
    generator = torch.Generator().manual_seed(0)
    model = tiny_lm.new_model(len(tokenizer), tiny_lm.Size(1, 32, context=400), generator)
    tiny_lm.save(model, tokenizer, folder)
    return folder


@pytest.fixture
def ctx(base: Path) -> FakeContext:
    return FakeContext(objects={"SafeWeights": load_checkpoint(base)})


def weights(student: Any) -> list[torch.Tensor]:
    return [p.detach().clone() for p in student.speaker(None).model.parameters()]


@pytest.mark.parametrize("rank", [0, 2])
def test_students_start_from_the_base_each_time(ctx: FakeContext, rank: int) -> None:
    plan = replace(PLAN, rank=rank)
    shown = plan.demonstrate()

    def train() -> Any:
        return plan.students(ctx).train(shown.examples, shown.lexicon, "L", "gen1-L", ctx)

    first, second = train(), train()
    assert all(map(torch.equal, weights(first), weights(second)))
    base = [p.detach() for p in ctx.load(PLAN.base).model("cpu", "float32").parameters()]
    assert any(not torch.equal(a, b) for a, b in zip(weights(first), base, strict=True))
    assert sum(p.numel() for p in base) == first.parameters


def test_smaller_sizes_are_toys(ctx: FakeContext) -> None:
    shown = PLAN.demonstrate()
    students = PLAN.students(ctx)
    small = students.train(shown.examples, shown.lexicon, "XS", "gen1-XS", ctx)
    assert small.parameters < 12_000
    assert small.speaker(shown.lexicon).surrogate
    with pytest.raises(ProblemError, match="size"):
        students.train(shown.examples, shown.lexicon, "M", "gen1-M", ctx)


def test_a_generation_of_a_language_model_runs_through(ctx: FakeContext, tmp_path: Path) -> None:
    PLAN.build(tmp_path, ctx)
    loaded = PLAN.student(PLAN.load(tmp_path), ctx)
    trained = PLAN.taught(ctx)
    assert all(map(torch.equal, weights(loaded), weights(trained)))
    assert PLAN.student(PLAN.load(tmp_path), ctx, "XS").parameters < 12_000
    task = replace(TASK, generation_0=PLAN, questions=2, asked=3, second=0, runs=1)
    own = FakeContext(objects={**ctx.objects, "PretrainedTeacher": tmp_path})
    method = SelfImprove(generations=2, sizes=("L",), passes=(1, 1), samples=2)
    found = task.evaluate(method.run(task.problem(own), own), own).parts
    assert list(found["agents"]["unit_id"]) == ["gen0-L", "gen1-L", "gen2-L"]
    # An untrained model writes nothing that can be read: it is counted, and never right by accident.
    assert min(found["main"]["format_error"]) > 0.2
    assert found["data"]["examples"][0] == sum(found["data"]["examples"]) / 2


def test_states_that_are_too_long_lose_their_beginning(ctx: FakeContext) -> None:
    students = replace(PLAN, limit=60).students(ctx)
    assert isinstance(students, PretrainedStudents)
    state = State(Kind.DECISION, "What is the rival of the mentor of Ada?" * 5, left=4).prompt
    tokenizer = students.bases["L"].tokenizer
    (example,) = students.encoded(tokenizer, [StepExample(state, "stop")])
    assert len(example.prompt) + len(example.target) == 60
    text = tokenizer.decode(list(example.prompt))
    assert text.endswith(state[-20:])


def test_a_prompt_beyond_the_context_is_refused(ctx: FakeContext) -> None:
    student = PLAN.taught(ctx)
    task = replace(TASK, generation_0=PLAN, questions=2, asked=1, second=0, runs=1)
    problem = task.problem(FakeContext(seed=3, objects=ctx.objects))
    with pytest.raises(ProblemError, match="exceeds"):
        roll_out(
            problem.train,
            student.speaker(problem.lexicon),
            problem.tool,
            Settings(searches=4, samples=1, new_tokens=380),
            seed=0,
        )


def test_what_a_toy_cannot_write_is_left_out_of_what_it_learns(
    ctx: FakeContext, capsys: pytest.CaptureFixture[str]
) -> None:
    """A random model in bfloat16 did so on one processor: it gave the whole question for an answer."""
    shown = PLAN.demonstrate()
    students = PLAN.students(ctx)
    long = StepExample(shown.examples[0].state, f"answer: {'no one ' * 20}")
    plain = students.train(shown.examples, shown.lexicon, "XS", "gen1-XS", ctx)
    assert not capsys.readouterr().out
    other = students.train([*shown.examples, long], shown.lexicon, "XS", "gen1-XS", ctx)
    assert "1 of" in capsys.readouterr().out
    assert other.loss == plain.loss
    with pytest.raises(ProblemError, match="no steps"):
        students.train([long], shown.lexicon, "XS", "gen1-XS", ctx)
