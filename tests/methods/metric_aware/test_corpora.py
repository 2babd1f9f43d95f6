"""Texts, their splits and their prompts."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.method import ProblemError
from methods.common.datasets import Inference
from methods.common.ratings import RatingSet
from methods.metric_aware.corpora import Corpus, Graded, choose, human_law, prefix
from methods.metric_aware.public_sets import load_similar, load_starred
from tests.methods.metric_aware.data import rated, write_split

ROWS = [Graded(f"{i:03d}", {"text": f"text {i}"}, 1 + 4 * (i % 41) / 40) for i in range(120)]


def test_parts_are_disjoint_and_only_examples_depend_on_the_draw() -> None:
    first, second = (choose(ROWS, draw, shots=6, held=20, test=50) for draw in (1, 2))
    assert (first.test, first.held) == (second.test, second.held)
    assert first.examples != second.examples
    ids = [row.id for part in (first.examples, first.held, first.test) for row in part]
    assert len(set(ids)) == len(ids) == 76


def test_examples_are_spread_over_the_scale() -> None:
    for draw in range(5):
        labels = sorted(row.label for row in choose(ROWS, draw, shots=4, held=5, test=20).examples)
        assert labels[0] < 2.2
        assert labels[-1] > 3.8


def test_too_few_texts_are_refused() -> None:
    with pytest.raises(ProblemError, match="do not give"):
        choose(ROWS[:10], 0, shots=6, held=5, test=5)


def test_a_prefix_shows_solved_examples() -> None:
    corpus = Corpus(instruction="Stars:", item="Review: {text}\nStars:")
    shown = prefix(corpus, [Graded("a", {"text": "fine {not} a field"}, 3.6)])
    assert shown == "Stars:\n\nReview: fine {not} a field\nStars: 4\n\n"


def test_human_ratings_move_to_the_grid_and_long_texts_go() -> None:
    corpus = Corpus(part="amazon", longest=12)
    rows = corpus.read({"amazon": rated(["good", "a text that is too long", "bad"], [[4, 2], [0], [-4, -3]])})
    assert [(row.id, row.label) for row in rows] == [("0", 4.5), ("2", 1.25)]
    nine = replace(corpus, values=tuple(map(float, range(1, 10))))
    moved = nine.read({"amazon": rated(["good"], [[4, 2]])})
    assert moved[0].ratings == (9.0, 7.0)


@pytest.mark.parametrize(("part", "longest"), [("amazon", 2), ("books", 100)])
def test_nothing_to_read_is_refused(part: str, longest: int) -> None:
    with pytest.raises(ProblemError):
        Corpus(part=part, longest=longest).read({"amazon": rated(["good"], [[1]])})


@given(st.lists(st.floats(1, 5), min_size=1, max_size=9))
def test_a_human_law_keeps_the_mean(ratings: list[float]) -> None:
    law = human_law(Graded("a", {}, 0.0, tuple(ratings)), (1.0, 2.0, 3.0, 4.0, 5.0))
    assert law.min() >= 0
    assert law.sum() == pytest.approx(1.0)
    assert law @ np.arange(1.0, 6.0) == pytest.approx(np.mean(ratings))


def test_whole_ratings_are_counted() -> None:
    law = human_law(Graded("a", {}, 0.0, (1.0, 5.0, 5.0, 3.0)), (1.0, 2.0, 3.0, 4.0, 5.0))
    assert law.tolist() == [0.25, 0, 0.25, 0, 0.5]


def test_public_rows_become_graded_texts(tmp_path: Path) -> None:
    write_split(tmp_path, "test", [{"sentence1": "a", "sentence2": "b", "score": 2.5, "source": "x"}])
    write_split(tmp_path, "train", [{"text": "good", "label": 4}])
    (pair,) = Corpus(kind="sts", part="test").read(load_similar(tmp_path))
    assert (pair.fields, pair.label) == ({"first": "a", "second": "b"}, 2.5)
    (review,) = Corpus(kind="stars", part="train").read(load_starred(tmp_path))
    assert (review.fields, review.label) == ({"text": "good"}, 5.0)
    (sick,) = Corpus(kind="sick", part="test").read({"test": [Inference("1", "p", "h", "neutral", 3.2)]})
    assert (sick.fields["second"], sick.label) == ("h", 3.2)


def test_rating_sets_of_the_tests_are_real_ones() -> None:
    assert isinstance(rated(["good"], [[1]]), RatingSet)


def test_draws_may_ask_about_texts_of_their_own() -> None:
    draws = (1, 2, 5)
    found = [choose(ROWS, draw, shots=3, held=4, test=6, own=draws) for draw in draws]
    asked = [row.id for one in found for row in (*one.test, *one.held)]
    assert len(set(asked)) == len(asked) == 30
    for one in found:
        assert not {row.id for row in one.examples} & set(asked)
        assert len(one.known) == min(200, len(ROWS) - 30)
    assert not choose(ROWS, 1, shots=3, held=4, test=6).known
    with pytest.raises(ProblemError, match="3 times 400"):
        choose(ROWS, 1, shots=3, held=4, test=400, own=draws)
