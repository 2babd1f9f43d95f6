"""The world in which neighbours count."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from methods.lite.neighbours import CANDIDATES, QUERY, Language, LearnNeighbours, Neighbours, Read
from methods.lite.scorers import MaxSim
from methods.lite.word_encoder import WordEncoder
from tests.methods.context import FakeContext

TASK = Neighbours(words=40, length=7, test=80)
QUICK = LearnNeighbours(steps=3, batch=4)


def language(seed: int, beta: float) -> Language:
    return replace(TASK, beta=beta).problem(FakeContext(seed=seed))


def matched(asked: int, given_: int) -> float:
    return 1.0 if asked == given_ else 0.5 if asked // 4 == given_ // 4 else 0.0


def by_loops(world: Language, query: list[int], document: list[int]) -> float:
    """Relevance as the module's first lines say it."""
    total = sum(
        float(world.weights[word]) * max(matched(word, other) for other in document) for word in query
    )
    pairs = sum(
        any(
            matched(query[i], document[j]) and matched(query[i + 1], document[j + 1])
            for j in range(len(document) - 1)
        )
        for i in range(QUERY - 1)
    )
    return total + world.beta * pairs


@given(seed=st.integers(0, 10_000), beta=st.sampled_from([0.0, 0.25, 2.0]))
@settings(max_examples=20, deadline=None)
def test_relevance_is_what_it_is_said_to_be(seed: int, beta: float) -> None:
    world = language(seed, beta)
    lists = world.draw(6, torch.Generator().manual_seed(seed))
    for query, documents, relevance in zip(*(t.tolist() for t in vars(lists).values()), strict=True):
        assert len({word // 4 for word in query}) == QUERY
        assert relevance == pytest.approx([by_loops(world, query, document) for document in documents])
        assert relevance == sorted(relevance, reverse=True)


def test_half_of_what_is_shared_stands_together() -> None:
    world = language(0, 1.0)
    lists = world.draw(4000, torch.Generator().manual_seed(0))
    pairs = lists.relevance - replace(world, beta=0.0).relevance(lists.queries, lists.documents)
    # .5 · .36 for each of three pairs by design, and more by chance.
    assert 0.54 < float(pairs.mean()) < 0.9


def test_the_dial_changes_relevance_and_nothing_else() -> None:
    drawn = [language(3, beta).draw(50, torch.Generator().manual_seed(1)) for beta in (0.0, 0.5)]
    assert torch.equal(drawn[0].queries, drawn[1].queries)
    documents = [sorted(map(tuple, lists.documents[0].tolist())) for lists in drawn]
    assert documents[0] == documents[1]


def test_a_word_is_read_with_its_neighbours() -> None:
    encoder = WordEncoder(40, 7).eval()
    read = encoder(torch.tensor([[1, 2, 3], [1, 5, 3]]))
    assert read.shape == (2, 3, 64)
    assert torch.allclose(read.norm(dim=-1), torch.ones(2, 3))
    assert not torch.allclose(read[0, 0], read[1, 0])
    lists = torch.randint(40, (2, CANDIDATES, 7), generator=torch.Generator().manual_seed(0))
    assert torch.allclose(encoder(lists)[1, 5], encoder(lists[1, 5:6])[0], atol=1e-6)


def test_equally_relevant_candidates_count_alike() -> None:
    task = Neighbours(words=20, length=5, test=200, beta=0.0)
    ctx = FakeContext()
    drawn = task.problem(ctx).draw(200, torch.Generator().manual_seed(0))
    assert (drawn.relevance[:, 0] == drawn.relevance[:, 1]).any()
    result = Read(WordEncoder(20, 5).eval(), MaxSim())
    rows = task.evaluate(result, ctx).parts["main"]
    assert len(np.asarray(rows["rr10"])) == 200


def test_training_finds_the_most_relevant() -> None:
    ctx = FakeContext()
    task = replace(TASK, test=300)
    before, after = (
        task.evaluate(
            LearnNeighbours(scorer="maxsim", steps=steps, rate=1e-2).run(task.problem(ctx), ctx), ctx
        )
        for steps in (1, 120)
    )
    first, second = (float(np.mean(scores.parts["main"]["rr10"])) for scores in (before, after))
    assert second > first + 0.1


def test_the_same_seed_gives_the_same_models() -> None:
    ctx = FakeContext()
    first, second = (QUICK.run(TASK.problem(ctx), ctx) for _ in range(2))
    for a, b in zip(first.encoder.parameters(), second.encoder.parameters(), strict=True):
        assert torch.equal(a, b)
