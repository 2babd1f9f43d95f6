"""The world of word order."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from methods.lite.order import LearnOrder, OrderProblem, WordOrder, _order_alone
from methods.lite.scorers import MaxSim
from tests.methods.context import FakeContext

TASK = WordOrder(test=60)


def vocabulary(seed: int, words: int = 60) -> OrderProblem:
    vectors = torch.randn(words, 8, generator=torch.Generator().manual_seed(seed))
    return OrderProblem(torch.nn.functional.normalize(vectors, dim=1), 10)


@given(seed=st.integers(0, 10_000))
@settings(max_examples=20)
def test_documents_are_what_they_are_said_to_be(seed: int) -> None:
    problem = vocabulary(seed)
    drawn = problem.draw(20, torch.Generator().manual_seed(seed))
    for query, documents in zip(drawn.queries.tolist(), drawn.documents.tolist(), strict=True):
        assert len(set(query)) == 4
        found = [any(d[i : i + 4] == query for i in range(7)) for d in documents]
        assert found == [True, False, False, False, False, False]
        counts = [sum(word in query for word in d) for d in documents]
        assert counts == [4, 4, 4, 2, 0, 0]


def test_maxsim_cannot_tell_a_phrase_from_its_words() -> None:
    problem = vocabulary(0)
    drawn = problem.draw(30, torch.Generator().manual_seed(1))
    scores = MaxSim().candidates(*problem.embed(drawn, problem.vectors))
    assert torch.allclose(scores[:, 0], scores[:, 1], atol=1e-6)
    assert torch.allclose(scores[:, 0], scores[:, 2], atol=1e-6)
    ctx = FakeContext()
    scored = TASK.evaluate(LearnOrder(scorer="maxsim", steps=0).run(TASK.problem(ctx), ctx), ctx)
    assert not np.asarray(scored.parts["witness"]["witness"]).any()
    # Three tied at the top: their expected reciprocal rank is (1 + 1/2 + 1/3) / 3.
    assert np.mean(scored.parts["main"]["rr10"]) == pytest.approx(11 / 18, abs=0.02)


def test_lite_learns_order_and_its_witnesses_are_confirmed() -> None:
    ctx = FakeContext()
    task = WordOrder(words=60, dim=16, length=8, test=60)
    result = LearnOrder(steps=150, batch=32, rate=4e-3).run(task.problem(ctx), ctx)
    scores = task.evaluate(result, ctx)
    witness = scores.parts["witness"]
    assert np.mean(witness["witness"]) > 0.5
    assert all(witness["confirmed"])


def test_the_same_seed_gives_the_same_scorer() -> None:
    ctx = FakeContext()
    method = LearnOrder(steps=3, batch=8, vectors=True)
    first, second = (method.run(TASK.problem(ctx), ctx) for _ in range(2))
    assert torch.equal(first.vectors, second.vectors)
    assert all(
        torch.equal(a, b) for a, b in zip(first.scorer.parameters(), second.scorer.parameters(), strict=True)
    )


def test_a_false_witness_is_not_confirmed() -> None:
    """The oracle looks at the documents, not at scores."""
    problem = vocabulary(3)
    drawn = problem.draw(1, torch.Generator().manual_seed(0))
    assert _order_alone(drawn.queries[0], drawn.documents[0])
    assert not _order_alone(drawn.queries[0], drawn.documents[0].flip(0))
    turned = drawn.documents[0].clone()
    turned[0] = turned[1]
    assert not _order_alone(drawn.queries[0], turned)
