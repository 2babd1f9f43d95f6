"""Re-ranking from stored vectors."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch

from methods.lite.latency import Rescore, StoredVectors
from methods.lite.scorers import MaxSim
from tests.methods.context import FakeContext


def test_stored_vectors_are_scored_as_they_are_in_memory(tmp_path: Path) -> None:
    ctx = FakeContext(scratch=tmp_path)
    task = StoredVectors(documents=7, l1=3, doc_tokens=(4, 2), dim=8)
    problem = task.problem(ctx)
    assert problem.files[4].stat().st_size == 7 * 4 * 8 * 2
    scores = Rescore(scorer="maxsim", doc_tokens=4, batch=3, scale=False).run(problem, ctx)
    d = torch.from_numpy(np.array(problem.read(4), dtype=np.float32))
    q = problem.query.expand(7, -1, -1)
    expected = MaxSim()(q, d, torch.ones(7, 3), torch.ones(7, 4))
    assert np.allclose(scores, expected.numpy(), atol=1e-5)
    for count in (4, 2):
        found = Rescore(doc_tokens=count, factor=2).run(problem, ctx)
        assert found.shape == (7,)
    assert task.evaluate(scores, ctx).parts["main"]["count"] == [7]
