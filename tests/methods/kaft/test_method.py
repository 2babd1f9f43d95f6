"""Tasks and methods together, as the engine runs them, on an untrained model."""

from __future__ import annotations

import pickle
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from harness.method import ProblemError
from methods.kaft import method as m
from methods.kaft.mixture import Kind
from methods.kaft.models import Reader
from methods.kaft.sabotage import HarmlessNoise, Sabotaged
from methods.kaft.task import Answers, WorldReading
from methods.kaft.words import same
from tests.methods.kaft.worlds import BASE, FakeContext, beliefs, save_base

TASK = WorldReading(base=BASE, draws=2)


@pytest.fixture(scope="module")
def reader(tmp_path_factory: pytest.TempPathFactory) -> Reader:
    return save_base(tmp_path_factory.mktemp("base"))


@pytest.fixture
def ctx(reader: Reader) -> FakeContext:
    return FakeContext({BASE: reader})


def solve(method: Any, ctx: FakeContext, task: WorldReading = TASK) -> dict[str, Any]:
    return dict(task.evaluate(method.run(task.problem(ctx), ctx), ctx).parts)


def values(parts: dict[str, Any]) -> dict[str, float]:
    metrics = (m.CONTROLLABILITY, m.ROBUSTNESS, m.FALLBACK, m.STUBBORN, m.RELEVANT, m.DISTRACTOR, m.JOINT)
    return {metric.name: metric(parts["main"]) for metric in metrics}


def test_oracles_score_what_their_habits_imply(ctx: FakeContext) -> None:
    copy = values(solve(m.Oracle(habit="copy"), ctx))
    assert (copy["controllability"], copy["robustness"]) == (1.0, 0.0)
    # A random fact may have the relation asked for, too, and stand before the distractor.
    assert copy["distractor"] > 0.5
    closed = values(solve(m.Oracle(habit="closed-book"), ctx))
    assert (closed["controllability"], closed["stubbornness"], closed["fallback"]) == (0.0, 1.0, 1.0)
    assert closed["robustness"] == 1.0
    gated = values(solve(m.Oracle(habit="gated"), ctx))
    assert (gated["controllability"], gated["robustness"], gated["fallback"], gated["joint score"]) == (
        1,
        1,
        1,
        1,
    )
    assert copy["accuracy, relevant"] == gated["accuracy, relevant"] == 1.0


@pytest.mark.parametrize(
    "method",
    [m.Pretrained(), m.ContextAware(), m.Kaft(steps=2, batch=4), m.Noisy(steps=2, batch=4),
     m.RelevantOnly(steps=2, batch=4), m.CounterfactualOnly(steps=2, batch=4),
     m.Kaft(steps=2, batch=4, rank=2), Sabotaged(steps=2, batch=4)],
    ids=repr,
)  # fmt: skip
def test_every_method_answers_everything_twice_the_same(
    method: Any, ctx: FakeContext, reader: Reader
) -> None:
    before = {key: value.clone() for key, value in reader.model("cpu", "float32").state_dict().items()}
    problem = TASK.problem(ctx)
    first = method.run(problem, ctx)
    again = pickle.loads(pickle.dumps(method)).run(TASK.problem(ctx), ctx)  # noqa: S301
    assert first.texts == again.texts
    assert set(first.texts) == set(problem.asked)
    parts = TASK.evaluate(first, ctx).parts
    assert set(parts) == {"main", "recall", "cuts", "examples", "unread"}
    after = reader.model("cpu", "float32").state_dict()
    assert all(torch.equal(before[key], after[key]) for key in before)


@pytest.mark.parametrize("rank", [0, 16])
def test_finetuning_learns_its_mixture(ctx: FakeContext, reader: Reader, rank: int) -> None:
    from methods.kaft.finetuning import Training, finetune
    from methods.kaft.mixture import Mixture
    from methods.kaft.prompts import PLAIN, Asked
    from methods.kaft.reading import Limits, read

    train = TASK.problem(ctx).train
    closed = Mixture(0, 0, 1, 0, targets="gold")
    model, cut = finetune(reader, PLAIN, train, closed, training=Training(300, 16, 2e-2, rank), ctx=ctx)
    asked = {question.id: Asked(question.text, "") for question in train}
    answers, _ = read(model, reader, PLAIN, asked, Limits(answer=4))
    right = [answers[question.id] == f"{question.answer} (empty context)" for question in train]
    assert cut == 0
    assert np.mean(right) > 0.8


def test_sets_are_disjoint_and_depend_on_the_seed_only(ctx: FakeContext) -> None:
    first, again = TASK.problem(ctx), TASK.problem(ctx)
    other = TASK.problem(replace(ctx, seed=101))
    assert first.train == again.train != other.train
    tested = {asked.subject for asked in first.asked.values()}
    assert not tested & {question.entity for question in first.train}
    tune = TASK.problem(replace(ctx, stage="tune", seed=1))
    assert not {a.subject for a in tune.asked.values()} & {q.entity for q in tune.train}
    assert len(tune.asked) < len(first.asked)
    kinds = {name.rpartition("/")[2] for name in tune.asked}
    assert kinds == {"counterfactual", "hard", "empty"}


def test_only_known_questions_are_scored(ctx: FakeContext, reader: Reader) -> None:
    parts = solve(m.Pretrained(), ctx)
    held = TASK.material(ctx)
    right = beliefs(BASE)
    known = {q.id for q in held.test if right[q.text] == q.answer}
    assert Counter(parts["main"]["unit_id"]) == dict.fromkeys(known, TASK.contexts)
    recall = dict(zip(parts["recall"]["unit_id"], parts["recall"]["known"], strict=True))
    assert {name for name, value in recall.items() if value} == known
    assert len(recall) == len(held.test) > len(known) > 0


def test_contexts_of_a_question_differ_and_stay_grouped(ctx: FakeContext) -> None:
    one = replace(TASK, contexts=1)
    first, all_of = one.problem(ctx).asked, TASK.problem(ctx).asked
    # The first contexts are the same however many follow.
    assert first.items() <= all_of.items()
    more = {name.partition("/")[0] for name in set(all_of) - set(first)}
    held = TASK.material(ctx)
    assert more == {q.id for q in held.retold}
    assert {q.first for q in held.retold} == held.heads
    told = Counter(all_of[f"{q.id}/counterfactual"].context for q in held.retold)
    assert max(told.values()) < TASK.contexts
    # An answer to one context counts for its question, one in so many.
    texts = {name: m_answer(name, held) for name in all_of}
    rows = TASK.evaluate(Answers(texts), ctx).parts["main"]
    by_unit: dict[str, list[float]] = {}
    for unit, followed in zip(rows["unit_id"], rows["followed"], strict=True):
        by_unit.setdefault(unit, []).append(followed)
    assert {tuple(sorted(values)) for values in by_unit.values()} == {(0.0,) * (TASK.contexts - 1) + (1.0,)}


def m_answer(name: str, held: Any) -> str:
    """The fake for the first contexts of a question, and nothing for its others."""
    fakes = {q.id: q.fake for q in held.test}
    question, _, kind = name.partition("/")
    return fakes.get(question, "") if kind == "counterfactual" else ""


def test_an_answer_without_a_context_is_held_against_the_one_that_was_not_shown(ctx: FakeContext) -> None:
    held = TASK.material(ctx)
    told = {q.id: q.distractor for q in held.test}
    for said, expected in ((told, 0.0), (dict.fromkeys(told, "nothing"), 1.0)):
        texts = dict.fromkeys(TASK.problem(ctx).asked, "")
        texts |= {f"{name}/empty": text for name, text in said.items()}
        first = replace(TASK, contexts=1)
        assert m.APART(first.evaluate(Answers(texts), ctx).parts["main"]) == expected


def test_a_world_is_told_once_for_methods_of_a_seed(
    ctx: FakeContext, monkeypatch: pytest.MonkeyPatch
) -> None:
    task, fresh = replace(TASK, draws=3), replace(ctx, seed=777)
    first = task.material(fresh)
    monkeypatch.setattr("methods.kaft.telling._tell", None)
    assert task.material(fresh).train is first.train
    with pytest.raises(TypeError):
        task.material(replace(fresh, seed=778))
    with pytest.raises(TypeError):
        replace(task, contexts=2).material(fresh)


def test_few_tellings_are_kept(ctx: FakeContext) -> None:
    from methods.kaft import telling

    for seed in range(900, 905 + telling.KEPT):
        TASK.material(replace(ctx, seed=seed))
    assert len(telling._KEPT) == telling.KEPT


def test_reading_is_measured_on_what_is_not_known(ctx: FakeContext) -> None:
    right, held = beliefs(BASE), TASK.material(ctx)
    unknown = {q.text for q in held.test if right[q.text] != q.answer}
    (aside,) = held.asides
    assert {q.text for q in aside.questions} == unknown
    assert len(aside.questions) == TASK.retold * len(unknown)
    assert len({q.unit for q in aside.questions}) == len(unknown)
    scores = {
        habit: m.CORRECT(solve(m.Oracle(habit=habit), ctx)["unread"])
        for habit in ("copy", "closed-book", "gated")
    }
    assert scores == {"copy": 1.0, "closed-book": 0.0, "gated": 1.0}
    assert m.RELEVANT(solve(m.Oracle(habit="closed-book"), ctx)["main"]) == 1.0


def test_head_questions_are_known_to_every_size(reader: Reader, tmp_path: Path) -> None:
    rival = replace(BASE, layers=2)
    knows_less = Reader(tmp_path, dict.fromkeys(beliefs(BASE), "nothing"))
    ctx = FakeContext({BASE: reader, rival: knows_less})
    task = replace(TASK, others=(rival,))
    with pytest.raises(ProblemError, match="no question"):
        solve(m.Oracle(), ctx, task)
    ctx.objects[rival] = Reader(tmp_path, beliefs(BASE))
    assert solve(m.Oracle(), ctx, task)["main"] == solve(m.Oracle(), ctx)["main"]


def test_tuning_sees_validation_only(ctx: FakeContext) -> None:
    tune = replace(ctx, stage="tune", seed=3)
    parts = TASK.evaluate(m.Oracle().run(TASK.problem(tune), tune), tune).parts
    assert set(parts) == {"validation"}
    assert m.JOINT(parts["validation"]) == 1.0


def test_curves_are_probed(ctx: FakeContext) -> None:
    m.Kaft(steps=4, batch=2, every=2).run(TASK.problem(ctx), ctx)
    assert [step for step, _ in ctx.probes] == [0, 2, 4]
    assert all(isinstance(result, Answers) for _, result in ctx.probes)


def test_long_prompts_are_cut_and_counted(ctx: FakeContext) -> None:
    parts = solve(m.Kaft(steps=2, batch=4), ctx, replace(TASK, prompt=8))
    # Every context is longer than eight tokens, and no question is.
    contexts = [asked.context for asked in TASK.problem(ctx).asked.values()]
    assert parts["cuts"]["asked"] == [sum(map(bool, contexts))]
    assert not all(contexts)
    assert parts["cuts"]["training"][0] > 0
    assert solve(m.Pretrained(), ctx)["cuts"]["asked"] == [0]


def test_sabotage_changes_the_targets_of_one_kind_only(ctx: FakeContext) -> None:
    from methods.kaft.mixture import KAFT, build

    problem = TASK.problem(ctx)
    items = build(problem.train, KAFT, problem.reader.beliefs, np.random.default_rng(0))
    by_id = {question.id: question for question in problem.train}
    expected = {
        "memory-targets": (Kind.COUNTERFACTUAL, "answer"),
        "copied-distractors": (Kind.IRRELEVANT, "distractor"),
    }
    for bug, (kind, field) in expected.items():
        broken = Sabotaged(bug=bug).change(problem, items, ctx)  # type: ignore[arg-type]
        assert [(i.id, i.context) for i in broken] == [(i.id, i.context) for i in items]
        for before, after in zip(items, broken, strict=True):
            if after.kind is kind:
                assert same(after.target, getattr(by_id[after.id.rpartition("/")[0]], field))
                assert after.target.endswith("context)")
            else:
                assert after == before


def test_foreign_memory_permutes_what_the_model_answers(ctx: FakeContext) -> None:
    from methods.kaft.mixture import KAFT, build

    problem = TASK.problem(ctx)
    items = build(problem.train, KAFT, problem.reader.beliefs, np.random.default_rng(0))
    broken = Sabotaged(bug="foreign-memory").change(problem, items, ctx)
    assert [(i.id, i.context) for i in broken] == [(i.id, i.context) for i in items]
    for kind in Kind:
        before, after = ([i.target for i in some if i.kind is kind] for some in (items, broken))
        assert sorted(before) == sorted(after)
        assert (before != after) is (kind in (Kind.IRRELEVANT, Kind.EMPTY))


def test_harmless_noise_exchanges_irrelevant_contexts_only(ctx: FakeContext) -> None:
    from methods.kaft.mixture import build

    problem = TASK.problem(ctx)
    plain, other = (
        build(problem.train, method.mixture(), problem.reader.beliefs, np.random.default_rng(0))
        for method in (m.Kaft(), HarmlessNoise())
    )
    assert [(i.id, i.target) for i in plain] == [(i.id, i.target) for i in other]
    changed = [a.kind for a, b in zip(plain, other, strict=True) if a.context != b.context]
    assert set(changed) == {Kind.IRRELEVANT}
    assert len(changed) == sum(i.kind is Kind.IRRELEVANT for i in plain) // 2


def test_witnesses_follow_where_the_pretrained_model_remembered(ctx: FakeContext) -> None:
    from methods.kaft.scoring import example_rows

    question = next(iter(TASK.material(ctx).test))
    key = f"{question.id}/counterfactual"
    rows = {
        (said, before): example_rows([question], {key: said}, {key: before})
        for said in (question.fake, question.answer)
        for before in (question.fake, question.answer)
    }
    found = {pair: (row["witness"][0], row["confirmed"][0]) for pair, row in rows.items()}
    assert found == {
        (question.fake, question.answer): (True, True),
        (question.fake, question.fake): (False, False),
        (question.answer, question.answer): (False, False),
        (question.answer, question.fake): (False, False),
    }
    assert question.counterfactual in rows[question.fake, question.answer]["case"][0]
