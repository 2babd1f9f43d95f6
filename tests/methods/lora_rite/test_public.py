"""Public data sets through lm-eval, with tiny models: the code of the gpu and paper profiles."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from harness.method import ProblemError, ResourceError
from methods.common import datasets
from methods.common.causal_lm import load_checkpoint
from methods.lora_rite.cost import Train, TrainingCost
from methods.lora_rite.finetune import FineTune
from methods.lora_rite.models import load_encoder_decoder
from methods.lora_rite.public import (
    INSTRUCTIONS,
    Instruction,
    PublicTask,
    in_words,
    load_instructions,
)
from suites.lora_rite.public import FOLDER
from tests.methods.context import FakeContext
from tests.methods.lora_rite.worlds import save_decoder, save_encoder_decoder, write_split

pytest.importorskip("lm_eval")
pytestmark = [
    # Of lm-eval and what it imports.
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
    pytest.mark.filterwarnings("ignore::UserWarning"),
]

COLOURS = ["red", "green", "blue"]


def choices(count: int) -> list[dict[str, Any]]:
    return [
        {
            "id": f"q{n}",
            "question": "what colour is the hat",
            "choices": {"text": COLOURS, "label": ["A", "B", "C"]},
            "answerKey": "ABC"[n % 3],
        }
        for n in range(count)
    ]


def endings(count: int) -> list[dict[str, Any]]:
    return [
        {"ind": n, "ctx": "what colour is", "endings": COLOURS, "label": str(n % 3)} for n in range(count)
    ]


def yes_no(count: int) -> list[dict[str, Any]]:
    return [{"id": f"{n}", "question": "is the hat red?", "answer": n % 2 == 0} for n in range(count)]


def sums(count: int) -> list[dict[str, Any]]:
    return [{"id": f"{n}", "question": "one two", "answer": f"{n % 5}"} for n in range(count)]


def instructions(count: int) -> list[dict[str, Any]]:
    return [
        {"id": f"{n}", "definition": "Answer:", "inputs": "what", "targets": COLOURS[n % 3]}
        for n in range(count)
    ]


SETS: list[tuple[str, Any, Any, str, Any]] = [
    ("arc_easy", datasets.ARC_EASY, choices, "test", datasets.load_choices),
    ("arc_challenge", datasets.ARC_CHALLENGE, choices, "test", datasets.load_choices),
    ("openbookqa", datasets.OPENBOOKQA, choices, "test", datasets.load_choices),
    ("hellaswag", datasets.HELLASWAG, endings, "validation", datasets.load_endings),
    ("boolq", datasets.BOOLQ, yes_no, "validation", datasets.load_yes_no),
    ("mawps", datasets.MAWPS, sums, "test", datasets.load_sums),
    ("gsm8k", datasets.GSM8K, sums, "test", datasets.load_sums),
    ("instructions", INSTRUCTIONS, instructions, "test", load_instructions),
]


@pytest.fixture(scope="module")
def decoder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("decoder")
    save_decoder(folder)
    return folder


def world(case: tuple[str, Any, Any, str, Any], folder: Path, model: Any) -> tuple[PublicTask, FakeContext]:
    name, data, rows, split, loader = case
    write_split(folder, "train", rows(40))
    write_split(folder, split, rows(6))
    task = PublicTask(
        model=replace(data, name="model"),
        data=data,
        tasks=FOLDER,
        file=f"lora_rite_{name}",
        held_out=8,
        limit=4,
        steps=2,
        batch=4,
    )
    return task, FakeContext(objects={"model": model, data.name: loader(folder)})


@pytest.mark.parametrize("case", SETS, ids=lambda case: str(case[0]))
def test_every_set_is_learnt_and_scored(case: Any, decoder: Path, tmp_path: Path) -> None:
    task, ctx = world(case, tmp_path, load_checkpoint(decoder))
    result = FineTune(rank=2, alpha=2.0).run(task.problem(ctx), ctx)
    rows = task.evaluate(result, ctx).parts["main"]
    assert len(rows["unit_id"]) == len(set(rows["unit_id"])) == 4
    assert set(map(float, rows["correct"])) <= {0.0, 1.0}
    tuned = task.evaluate(result, replace(ctx, stage="tune")).parts
    assert list(tuned) == ["validation"]
    assert len(tuned["validation"]["correct"]) == 8


def test_encoder_decoder_path(tmp_path: Path) -> None:
    save_encoder_decoder(tmp_path / "model")
    case = SETS[2]
    task, ctx = world(case, tmp_path / "data", load_encoder_decoder(tmp_path / "model"))
    result = FineTune(rank=2, alpha=2.0).run(task.problem(ctx), ctx)
    rows = task.evaluate(result, ctx).parts["main"]
    assert len(rows["correct"]) == 4


def test_training_steps_of_a_checkpoint_are_timed(decoder: Path) -> None:
    ctx = FakeContext(objects={"arc-easy": load_checkpoint(decoder)})
    task = TrainingCost(small=(1, 16), rows=2, length=8, rank=2, model=datasets.ARC_EASY)
    assert Train(size="large", repeats=1).run(task.problem(ctx), ctx) == 1


def test_validation_rows_are_not_trained_on(decoder: Path, tmp_path: Path) -> None:
    task, ctx = world(SETS[5], tmp_path, load_checkpoint(decoder))
    tuned = task.evaluate(_untrained(task, ctx), replace(ctx, stage="tune"))
    held = set(tuned.parts["validation"]["unit_id"])
    assert held.isdisjoint(example.id for example in task.problem(ctx).train)


def _untrained(task: PublicTask, ctx: FakeContext) -> Any:
    return FineTune(rank=2, rate=1e-12).run(task.problem(ctx), ctx)


def test_words_of_every_kind_of_row() -> None:
    choice = in_words(datasets.Choice("1", "Which?", ("A", "B"), ("x", "y"), 1))
    assert (choice.prompt, choice.answer, choice.options) == ("Question: Which?\nAnswer:", " y", (" x", " y"))
    assert in_words(datasets.YesNo("1", "So?", answer=False)).answer == " no"
    assert in_words(datasets.Sum("1", "1+1?", "2")).answer == " 2"
    assert in_words(Instruction("1", "Do.", "done")).prompt == "Do.\nAnswer:"
    with pytest.raises(ProblemError, match="no prompt"):
        in_words("row")


def test_pickled_weights_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ResourceError, match="no safetensors"):
        load_encoder_decoder(tmp_path).model("cpu", "float32")
