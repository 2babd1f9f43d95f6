"""lm-eval around models in memory, with data from our resources."""

from __future__ import annotations

import gzip
import json
import os
import re
import sys
from copy import deepcopy
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import torch
from lm_eval.api.instance import Instance
from lm_eval.models.huggingface import HFLM

from harness.method import MirrorSource, ProblemError, ResourceError
from methods.common import datasets, lm_harness, tiny_lm
from methods.common.answering import option_scores
from methods.common.causal_lm import Model
from methods.common.examples import Cut
from methods.common.lm_harness import Options, evaluate, provided
from methods.common.lora import add_lora

pytestmark = [
    # Of lm-eval and what it imports.
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
    pytest.mark.filterwarnings("ignore::UserWarning"),
]

CHOICE_TASK = """
task: colours
custom_dataset: !function methods.common.lm_harness.provided
dataset_kwargs: {name: arc-easy, splits: [train, test]}
output_type: multiple_choice
test_split: test
fewshot_split: train
doc_to_text: "{{question}}\\nAnswer:"
doc_to_choice: "{{options}}"
doc_to_target: answer
metric_list:
  - {metric: acc, aggregation: mean, higher_is_better: true}
"""
SUM_TASK = """
task: sums
custom_dataset: !function methods.common.lm_harness.provided
dataset_kwargs: {name: mawps, splits: [test]}
output_type: generate_until
test_split: test
doc_to_text: "{{question}} ="
doc_to_target: answer
generation_kwargs: {until: ["\\n"], do_sample: false, max_gen_toks: 4}
metric_list:
  - {metric: !function methods.common.lm_harness.same_number, aggregation: mean, higher_is_better: true}
"""
TEXT_TASK = """
task: texts
custom_dataset: !function methods.common.lm_harness.provided
dataset_kwargs: {name: mawps, splits: [test]}
output_type: generate_until
test_split: test
fewshot_split: test
doc_to_text: "{{question}} ="
doc_to_target: answer
generation_kwargs: {until: ["\\n"], do_sample: false, max_gen_toks: 4}
metric_list:
  - {metric: !function methods.common.lm_harness.same_text, aggregation: mean, higher_is_better: true}
"""
COLOURS = ("red", "green", "blue")


@pytest.fixture(scope="module")
def language() -> tuple[Model, Any]:
    texts = ["what colour is the hat red green blue", "question answer one two three = 1 2 3 4 5"] * 3
    tokenizer = tiny_lm.train_tokenizer(texts, 300)
    generator = torch.Generator().manual_seed(0)
    model = tiny_lm.new_model(len(tokenizer), tiny_lm.Size(1, 32, context=512), generator)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.mul_(8.0 if parameter.ndim > 1 else 1.0)
    return model.eval(), tokenizer


@pytest.fixture
def tasks(tmp_path: Path) -> Path:
    (tmp_path / "colours.yaml").write_text(CHOICE_TASK)
    (tmp_path / "sums.yaml").write_text(SUM_TASK)
    return tmp_path


@pytest.fixture
def generated(tmp_path: Path) -> dict[str, datasets.DataSet[Any]]:
    """Stand-ins for the resources, in the mirror's format."""
    questions = [
        {
            "id": f"c{n}",
            "question": f"what colour is hat {n}",
            "choices": {"label": ["A", "B", "C"], "text": COLOURS},
            "answerKey": "ABC"[n % 3],
        }
        for n in range(9)
    ]
    sums = [{"id": f"s{n}", "question": f"{n} + 1", "answer": n + 1} for n in range(5)]
    sets: dict[str, dict[str, list[dict[str, Any]]]] = {
        "arc-easy": {"train": questions[:3], "test": questions[3:]},
        "mawps": {"test": sums},
    }
    for name, splits in sets.items():
        (tmp_path / name).mkdir()
        for split, rows in splits.items():
            with gzip.open(tmp_path / name / f"{split}.jsonl.gz", "wt") as out:
                out.writelines(json.dumps(row) + "\n" for row in rows)
    return {
        "arc-easy": datasets.ARC_EASY.load(tmp_path / "arc-easy"),
        "mawps": datasets.MAWPS.load(tmp_path / "mawps"),
    }


def test_a_data_set_is_built_once(language: Any, tasks: Path, generated: Any) -> None:
    model, tokenizer = language
    first = evaluate(model, tokenizer, tasks, generated)
    read = lm_harness._table.cache_info().misses
    assert evaluate(model, tokenizer, tasks, generated) == first
    assert lm_harness._table.cache_info().misses == read
    again = {"arc-easy": datasets.ARC_EASY.load(generated["arc-easy"].folder), "mawps": generated["mawps"]}
    assert evaluate(model, tokenizer, tasks, again) == first
    assert lm_harness._table.cache_info().misses == read + 2


def test_each_question_gives_a_row(language: Any, tasks: Path, generated: Any) -> None:
    model, tokenizer = language
    found = evaluate(model, tokenizer, tasks, generated)
    assert sorted(found) == ["colours", "sums"]
    colours = found["colours"]
    assert colours["unit_id"] == [f"c{n}" for n in range(3, 9)]
    assert colours["gold"] == [str(n % 3) for n in range(3, 9)]
    right = [float(a == g) for a, g in zip(colours["answer"], colours["gold"], strict=True)]
    assert colours["acc"] == right
    assert found["sums"]["gold"] == ["1", "2", "3", "4", "5"]
    assert all(isinstance(answer, str) for answer in found["sums"]["answer"])


def test_its_choices_are_those_of_our_own_scores(language: Any, tasks: Path, generated: Any) -> None:
    model, tokenizer = deepcopy(language[0]), language[1]
    adapted = add_lora(model, ["q_proj"], 2, 8.0, torch.Generator().manual_seed(0))
    with torch.no_grad():
        next(iter(adapted.values())).b.normal_(generator=torch.Generator().manual_seed(1))
    found = evaluate(model, tokenizer, tasks, generated, tasks=["colours"])["colours"]
    rows = generated["arc-easy"]["test"]
    # lm-eval adds no beginning token where the tokenizer itself adds none.
    prompts = [tokenizer(f"{row.question}\nAnswer:")["input_ids"] for row in rows]
    options = [[tokenizer(f" {option}")["input_ids"] for option in row.options] for row in rows]
    scores = option_scores(model, prompts, options, pad=0)
    assert found["answer"] == [str(row.index(max(row))) for row in scores]


@dataclass(frozen=True)
class Row:
    """A question with a gold text."""

    id: str
    question: str
    answer: str


BRACKETED = ("[1, 2]", "[1,2]", '["a"]', "[]", "[ x", "plain", "['a', 'b']")


@pytest.mark.parametrize("first", range(len(BRACKETED)))
def test_golds_in_brackets_are_texts(
    first: int, language: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # The first gold decides for lm-eval whether a task has several right answers.
    golds = [*BRACKETED[first:], *BRACKETED[:first]]
    (tmp_path / "texts.yaml").write_text(TEXT_TASK)
    with gzip.open(tmp_path / "test.jsonl.gz", "wt") as out:
        out.writelines(
            json.dumps({"id": str(n), "question": f"{n}", "answer": gold}) + "\n"
            for n, gold in enumerate(golds)
        )
    data = {"mawps": datasets.DataSet(tmp_path, lambda n, raw: Row(**raw))}
    said = [f" {gold}" for gold in golds]
    asked: list[str] = []

    def answer(self: HFLM, requests: list[Instance], **_: Any) -> list[str]:
        asked.extend(request.args[0] for request in requests)
        return [said[request.doc_id] for request in requests]

    monkeypatch.setattr(HFLM, "generate_until", answer)
    found = evaluate(language[0], language[1], tmp_path, data, options=Options(few_shot=3))["texts"]
    assert found["gold"] == golds
    assert found["same_text"] == [1.0] * len(golds)
    shown = {line.partition(" = ")[2] for text in asked for line in text.split("\n\n")[:-1]}
    assert shown <= set(golds)
    said[:] = [" 1"] * len(golds)
    assert set(evaluate(language[0], language[1], tmp_path, data)["texts"]["same_text"]) == {0.0}


def test_a_generated_number_is_right_in_any_notation(
    language: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "sums.yaml").write_text(SUM_TASK)
    golds = [1_250_000, "1,250,000", 1.5, 15]
    with gzip.open(tmp_path / "test.jsonl.gz", "wt") as out:
        out.writelines(json.dumps({"question": "q", "answer": gold}) + "\n" for gold in golds)
    data = {"mawps": datasets.MAWPS.load(tmp_path)}
    said = [" 1,250,000", " 1.25e6", " $1.50", " 1.5"]
    monkeypatch.setattr(
        HFLM, "generate_until", lambda self, requests, **_: [said[r.doc_id] for r in requests]
    )
    found = evaluate(language[0], language[1], tmp_path, data)["sums"]
    assert found["gold"] == ["1250000", "1250000", "1.5", "15"]
    assert found["same_number"] == [1.0, 1.0, 1.0, 0.0]


@pytest.mark.parametrize("suite", ["lora_rite", "promot"])
def test_no_task_file_has_its_gold_from_a_template_of_free_text(suite: str) -> None:
    folder = Path(__file__).parents[3] / "suites" / suite / "tasks"
    for file in folder.glob("*.yaml"):
        (line,) = (line for line in file.read_text().splitlines() if line.startswith("doc_to_target"))
        value = line.partition(": ")[2]
        # What templates may write is one of a few words.
        assert "{{" not in value or re.fullmatch(
            r"\"\{\{('[^']*'|[\[\]\w =]|1 if answer else 0)*\}\}\"", value
        ), file
        assert "exact_match" not in file.read_text()


def test_fewer_questions_and_solved_examples(language: Any, tasks: Path, generated: Any) -> None:
    model, tokenizer = language
    few = Options(few_shot=2, limit=4, seed=1)
    found = evaluate(model, tokenizer, tasks, generated, tasks=["colours"], options=few)
    assert found["colours"]["unit_id"] == ["c3", "c4", "c5", "c6"]
    again = evaluate(model, tokenizer, tasks, generated, tasks=["colours"], options=few)
    assert again == found


def test_the_trials_random_state_and_the_models_mode_are_left_alone(
    language: Any, tasks: Path, generated: Any
) -> None:
    model, tokenizer = language
    torch.manual_seed(5)
    wanted = torch.rand(3)
    torch.manual_seed(5)
    model.train()
    evaluate(model, tokenizer, tasks, generated, options=Options(limit=1))
    assert torch.equal(torch.rand(3), wanted)
    assert model.training
    model.eval()


def test_what_is_missing_is_named(language: Any, tasks: Path, generated: Any) -> None:
    model, tokenizer = language
    with pytest.raises(ProblemError, match="No task file for history") as caught:
        evaluate(model, tokenizer, tasks, generated, tasks=["history"])
    assert caught.value.fix == "It has: colours, sums."
    with pytest.raises(ProblemError, match="data set 'mawps', which was not given"):
        evaluate(model, tokenizer, tasks, {"arc-easy": generated["arc-easy"]}, tasks=["sums"])
    with pytest.raises(ProblemError, match="Given: none"):
        provided(name="mawps", splits=["test"])


def test_scores_are_those_of_lm_eval(language: Any) -> None:
    model, tokenizer = language
    pairs = [("what colour is the hat", " red green"), ("question", " blue"), ("two three =", " 4 5 1")]
    requests = [Instance("loglikelihood", {}, pair, number) for number, pair in enumerate(pairs)]
    theirs = HFLM(pretrained=model, tokenizer=tokenizer, batch_size=2).loglikelihood(requests)
    prompts, options = ([tokenizer(part)["input_ids"] for part in side] for side in zip(*pairs, strict=True))
    ours = option_scores(model, prompts, [[option] for option in options], pad=0)
    assert [row[0] for row in ours] == pytest.approx([score for score, _ in theirs], rel=1e-5)


def test_prompts_beyond_the_context_are_refused_or_counted(
    language: Any, tasks: Path, generated: Any
) -> None:
    model, tokenizer = deepcopy(language[0]), language[1]
    model.config.max_position_embeddings = 12
    with pytest.raises(ProblemError, match="room for 13") as caught:
        evaluate(model, tokenizer, tasks, generated, tasks=["colours"])
    assert re.fullmatch(r"task colours, question \d", caught.value.where)
    cut = Cut()
    evaluate(model, tokenizer, tasks, generated, tasks=["colours"], options=Options(cut=cut))
    rows = generated["arc-easy"]["test"]
    texts = [f"{row.question}\nAnswer: {option}" for row in rows for option in row.options]
    surplus = [len(tokenizer(text)["input_ids"]) - 13 for text in texts]
    assert cut.cut == sum(extra > 0 for extra in surplus) > 0
    assert cut.tokens == sum(extra for extra in surplus if extra > 0)
    with pytest.raises(ProblemError, match="keeps the end"):
        evaluate(model, tokenizer, tasks, generated, options=Options(cut=Cut("start")))


def test_without_lm_eval_the_extra_is_named(
    language: Any, tasks: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    model, tokenizer = language
    monkeypatch.setitem(sys.modules, "lm_eval", None)
    with pytest.raises(ResourceError, match="not installed") as caught:
        evaluate(model, tokenizer, tasks, {})
    assert "corroborate[lm" in caught.value.fix


@pytest.mark.slow
def test_the_same_task_files_serve_the_mirrors_data(language: Any, tasks: Path) -> None:
    if "CORROBORATE_MIRROR" not in os.environ:
        pytest.skip("CORROBORATE_MIRROR is not set")
    mirror = Path(os.environ["CORROBORATE_MIRROR"])
    data = {}
    for resource in (datasets.ARC_EASY, datasets.MAWPS):
        source = resource.sources[0]
        assert isinstance(source, MirrorSource)
        data[resource.name] = resource.load(mirror / source.folder)
    model, tokenizer = language
    found = evaluate(model, tokenizer, tasks, data, options=Options(limit=20))
    assert {name: len(table["unit_id"]) for name, table in found.items()} == {"colours": 20, "sums": 20}
    assert found["colours"]["gold"] == [str(row.answer) for row in data["arc-easy"]["test"][:20]]
