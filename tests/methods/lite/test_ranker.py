"""Rankers on candidate lists: training, ranking, reductions, saboteurs, bad input."""

from __future__ import annotations

from dataclasses import replace
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from harness.method import DivergedError, ProblemError
from methods.common.minilm import MINILM
from methods.lite.docstrings import DocstringPassages
from methods.lite.finetuning import FineTuning, TokenIds
from methods.lite.generated import GeneratedRanking
from methods.lite.method import KnownScores, Scored, TrainRanker
from methods.lite.prepare import TokenSet, TokenVectors
from methods.lite.ranker import Lists, Ranker, Tower
from methods.lite.sabotage import MixedColumns, ShuffledTeacher
from methods.lite.sabotage_training import MixedScorer
from methods.lite.scorers import MaxSim
from methods.lite.task import MRR, Reranking, lists_of, rows_of, training_lists
from methods.lite.training import Course, TrainingLists, _train_mode, batches
from tests.methods.context import FakeContext
from tests.methods.lite.worlds import tiny_encoder, tiny_set, tiny_teacher

TASK = GeneratedRanking()
CTX = FakeContext()
COURSE = Course("margin-mse", 5, 4, 2, 1e-3, 1e-4)


def ranked(method: TrainRanker, ctx: FakeContext = CTX) -> dict[str, Any]:
    """The parts of a run."""
    return dict(TASK.evaluate(method.run(TASK.problem(ctx), ctx), ctx).parts)


@pytest.mark.parametrize("scorer", ["de", "de-cls", "maxsim", "knrm", "lite", "lite-flat"])
@pytest.mark.parametrize("loss", ["one-hot", "kl", "margin-mse"])
def test_every_scorer_trains_with_every_loss(scorer: Any, loss: Any) -> None:
    parts = ranked(TrainRanker(scorer=scorer, loss=loss, steps=2, batch=4, negatives=2, factor=2))
    assert len(parts["main"]["rr10"]) == len(parts["zero-shot"]["rr10"]) == 12
    assert parts["storage"]["bytes"] == [16 if scorer.startswith("de") else 8 * 8 * 2]


def test_training_helps_a_learnt_scorer() -> None:
    task = GeneratedRanking(queries=60)
    method = TrainRanker(steps=120, batch=16, negatives=3, factor=2, rate=3e-3, trains="scorer")
    problem = task.problem(CTX)
    before = task.evaluate(replace(method, steps=0).run(problem, CTX), CTX).parts["main"]
    after = task.evaluate(method.run(problem, CTX), CTX).parts["main"]
    assert MRR(after) > MRR(before) + 0.1


def test_the_same_seed_gives_the_same_scores_and_the_problem_stays() -> None:
    problem = TASK.problem(CTX)
    copies = [texts.data.clone() for texts in (problem.texts.queries, problem.texts.passages)]
    method = TrainRanker(steps=3, batch=4, negatives=2, factor=2)
    lists = problem.train.lists
    first, second = (method.run(problem, CTX).rank(problem.texts, lists) for _ in range(2))
    assert torch.equal(first, second)
    assert torch.equal(copies[0], problem.texts.queries.data)
    assert torch.equal(copies[1], problem.texts.passages.data)


def test_ranks_agree_with_scoring_one_pair_at_a_time() -> None:
    problem = TASK.problem(CTX)
    ranker = TrainRanker(steps=2, batch=4, negatives=2, factor=2).run(problem, CTX)
    assert isinstance(ranker, Ranker)
    scores = ranker.rank(problem.texts, problem.train.lists)
    q, d = problem.texts.queries, problem.texts.passages
    with torch.inference_mode():
        for t, c in ((0, 0), (3, 2), (11, 4)):
            row, column = problem.train.lists.queries[t], problem.train.lists.candidates[t, c]
            one = ranker.scorer(
                ranker.tower.queries(q.data[row][None], q.mask[row][None]),
                ranker.tower(d.data[column][None], d.mask[column][None]),
                q.mask[row][None],
                d.mask[column][None],
            )
            assert one.item() == pytest.approx(scores[t, c].item(), abs=1e-4)


@pytest.mark.parametrize("reduction", ["truncate", "block-mean", "linear", "k-means"])
def test_reductions_store_a_quarter_and_train(reduction: Any) -> None:
    method = TrainRanker(steps=2, batch=4, negatives=2, factor=2, doc_tokens=2, reduction=reduction)
    parts = ranked(method)
    assert parts["storage"]["bytes"] == [2 * 8 * 2]
    assert np.isfinite(parts["main"]["rr10"]).all()


def test_mixed_columns_are_all_there_and_say_nothing_of_their_candidate() -> None:
    d, mask = torch.arange(24.0).reshape(1, 3, 4, 2), torch.ones(1, 3, 4)
    seen: list[torch.Tensor] = []

    class Looking(MaxSim):
        def candidates(self, q: torch.Tensor, d: torch.Tensor, *masks: torch.Tensor) -> torch.Tensor:
            seen.append(d)
            return super().candidates(q, d, *masks)

    MixedScorer(Looking(1, scale=False)).candidates(torch.ones(1, 5, 2), d, torch.ones(1, 5), mask)
    assert not torch.equal(seen[0], d)
    assert torch.equal(seen[0].reshape(12, 2).sort(0).values, d.reshape(12, 2))
    real, mixed = (
        np.mean(ranked(kind(scorer="maxsim", steps=0))["main"]["rr10"])
        for kind in (TrainRanker, MixedColumns)
    )
    assert real > mixed


def test_tuning_sees_validation_queries_only() -> None:
    parts = ranked(TrainRanker(steps=0), FakeContext(stage="tune"))
    assert set(parts) == {"validation", "storage"}


def test_batches_hold_a_positive_first_and_negatives_of_the_same_query() -> None:
    data = tiny_set()
    train = training_lists(data.split("train"), data, tiny_teacher(data))
    for batch in islice(batches(train, COURSE, np.random.default_rng(0)), 30):
        for row, candidates, teacher in zip(batch.queries, batch.candidates, batch.teacher, strict=True):
            query = data.queries[int(row)]
            assert f"p{int(candidates[0])}" == query.candidates[query.relevant[0]]
            assert len(set(candidates.tolist())) == 3
            scores = tiny_teacher(data)[query.id]
            places = [query.candidates.index(f"p{int(c)}") for c in candidates]
            assert np.allclose(teacher, [scores[place] for place in places])


def test_every_query_comes_once_a_round() -> None:
    data = tiny_set()
    train = training_lists(data.split("train"), data, tiny_teacher(data))
    stream = batches(train, replace(COURSE, batch=8), np.random.default_rng(0))
    seen = torch.cat([batch.queries for batch in islice(stream, 2)])
    assert len(set(seen.tolist())) == len(seen) == 16


def test_a_shuffled_teacher_says_nothing_about_candidates() -> None:
    task = GeneratedRanking(queries=60)
    problem = task.problem(CTX)
    method = ShuffledTeacher(scorer="maxsim", steps=1, batch=4, negatives=2)
    train = problem.train
    means = np.zeros(2)
    for batch in islice(batches(train, method.course(), np.random.default_rng(0)), 200):
        relevant = batch.candidates == batch.queries.unsqueeze(1)
        means += [float(batch.teacher[relevant].mean()), float(batch.teacher[~relevant].mean())]
    assert means[0] / 200 == pytest.approx(means[1] / 200, abs=0.25)


def test_known_scores_are_looked_up() -> None:
    data = tiny_set()
    problem = TASK.problem(CTX)
    lists = problem.train.lists
    found = KnownScores().run(problem, CTX).rank(problem.texts, lists)
    assert found[0].tolist() == list(problem.known["bm25"][lists.names[0]])
    with pytest.raises(ProblemError, match="no scores"):
        Scored({}).rank(problem.texts, lists_of(data.split("test"), data))
    with pytest.raises(ProblemError, match="no scores"):
        KnownScores().run(replace(problem, known={}), CTX)


def test_ties_everywhere_score_their_expectation() -> None:
    data = tiny_set()
    queries = data.split("test")
    lists = lists_of(queries, data)
    rows = rows_of(queries, torch.zeros(lists.real.shape))
    for query, expected, low in zip(queries, rows["rr10"], rows["rr10_low"], strict=True):
        n = len(query.candidates)
        assert expected == pytest.approx(sum(1 / rank for rank in range(1, n + 1)) / n)
        assert low == pytest.approx(1 / n)


def test_scores_that_are_no_numbers_end_the_trial_as_diverged() -> None:
    data = tiny_set()
    queries = data.split("test")
    with pytest.raises(DivergedError):
        rows_of(queries, torch.full(lists_of(queries, data).real.shape, torch.nan))


def test_bad_input_says_what_to_do() -> None:
    problem = TASK.problem(CTX)
    untaught = training_lists(tiny_set().split("train"), tiny_set(), {})
    with pytest.raises(ProblemError, match="no teacher score"):
        TrainRanker(steps=1).run(replace(problem, train=untaught), CTX)
    with pytest.raises(ProblemError, match="vectors"):
        TrainRanker(trains="encoder").run(problem, CTX)
    with pytest.raises(ProblemError, match="others"):
        next(batches(problem.train, replace(COURSE, negatives=99), np.random.default_rng(0)))
    lists = problem.train.lists
    wrong = Lists(lists.names, lists.queries, lists.candidates + 999, lists.real)
    ranker = Ranker(Tower(8), MaxSim(), reduction="none", doc_tokens=0, l2=8)
    with pytest.raises(ProblemError, match="no vectors"):
        ranker.rank(problem.texts, wrong)


def test_a_teacher_is_not_needed_for_labels() -> None:
    problem = TASK.problem(CTX)
    untaught = TrainingLists(
        problem.train.lists, problem.train.relevant, torch.full_like(problem.train.teacher, torch.nan)
    )
    method = TrainRanker(steps=1, batch=4, negatives=2, factor=2, loss="one-hot")
    assert method.run(replace(problem, train=untaught), CTX).bytes_per_document == 128


def test_a_set_without_teacher_poses_a_problem_for_labels_only(
    objects: dict[str, Any], tmp_path: Path
) -> None:
    with_teacher, ctx = fine_tuning(objects, tmp_path)
    task = replace(with_teacher, teacher=None)
    problem = task.problem(ctx)
    assert set(problem.known) == {"bm25"}
    assert set(with_teacher.problem(ctx).known) == {"bm25", "cross-encoder"}
    labels = TrainRanker(steps=2, batch=4, negatives=2, factor=2, loss="one-hot", trains="scorer")
    assert set(task.evaluate(labels.run(problem, ctx), ctx).parts) >= {"main", "storage"}
    with pytest.raises(ProblemError, match="no teacher score"):
        replace(labels, loss="kl").run(problem, ctx)
    with pytest.raises(ProblemError, match="cross-encoder"):
        KnownScores(system="cross-encoder").run(problem, ctx)


@pytest.fixture(scope="module")
def objects(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """A tiny set with its encoder and teacher, under the names of the real references."""
    data = tiny_set()
    return {
        "all-minilm-l6-v2": tiny_encoder(tmp_path_factory.mktemp("encoder")),
        "DocstringPassages": data,
        "other": tiny_set(("c",)),
        "teacher": tiny_teacher(data),
    }


class Other(DocstringPassages):
    """A second set, told apart by its type."""


class TeacherName(DocstringPassages):
    """A reference that stands for the teacher."""


class OtherIds(TokenIds):
    """Token ids of the second set."""


def fine_tuning(objects: dict[str, Any], folder: Path, **changes: Any) -> tuple[FineTuning, FakeContext]:
    """The task on tiny sets whose token ids are built here, as the engine would."""
    known = {**objects, "Other": objects["other"], "TeacherName": objects["teacher"]}
    ctx = FakeContext(objects=known)
    for kind, data in ((TokenIds, DocstringPassages()), (OtherIds, Other())):
        artifact = kind(data=data, l1=5, l2=8)
        place = folder / kind.__name__
        place.mkdir()
        artifact.build(place, ctx)
        known[kind.__name__] = artifact.load(place)
    task = FineTuning(
        data=DocstringPassages(),
        vectors=TokenIds(data=DocstringPassages(), l1=5, l2=8),
        teacher=TeacherName(),
        elsewhere=((Other(), OtherIds(data=Other(), l1=5, l2=8)),),
        **changes,
    )
    return task, ctx


@pytest.mark.parametrize("trains", ["encoder", "projection", "scorer"])
def test_a_whole_encoder_is_trained_through_the_scorer(
    objects: dict[str, Any], trains: Any, tmp_path: Path
) -> None:
    task, ctx = fine_tuning(objects, tmp_path)
    problem = task.problem(ctx)
    method = TrainRanker(trains=trains, steps=2, batch=4, negatives=2, factor=2, encoder_rate=1e-3)
    result = method.run(problem, ctx)
    assert isinstance(result, Ranker)
    assert result.tower.encoder is not None
    kept = objects["all-minilm-l6-v2"].model.state_dict()
    moved = [not torch.equal(kept[name], value) for name, value in result.tower.encoder.state_dict().items()]
    assert any(moved) == (trains == "encoder")
    _train_mode(result)
    assert result.tower.encoder.training == (trains == "encoder")
    result.eval()
    parts = task.evaluate(result, ctx).parts
    assert set(parts) == {"main", "zero-shot", "storage"}
    assert {"a", "b", "c"} == set(parts["zero-shot"]["domain"])
    assert set(parts["main"]["domain"]) <= {"a", "b"}
    assert set(task.evaluate(result, replace(ctx, stage="tune")).parts) == {"validation", "storage"}


def test_frozen_vectors_and_frozen_encoder_rank_alike(objects: dict[str, Any], tmp_path: Path) -> None:
    task, ctx = fine_tuning(objects, tmp_path)
    vectors = TokenVectors(data=DocstringPassages(), encoder=MINILM, l1=5, l2=8, dim=16)
    folder = tmp_path / "vectors"
    folder.mkdir()
    vectors.build(folder, ctx)
    stored: TokenSet = vectors.load(folder)
    ctx.objects["TokenVectors"] = stored  # type: ignore[index]
    plain = Reranking(data=DocstringPassages(), vectors=vectors, teacher=TeacherName(), fold=3)
    method = TrainRanker(scorer="maxsim", trains="scorer", steps=0)
    lists = lists_of(objects["DocstringPassages"].split("test"), objects["DocstringPassages"])
    scores = [
        method.run(kind.problem(ctx), ctx).rank(kind.texts(ctx), lists)[lists.real] for kind in (task, plain)
    ]
    assert torch.allclose(scores[0], scores[1], atol=2e-2)
    rows = plain.evaluate(method.run(plain.problem(ctx), ctx), ctx).parts["zero-shot"]
    assert len(rows["unit_id"]) == 6


def test_sets_without_known_scores_are_left_out(objects: dict[str, Any], tmp_path: Path) -> None:
    task, ctx = fine_tuning(objects, tmp_path)
    only_here = {query.id: query.bm25 for query in objects["DocstringPassages"].queries}
    strangers = tiny_set(("c",))
    renamed = replace(strangers, queries=tuple(replace(q, id=f"c-{q.id}") for q in strangers.queries))
    ctx.objects["Other"] = renamed  # type: ignore[index]
    parts = task.evaluate(Scored(only_here), ctx).parts
    assert set(parts["zero-shot"]["domain"]) == {"a", "b"}


def test_a_seed_draws_its_training_queries(objects: dict[str, Any], tmp_path: Path) -> None:
    task, ctx = fine_tuning(objects, tmp_path, train=10)
    first = task.problem(ctx).train.lists.names
    assert len(first) == 10
    assert first != task.problem(replace(ctx, seed=101)).train.lists.names
