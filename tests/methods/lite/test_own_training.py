"""Training on stored vectors: what MaxSim cannot tell apart is learnt, by each loss."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch

from harness.method import ProblemError
from methods.common.draws import generator
from methods.lite.late import LateInteraction, LateOptions
from methods.lite.losses import LossName
from methods.lite.own_ranking import plain_scorer
from methods.lite.own_training import OwnRun, Vectors, mrr, train
from methods.lite.ranker import Lists
from methods.lite.training import Course, TrainingLists
from tests.methods.lite.own_world import index_of, unit

DIM, L1, L2, QUERIES = 16, 3, 6, 160


def phrases() -> tuple[Vectors, TrainingLists]:
    """The positive has the query's words in their order, the negatives the same words in another one."""
    rng = np.random.default_rng(0)
    words = unit(generator(0), 80, DIM)
    queries, documents = [], []
    for _ in range(QUERIES):
        asked = rng.choice(80, L1, replace=False)
        queries.append(words[asked])
        for order in ((0, 1, 2), (2, 1, 0), (1, 0, 2)):
            start, rest = int(rng.integers(0, L2 - L1 + 1)), rng.integers(0, 80, L2 - L1)
            documents.append(words[np.concatenate([rest[:start], asked[list(order)], rest[start:]])])
    candidates = torch.arange(3 * QUERIES).reshape(QUERIES, 3)
    real = torch.ones(QUERIES, 3, dtype=torch.bool)
    lists = Lists(tuple(map(str, range(QUERIES))), torch.arange(QUERIES), candidates, real)
    relevant = torch.tensor([True, False, False]).expand(QUERIES, 3)
    teacher = torch.tensor([2.0, 0.0, 0.0]).expand(QUERIES, 3)
    return Vectors(index_of(queries, L1), index_of(documents, L2)), TrainingLists(lists, relevant, teacher)


def part(data: TrainingLists, rows: slice) -> TrainingLists:
    one = data.lists
    lists = Lists(one.names[rows], one.queries[rows], one.candidates[rows], one.real[rows])
    return TrainingLists(lists, data.relevant[rows], data.teacher[rows])


def trained(loss: LossName, steps: int, seed: int = 0, **options: Any) -> tuple[LateInteraction, list[str]]:
    vectors, data = phrases()
    late = LateInteraction(
        LateOptions(dim=DIM, query_tokens=L1, document_tokens=L2, factor=12, seed=seed, **options)
    )
    told: list[str] = []
    run = OwnRun(seed, lambda done, message: told.append(message))
    train(late, vectors, part(data, slice(40, None)), Course(loss, steps, 32, 2, 3e-3, 0.0), run)
    return late, told


@pytest.mark.parametrize("loss", ["one-hot", "kl", "margin-mse"])
def test_held_out_queries_are_ranked_better_than_by_maxsim_which_is_blind_to_order(loss: LossName) -> None:
    vectors, data = phrases()
    held = part(data, slice(40))
    plain = mrr(plain_scorer(vectors.documents, L1), vectors, held)
    assert 0.45 < plain < 0.75
    late, _ = trained(loss, 150)
    assert not late.training
    assert mrr(late, vectors, held) > plain + 0.15


def test_the_same_seed_gives_the_same_bits() -> None:
    one, two, other = (trained("one-hot", 20, seed)[0].state_dict() for seed in (0, 0, 1))
    assert all(torch.equal(one[name], two[name]) for name in one)
    assert not torch.equal(one["ranker.tower.projection.weight"], other["ranker.tower.projection.weight"])


def test_the_projection_and_the_scorer_both_learn() -> None:
    late, told = trained("margin-mse", 20)
    fresh = LateInteraction(late.options)
    changed = [
        name for name, value in late.state_dict().items() if not torch.equal(value, fresh.state_dict()[name])
    ]
    assert set(changed) == set(late.state_dict())
    assert told == [told[0]]
    assert told[0].startswith("loss ")


def test_a_loss_that_needs_a_teacher_says_so() -> None:
    vectors, data = phrases()
    late = LateInteraction(LateOptions(dim=DIM, query_tokens=L1, document_tokens=L2))
    blind = TrainingLists(data.lists, data.relevant, torch.full_like(data.teacher, torch.nan))
    with pytest.raises(ProblemError, match="no teacher score"):
        train(late, vectors, blind, Course("kl", 1, 2, 2, 1e-3, 0.0), OwnRun(0, lambda *_: None))
