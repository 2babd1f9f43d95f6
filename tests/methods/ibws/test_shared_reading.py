"""Scores of answers whose beginnings are read once, held to prompts that are read whole."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from harness.method import ProblemError
from methods.common.answering import option_scores
from methods.ibws.shared_reading import Beginning, shared_scores
from tests.methods.common import models

MODELS: dict[str, Callable[[], Any]] = {
    "llama": models.llama,
    "gemma3": models.gemma3,
    "gpt2": models.gpt2,
    "opt": models.opt,
}


def _beginnings() -> list[Beginning]:
    """Stems of 3 to 24 tokens, past the sliding window of 8, with marks or with two questions after them."""
    rng = np.random.default_rng(3)
    found = []
    for length in (3, 9, 14, 24, 24):
        stem = rng.integers(3, 48, length).tolist()
        marks = tuple(((), tuple(tail)) for tail in ([5, 6], [5, 7], [5, 7, 6], [5, 7, 6, 6], [9]))
        found.append(Beginning(stem, marks))
        questions = [rng.integers(3, 48, size).tolist() for size in (4, 7)]
        letters = tuple((tuple(question), (letter,)) for question in questions for letter in (11, 12, 13))
        found.append(Beginning(stem, letters))
    return found


def _read_whole(model: Any, beginnings: list[Beginning]) -> list[list[float]]:
    return [
        [
            option_scores(model, [[*one.stem, *between]], [[answer]], pad=0)[0][0]
            for between, answer in one.asked
        ]
        for one in beginnings
    ]


@pytest.mark.parametrize("name", list(MODELS))
def test_scores_are_those_of_prompts_that_are_read_whole(name: str) -> None:
    model, beginnings = MODELS[name](), _beginnings()
    found = shared_scores(model, beginnings, pad=0, batch=3)
    for ours, theirs in zip(found, _read_whole(model, beginnings), strict=True):
        assert ours == pytest.approx(theirs, abs=2e-4)
    spread = [max(scores) - min(scores) for scores in found]
    assert min(spread) > 0.01


def test_a_beginning_is_read_once(monkeypatch: pytest.MonkeyPatch) -> None:
    model, read = models.llama(), []
    forward = type(model).forward

    def counted(self: Any, *args: Any, **kwargs: Any) -> Any:
        read.append(tuple(kwargs["input_ids"].shape))
        return forward(self, *args, **kwargs)

    monkeypatch.setattr(type(model), "forward", counted)
    one = Beginning(list(range(3, 40)), tuple(((), (5, mark, 7)) for mark in range(8, 16)))
    shared_scores(model, [one], pad=0, batch=1)
    (first, width), (rows, tail) = read
    assert (first, rows) == (1, 8)
    assert width >= 36 > tail >= 3


def test_what_stands_beside_it_changes_no_score() -> None:
    model, beginnings = models.llama(), _beginnings()
    together = shared_scores(model, beginnings, pad=0)
    alone = [shared_scores(model, [one], pad=0)[0] for one in beginnings]
    assert together == alone


def test_stems_that_are_too_short_and_answers_without_tokens_are_refused() -> None:
    model = models.llama()
    with pytest.raises(ProblemError, match="fewer than two"):
        shared_scores(model, [Beginning([3], (((), (4,)),))], pad=0)
    with pytest.raises(ProblemError, match="empty"):
        shared_scores(model, [Beginning([3, 4], (((), ()),))], pad=0)
    with pytest.raises(ProblemError, match="positions"):
        shared_scores(model, [Beginning([3] * 60, (((), (4,)),))], pad=0)
