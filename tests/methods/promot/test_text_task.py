"""The text task on tiny models of both architectures and invented data sets."""

from __future__ import annotations

import gzip
import json
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
import torch

from harness.method import ResourceError
from methods.common import datasets, tiny_lm
from methods.promot import method as m
from methods.promot.checkpoint import load_language_model
from methods.promot.metrics import NORM_AVG, TARGET_SCORE
from methods.promot.text_task import TextWorld
from methods.promot.texts import TextSource
from tests.methods.promot.worlds import FakeContext

COLOURS = ("red", "green", "blue", "black", "white", "pink")
MODEL: dict[str, Any] = {"rate": 1e-3, "steps": 2, "every": 1, "batch": 4, "optimizer": "adam"}
PROMPT: dict[str, Any] = {"length": 3, "prompt_steps": 2, "prompt_every": 1}


def _write(folder: Path, split: str, rows: list[dict[str, Any]]) -> None:
    folder.mkdir(exist_ok=True)
    with gzip.open(folder / f"{split}.jsonl.gz", "wt", encoding="utf-8") as lines:
        lines.writelines(json.dumps(row) + "\n" for row in rows)


def _save_model(folder: Path, texts: list[str], *, encoder_decoder: bool) -> Path:
    from transformers import T5Config, T5ForConditionalGeneration

    tokenizer = tiny_lm.train_tokenizer(texts, 320)
    if not encoder_decoder:
        model = tiny_lm.new_model(
            len(tokenizer), tiny_lm.Size(1, 16, heads=2), torch.Generator().manual_seed(0)
        )
    else:
        torch.manual_seed(0)
        model = T5ForConditionalGeneration(
            T5Config(vocab_size=len(tokenizer), d_model=16, d_kv=8, d_ff=32, num_layers=1, num_heads=2,
                     decoder_start_token_id=0, pad_token_id=0, eos_token_id=0)  # type: ignore[call-arg]
        )  # fmt: skip
    tiny_lm.save(model, tokenizer, folder)
    return folder


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("texts")
    inferences, pairs, questions = [], [], []
    for i, first in enumerate(COLOURS):
        for second in COLOURS:
            label = ("ENTAILMENT", "CONTRADICTION", "NEUTRAL")[i % 3]
            inferences.append({"sentence_A": f"a {first} hat", "sentence_B": f"the hat is {second}",
                               "relatedness_score": 3, "entailment_judgment": label})  # fmt: skip
            pairs.append({"en": f"{first} and {second}", "fr": f"le {first} et la {second}"})
            questions.append({"question": f"what is {first} with {second}", "answer": [second]})
    for split, part in (("train", slice(0, 24)), ("test", slice(20, 36))):
        _write(root / "sick", split, inferences[part])
        _write(root / "pairs", split, pairs[part])
        _write(root / "questions", split, questions[part])
    texts = [json.dumps(row) for row in inferences + pairs]
    _save_model(root / "decoder", texts, encoder_decoder=False)
    _save_model(root / "encoder-decoder", texts, encoder_decoder=True)
    return root


@dataclass(frozen=True)
class Named:
    """Stands in for a resource."""

    name: str


SICK = TextSource("sick", "sick", "entailment")  # type: ignore[arg-type]
NEITHER = TextSource("sick neither", "sick", "entailment or neither")  # type: ignore[arg-type]
FRENCH = TextSource("en-fr", "pairs", "to french")  # type: ignore[arg-type]
QUESTIONS = TextSource("questions", "questions", "open question")  # type: ignore[arg-type]


def world(**changes: Any) -> TextWorld:
    base = TextWorld(
        model="model",  # type: ignore[arg-type]
        targets=(SICK,),
        held_out=(NEITHER, FRENCH, QUESTIONS),
        related=("sick neither",),
        train=12,
        validation=4,
        test=6,
        items=3,
        limit=200,
        new_tokens=4,
    )
    return replace(base, **changes)


def context(place: Path, architecture: str = "decoder") -> FakeContext:
    objects = {
        "model": load_language_model(place / architecture),
        "sick": datasets.load_inferences(place / "sick"),
        "pairs": datasets.load_translations(place / "pairs"),
        "questions": datasets.load_questions(place / "questions"),
    }
    return FakeContext(objects)


@pytest.mark.parametrize("architecture", ["decoder", "encoder-decoder"])
@pytest.mark.parametrize("target", [SICK, FRENCH], ids=["true-or-false", "translation"])
def test_a_text_model_is_tuned_in_two_stages(place: Path, architecture: str, target: TextSource) -> None:
    ctx = context(place, architecture)
    task = world(targets=(target,), held_out=tuple(s for s in (NEITHER, FRENCH, QUESTIONS) if s != target))
    result = m.ProMoT(**MODEL, **PROMPT).run(task.problem(ctx), ctx)
    parts = task.evaluate(result, ctx).parts
    assert len(parts["main"]["unit_id"]) == 6
    assert set(parts["held-out"]["shots"]) == {1, 4}
    assert set(parts["related"]["task"]) == {"sick neither"}
    for metric, part in ((TARGET_SCORE, "main"), (NORM_AVG, "held-out")):
        assert 0 <= metric(parts[part]) <= 100
    brief = task.evaluate(replace(result, final=False), ctx).parts
    assert set(brief["curve"]["kind"]) == {"target", "held-out"}


def test_inputs_are_the_papers_and_sets_are_apart(place: Path) -> None:
    ctx, task = context(place), world()
    problem = task.problem(ctx)
    tokenizer = ctx.objects["model"].tokenizer
    target = problem.targets["sick"]
    plain, shown = (tokenizer.decode(target.train[k][0].prompt) for k in (0, 1))
    assert plain.endswith("Is it true or false? answer:")
    assert shown.count("answer:") == 2
    assert tokenizer.decode(target.train[0][0].target).strip("<s> ") in {"True", "False"}
    learned = {example.prompt for example in target.train[0]}
    assert learned.isdisjoint({query.prompt for query in target.validation[0]})
    assert {len(target.train[0]), len(target.validation[0])} == {12, 4}


def test_test_inputs_that_were_learnt_are_left_out(place: Path) -> None:
    ctx = context(place)
    task = world(targets=(FRENCH,), held_out=(NEITHER,), test=16)
    learnt = {item.prompt for item in FRENCH.items(ctx.objects["pairs"], "train")}
    shared = learnt & {item.prompt for item in FRENCH.items(ctx.objects["pairs"], "test")}
    asked = task.exam(ctx, shots=0, brief=False).target
    assert len(shared) == 4
    assert len(asked) == 12
    same = replace(FRENCH, test="train")
    with pytest.raises(ResourceError, match="training input"):
        replace(task, targets=(same,)).exam(ctx, shots=0, brief=False)


def test_long_inputs_lose_their_beginning(place: Path) -> None:
    ctx, task = context(place), world(limit=30)
    query = task.exam(ctx, shots=1, brief=False).target[0]
    assert len(query.prompt) <= 30 - 4
    assert ctx.objects["model"].tokenizer.decode(query.prompt).endswith("answer:")
    parts = task.evaluate(m.Pretrained().run(task.problem(ctx), ctx), ctx).parts
    cut = dict(zip(parts["cut"]["unit_id"], parts["cut"]["cut"], strict=True))
    assert cut["sick"] > 0
    assert all(n <= asked for n, asked in zip(parts["cut"]["cut"], parts["cut"]["asked"], strict=True))


def test_adapters_and_prompts_are_off_for_held_out_tasks(place: Path) -> None:
    ctx, task = context(place), world()
    lora = m.LoraFirst(**MODEL, adapter_rate=0.1, adapter_steps=2, adapter_every=1, rank=2, frozen=True)
    parts = task.evaluate(lora.run(task.problem(ctx), ctx), ctx).parts
    assert max(parts["untouched"]["error"]) == 0


def test_weights_other_than_safetensors_are_not_read(tmp_path: Path) -> None:
    with pytest.raises(ResourceError, match="safetensors"):
        load_language_model(tmp_path).model("cpu", "float32")


@pytest.mark.slow  # Importing lm-eval takes longer than all other tests here.
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
@pytest.mark.filterwarnings("ignore::UserWarning")
def test_held_out_tasks_go_through_lm_eval(place: Path) -> None:
    held_out = (
        TextSource("sick neither", Named("sick"), "entailment or neither"),  # type: ignore[arg-type]
        TextSource("en-fr", Named("multi30k-en-fr"), "to french"),  # type: ignore[arg-type]
    )
    ctx = context(place)
    ctx.objects |= {Named("sick"): ctx.objects["sick"], Named("multi30k-en-fr"): ctx.objects["pairs"]}
    task = world(held_out=held_out, tasks="suites/promot/tasks", shots=(1,))
    result = m.Pretrained().run(task.problem(ctx), ctx)
    rows = task.evaluate(result, ctx).parts["held-out"]
    assert sorted(rows["task"]) == ["en-fr"] * 3 + ["sick neither"] * 3
    assert set(rows["shots"]) == {1}
    assert 0 <= NORM_AVG(rows) <= 100
