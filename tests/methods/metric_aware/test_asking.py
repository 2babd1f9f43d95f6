"""Asking for grades: what tokenizers and models do to a grid."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from harness.method import ProblemError
from methods.common.language_model.interface import NextToken
from methods.common.language_model.local import LocalModel
from methods.metric_aware.asking import ask_grades, grid_scores, spelled
from tests.methods.metric_aware.data import Scripted, tiny_checkpoint

GRID = (1.0, 2.0, 3.0)


def rng() -> np.random.Generator:
    return np.random.default_rng(0)


def test_spellings_with_and_without_a_space_are_added_up() -> None:
    found = NextToken({"2": np.log(0.3), "▁2": np.log(0.2), "Ġ3": np.log(0.1), "23": np.log(0.1)}, 0.3)
    assert np.exp(grid_scores(found, ["1", "2", "3"])) == pytest.approx([0.0, 0.5, 0.1])
    assert [spelled(token) for token in ("▁2", "Ġ2", "Ċ")] == [" 2", " 2", "\n"]


def test_one_distribution_gives_scores_the_greedy_answer_and_samples() -> None:
    model = Scripted([{"▁the": 0.4, "2": 0.3, "▁3": 0.2}, {"1": 0.9, "2": 0.1}])
    asked = ask_grades(model, ["a", "b"], ["?", "?"], GRID, how="next-token", rng=rng())
    assert np.exp(asked.scores) == pytest.approx(np.array([[0, 0.3, 0.2], [0.9, 0.1, 0]]))
    assert asked.greedy == (" the", "1")
    assert {*asked.samples[0]} <= {" the", "2", " 3", ""}
    assert {*asked.samples[1]} <= {"1", "2"}


def test_drawn_answers_follow_the_distribution() -> None:
    count = 400
    model = Scripted([{"2": 0.5, "x": 0.3}] * count)
    asked = ask_grades(
        model, [str(i) for i in range(count)], ["?"] * count, GRID, how="next-token", rng=rng()
    )
    drawn = np.array(asked.samples).ravel()
    for text, share in (("2", 0.5), ("x", 0.3), ("", 0.2)):
        assert (drawn == text).mean() == pytest.approx(share, abs=0.02)


def test_a_silent_model_is_told_from_one_silent_answer() -> None:
    silent, loud = {"the": 0.9}, {"2": 0.9}
    asked = ask_grades(Scripted([silent, loud]), ["a", "b"], ["?", "?"], GRID, how="next-token", rng=rng())
    assert np.ptp(asked.scores[0]) == 0
    assert np.exp(asked.scores[0]).sum() == pytest.approx(0.1)
    with pytest.raises(ProblemError, match="No value"):
        ask_grades(Scripted([silent]), ["a"], ["?"], GRID, how="next-token", rng=rng())


def test_values_of_several_characters_need_scores_with_a_terminator() -> None:
    grid = (1.0, 5.5, 10.0)
    with pytest.raises(ProblemError, match="one token"):
        ask_grades(Scripted([{"1": 0.9}]), ["a"], ["?"], grid, how="next-token", rng=rng())
    model = Scripted(scores=(-1.0, -2.0, -3.0), texts=("10", "nothing"))
    asked = ask_grades(model, ["a"], ["?"], grid, how="score", rng=rng())
    assert list(model.options[0]) == [" 1\n", " 5.5\n", " 10\n"]
    assert asked.scores.tolist() == [[-1.0, -2.0, -3.0]]
    assert asked.greedy == ("10",)


def test_servers_without_probabilities_are_counted() -> None:
    model = Scripted(texts=("2 stars", "3", "2/3", "no idea"))
    asked = ask_grades(model, ["a"], ["?"], GRID, how="sample", rng=rng())
    assert np.exp(asked.scores[0]) == pytest.approx([0.0, 0.5, 0.25], abs=1e-6)


def test_scores_of_a_real_model_do_not_take_a_prefix_for_the_number(tmp_path: Path) -> None:
    checkpoint = tiny_checkpoint(tmp_path)
    model = LocalModel("tiny", "0", checkpoint.model("cpu", "float32"), checkpoint.tokenizer)
    asked = ask_grades(model, ["a"], ["Stars:"], (1.0, 10.0), how="score", rng=rng())
    (without,) = model.score(["Stars:"], [[" 1", " 10"]])
    assert asked.scores[0, 0] < without[0]
    # All continuations of "1" together are at most as probable as "1" itself.
    assert np.exp(asked.scores[0]).sum() <= np.exp(without[0]) + 1e-6


def test_nothing_to_ask_is_refused() -> None:
    with pytest.raises(ProblemError, match="nothing to ask"):
        ask_grades(Scripted(), [], [], GRID, how="next-token", rng=rng())


def test_what_cannot_be_read_is_counted() -> None:
    model = Scripted([{"the": 0.9}, {"2": 0.9}])
    ask_grades(model, ["a", "b"], ["?", "?"], GRID, how="next-token", rng=rng())
    assert model.usage.unread == 1


def test_unlisted_values_are_spread_evenly_or_refused() -> None:
    class Listing(Scripted):
        def score(self, prompts: Sequence[str], options: Sequence[Sequence[str]]) -> list[list[float]]:
            listed = {"?": -np.inf, "!": -1.0}
            return [[listed[one]] * len(some) for one, some in zip(prompts, options, strict=True)]

    model = Listing([])
    asked = ask_grades(model, ["a", "b"], ["?", "!"], GRID, how="score", rng=rng())
    assert np.isfinite(asked.scores).all()
    assert model.usage.unread == 1
    with pytest.raises(ProblemError, match="No value of the grid has a probability"):
        ask_grades(Listing([]), ["a"], ["?"], GRID, how="score", rng=rng())
