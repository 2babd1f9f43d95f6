"""The paths of the larger profiles, on tiny untrained models with real tokenizers."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from transformers import T5Config, T5ForConditionalGeneration

from harness.claims import Profile
from harness.method import ProblemError
from harness.suite import Scale, Tuned
from methods.common.causal_lm import load_checkpoint
from methods.common.datasets import load_questions
from methods.common.recast import recast
from methods.common.tiny_lm import Size, new_model, train_tokenizer
from methods.kaft import method as m
from methods.kaft import open_qa
from methods.kaft.open_task import OpenData, OpenKnowledge, OpenReading
from methods.kaft.prepare import Knowledge
from methods.kaft.sabotage import UnopposedReading
from methods.kaft.task import Answers, FactReading
from tests.methods.common.real_tables import elements, tables
from tests.methods.kaft.worlds import FakeContext

COUNTRIES: Any = ("countryinfo", "codes", "geonames")
KNOWLEDGE = Knowledge(source="weights", countries=COUNTRIES, elements="elements")  # type: ignore[arg-type]
FACTS = FactReading(
    source="weights",  # type: ignore[arg-type]
    knowledge=KNOWLEDGE,
    countries=COUNTRIES,
    elements="elements",  # type: ignore[arg-type]
    most=6,
    unknown=3,
    answer=3,
    contexts=2,
)


@pytest.fixture(scope="module")
def facts() -> dict[str, Any]:
    """A few rows are enough."""
    countryinfo, codes, geonames = tables()
    few = {row["code"] for row in geonames if row["population"] > 10_000_000}
    few = set(sorted(few)[::3])
    return {
        "countryinfo": [row for row in countryinfo if row["code"] in few],
        "codes": codes,
        "geonames": geonames,
        "elements": elements()[:12],
    }


@pytest.fixture(scope="module")
def llama(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("llama")
    tokenizer = train_tokenizer(["Question: What is the capital of France? Answer: Paris"] * 3, 300)
    tokenizer.save_pretrained(folder)
    generator = torch.Generator().manual_seed(0)
    new_model(len(tokenizer), Size(1, 16, context=512), generator).save_pretrained(folder)
    return folder


@pytest.fixture
def ctx(facts: dict[str, Any], llama: Path) -> FakeContext:
    return FakeContext({**facts, "weights": load_checkpoint(llama)})


def know(ctx: FakeContext, every: int = 2) -> FakeContext:
    """Say that the model knows every second fact."""
    from methods.kaft.facts import WORDINGS
    from methods.kaft.knowledge import read_facts

    facts = read_facts(ctx, COUNTRIES, "elements")  # type: ignore[arg-type]
    asked = [(WORDINGS[fact.relation][1].format(subject=fact.subject), fact.aliases[0]) for fact in facts]
    beliefs = {text: answer if i % every == 0 else "Nothing" for i, (text, answer) in enumerate(asked)}
    known = {text: answer for i, (text, answer) in enumerate(asked) if i % every == 0}
    ctx.objects[KNOWLEDGE] = {"beliefs": beliefs, "known": known}
    return ctx


@pytest.mark.parametrize(
    "method",
    [
        m.Pretrained(),
        m.ContextAware(),
        m.Oracle(),
        m.Kaft(steps=2, batch=2, rank=2),
        m.Noisy(steps=2, batch=2),
    ],
    ids=repr,
)
def test_facts_are_answered_by_a_real_tokenizers_model(method: Any, ctx: FakeContext) -> None:
    know(ctx)
    problem = FACTS.problem(ctx)
    assert problem.shots.count("Question:") == 4
    assert problem.shots.count("Context:") == 2
    parts = FACTS.evaluate(method.run(problem, ctx), ctx).parts
    assert len(set(parts["main"]["unit_id"])) == 6
    assert len(parts["main"]["unit_id"]) == 12
    assert len(parts["recall"]["unit_id"]) == 9
    if isinstance(method, m.Oracle):
        assert m.JOINT(parts["main"]) == 1.0


def test_unopposed_passages_state_the_truth_and_irrelevant_ones_are_withheld(ctx: FakeContext) -> None:
    know(ctx)
    task = recast(FACTS, UnopposedReading)
    plain, problem = FACTS.problem(ctx), task.problem(ctx)
    assert plain.asked.keys() == problem.asked.keys()
    for name, asked in problem.asked.items():
        question, _, kind = name.rpartition("/")
        truth = plain.asked[f"{question}/relevant"].context if kind == "counterfactual" else ""
        expected = truth if kind in ("counterfactual", "hard") else plain.asked[name].context
        assert asked.context == expected
    texts = dict.fromkeys(problem.asked, "")
    found = FACTS.material(ctx)
    assert len(found.retold) >= len(found.heads)
    for known in (*found.test, *found.retold):
        texts[f"{known.id}/counterfactual"] = known.answer
    assert m.CONTROLLABILITY(task.evaluate(Answers(texts), ctx).parts["main"]) == 1.0
    assert m.CONTROLLABILITY(FACTS.evaluate(Answers(texts), ctx).parts["main"]) == 0.0


def test_what_full_finetunes_on_a_cpu_runs_on_a_stand_in(ctx: FakeContext) -> None:
    from suites.kaft import SUITE

    (planned,) = (e for e in SUITE.experiments(Scale(profile=Profile.SMALL, full=True)) if e.id == "facts")
    task = planned.tasks["gemma"]
    assert isinstance(task, FactReading)
    # The same task, with few questions of the stand-in.
    small = replace(FACTS, contexts=task.contexts, shown=task.shown, few=task.few, shares=task.shares)
    know(ctx)
    problem, found = small.problem(ctx), {}
    for name, method in planned.methods.items():
        inner = method.method if isinstance(method, Tuned) else method
        short = replace(inner, steps=2, batch=2) if isinstance(inner, m.FineTuned) else inner
        found[name] = small.evaluate(short.run(problem, ctx), ctx).parts
    units = {name: (parts["main"]["unit_id"], parts["unread"]["unit_id"]) for name, parts in found.items()}
    assert len(units) == 6
    assert all(ids == units["pretrained"] for ids in units.values())


def test_contexts_that_no_claim_reads_can_be_left_out(ctx: FakeContext) -> None:
    know(ctx)
    few = replace(FACTS, shown=False)
    asked, whole = few.problem(ctx).asked, FACTS.problem(ctx).asked
    assert asked.items() < whole.items()
    left = {name.rpartition("/")[2] for name in set(whole) - set(asked)}
    assert left == {"easy", "relevant"}
    answers = m.Pretrained().run(FACTS.problem(ctx), ctx)
    parts, all_parts = (task.evaluate(answers, ctx).parts for task in (few, FACTS))
    assert {"followed", "robust", "apart"} <= parts["main"].keys() < all_parts["main"].keys()
    for column, values in parts["main"].items():
        assert values == all_parts["main"][column]


def test_a_prompt_under_two_names_is_read_once(ctx: FakeContext, monkeypatch: pytest.MonkeyPatch) -> None:
    from methods.kaft import reading

    know(ctx)
    problem = recast(FACTS, UnopposedReading).problem(ctx)
    seen: list[tuple[int, ...]] = []

    def decode(model: Any, prompts: Any, **settings: Any) -> list[list[int]]:
        seen.extend(map(tuple, prompts))
        return [list(prompt[-1:]) for prompt in prompts]

    monkeypatch.setattr(reading, "decode", decode)
    answers = m.Pretrained().run(problem, ctx)
    assert set(answers.texts) == set(problem.asked)
    assert len(seen) == len(set(seen)) == len({(a.question, a.context) for a in problem.asked.values()})
    assert len(seen) < len(problem.asked)


def test_a_country_is_never_in_two_sets(ctx: FakeContext) -> None:
    know(ctx)
    problem = FACTS.problem(ctx)
    material = FACTS.material(ctx)
    assert not {q.entity for q in material.test} & {q.entity for q in problem.train}


def test_what_a_model_knows_is_decided_by_another_wording(ctx: FakeContext, tmp_path: Path) -> None:
    KNOWLEDGE.build(tmp_path, ctx)
    found = KNOWLEDGE.load(tmp_path)
    assert len(found["beliefs"]) > 50
    few = replace(KNOWLEDGE, share=0.3)
    few.build(tmp_path, ctx)
    asked = few.load(tmp_path)["beliefs"]
    assert 0 < len(asked) < 0.6 * len(found["beliefs"])
    assert asked.keys() < found["beliefs"].keys()
    # What was not asked is neither trained on nor tested.
    ctx.objects[KNOWLEDGE] = {"beliefs": asked, "known": asked}
    held = FACTS.material(ctx)
    assert {q.text for q in (*held.train, *held.test)} <= asked.keys()
    # An untrained model knows nothing, and the task says so.
    ctx.objects[KNOWLEDGE] = {**found, "known": {}}
    problem = FACTS.problem(ctx)
    with pytest.raises(ProblemError, match="no question"):
        FACTS.evaluate(m.Oracle().run(problem, ctx), ctx)


def jsonl(folder: Path, split: str, rows: list[dict[str, Any]]) -> None:
    with gzip.open(folder / f"{split}.jsonl.gz", "wt", encoding="utf-8") as file:
        file.writelines(json.dumps(row) + "\n" for row in rows)


def test_other_memories_are_asked_beside_the_facts(ctx: FakeContext, tmp_path: Path) -> None:
    rows = [{"question": f"who wrote book {n}", "answer": [f"author {n}"]} for n in range(9)]
    jsonl(tmp_path, "validation", rows)
    knowledge = replace(KNOWLEDGE, recalled="nq", recalled_most=5)  # type: ignore[arg-type]
    task = replace(FACTS, knowledge=knowledge, recalled="nq")  # type: ignore[arg-type]
    know(ctx).objects |= {"nq": load_questions(tmp_path), knowledge: ctx.objects[KNOWLEDGE]}
    problem = task.problem(ctx)
    parts = task.evaluate(m.Pretrained().run(problem, ctx), ctx).parts
    assert (
        parts["closed"]["unit_id"] == [f"closed:{n}" for n in range(5)]
        or len(parts["closed"]["unit_id"]) == 5
    )
    assert problem.asked[f"{parts['closed']['unit_id'][0]}/empty"].question == "Who wrote book 0?"


@pytest.fixture(scope="module")
def t5(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("t5")
    tokenizer = train_tokenizer(["question: who wrote it context: It was written by Ada."] * 3, 280)
    tokenizer.pad_token = tokenizer.eos_token
    tokenizer.bos_token = None
    tokenizer.save_pretrained(folder)
    options: dict[str, Any] = {"decoder_start_token_id": 0}
    config = T5Config(
        vocab_size=len(tokenizer),
        d_model=16,
        d_kv=8,
        d_ff=32,
        num_layers=1,
        num_heads=2,
        pad_token_id=0,
        eos_token_id=0,
        **options,
    )
    T5ForConditionalGeneration(config).save_pretrained(folder)
    return folder


def squad(n: int, split: str) -> dict[str, Any]:
    answers = {"text": [f"Ada{n}"], "answer_start": [18]} if n % 3 else {"text": [], "answer_start": []}
    return {"id": f"{split}{n}", "title": f"T{split}{n}", "question": f"Who wrote {split}{n}?",
            "context": f"It was written by Ada{n}.", "answers": answers}  # fmt: skip


def trivia(n: int, split: str) -> dict[str, Any]:
    far = " ".join(["word"] * open_qa.WINDOW)
    return {"question_id": f"{split}{n}", "question": f"Which band made {split}{n}?",
            "answer": {"value": f"Band{n}", "aliases": []},
            "entity_pages": {"title": [f"Page{split}{n}"],
                             "wiki_context": [f"{far} Band{n} made it."]}}  # fmt: skip


def trex(n: int, split: str) -> dict[str, Any]:
    text = f"H{n} was born in City{n}."
    relation = "P99999" if n == 0 else "P19"
    return {"head": f"H{split}{n}", "relation": relation, "tail": f"City{n}", "title": f"H{n}", "text": text}


def qasc(n: int, split: str) -> dict[str, Any]:
    """Like the first row of the set, whose first fact names the answer."""
    choices = {"label": ["A", "B"], "text": [f"beads{n}", "stone"]}
    question = f"What is formed by clouds {split}{n}?"
    return {"id": f"{split}{n}", "question": question, "choices": choices, "answerKey": "A",
            "fact1": f"beads{n} of {split} water are formed by water vapor condensing",
            "fact2": "Clouds are made of water vapor.", "combinedfact": f"Clouds can form beads{n}.",
            "formatted_question": f"{question} (A) beads{n} (B) stone"}  # fmt: skip


@pytest.fixture
def open_ctx(t5: Path, tmp_path: Path) -> FakeContext:
    makers: dict[str, tuple[Callable[[int, str], dict[str, Any]], Callable[[Path], Any]]] = {
        "squad": (squad, open_qa.load_squad),
        "trivia": (trivia, open_qa.load_trivia),
        "trex": (trex, open_qa.load_trex),
        "qasc": (qasc, open_qa.load_qasc),
    }
    objects: dict[Any, Any] = {"model": t5}
    for name, (make, load) in makers.items():
        folder = tmp_path / name
        folder.mkdir()
        for split in ("train", "validation"):
            jsonl(folder, split, [make(n, split) for n in range(12)])
        objects[name] = load(folder)
    return FakeContext(objects)


DATA = OpenData(squad="squad", trivia="trivia", trex="trex", qasc="qasc")  # type: ignore[arg-type]
ASKED = OpenKnowledge(model="model", data=DATA)  # type: ignore[arg-type]
OPEN = OpenReading(model="model", knowledge=ASKED, data=DATA, answer=3, validation=0.3)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "method", [m.Pretrained(), m.Kaft(steps=2, batch=2, rank=2), m.Oracle(habit="closed-book")]
)
def test_public_sets_are_read_by_an_encoder_decoder(
    method: Any, open_ctx: FakeContext, tmp_path: Path
) -> None:
    ASKED.build(tmp_path, open_ctx)
    open_ctx.objects[ASKED] = {
        **ASKED.load(tmp_path),
        **{f"Which band made validation{n}?": f"Band{n}" for n in range(12)},
        **{f"Which band made train{n}?": f"Band{n}" for n in range(12)},
    }
    problem = OPEN.problem(open_ctx)
    assert problem.template.with_context.startswith("question:")
    parts = OPEN.evaluate(method.run(problem, open_ctx), open_ctx).parts
    assert len(parts["impossible"]["unit_id"]) == 4
    assert len(parts["main"]["unit_id"]) > 6
    assert "train, trex: relation without a name" in parts["left_out"]["unit_id"]
    tune = replace(open_ctx, stage="tune", seed=1)
    held = OPEN.material(tune)
    assert 0 < len(held.test) < 12
    assert all("train" in question.id for question in held.test)
    assert not {q.entity for q in held.test} & {q.entity for q in held.train}
