"""Scores, post-processing, Norm. Avg. and trade-off curves."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import sacrebleu
from hypothesis import given
from hypothesis import strategies as st

from methods.promot import metrics as m
from methods.promot.text import read_answer

PRETRAINED = [46.43, 49.69, 17.58, 9.70, 3.97, 1.82, 6.41, 4.59]
TUNED = [73.21, 50.00, 0.15, 0.05, 0.0, 0.0, 0.0, 0.0]
PROMOT = [66.07, 51.41, 17.64, 11.07, 2.02, 0.70, 7.02, 4.84]


def rows(scores: list[float]) -> dict[str, Any]:
    """One question for each task, with the task's score."""
    return {
        "task": [f"task {i}" for i in range(len(scores))],
        "score": scores,
        "counts": [""] * len(scores),
    }


@pytest.mark.parametrize(("scores", "mean"), [(PRETRAINED, 17.52), (TUNED, 15.43), (PROMOT, 20.10)])
def test_norm_avg_of_the_paper(scores: list[float], mean: float) -> None:
    assert m.NORM_AVG(rows(scores)) == pytest.approx(mean, abs=0.0051)


@pytest.mark.parametrize(("scores", "mean"), [(PRETRAINED, 7.35), (TUNED, 0.03), (PROMOT, 7.22)])
def test_norm_avg_without_the_two_true_or_false_tasks(scores: list[float], mean: float) -> None:
    assert m.NORM_AVG(rows(scores[2:])) == pytest.approx(mean, abs=0.0051)


def test_tasks_count_equally_whatever_their_size() -> None:
    table = {"task": ["a"] * 9 + ["b"], "score": [0.0] * 9 + [100.0], "counts": [""] * 10}
    assert m.NORM_AVG(table) == 50
    assert m.WORST_TASK(table) == 0


PAIRS = [
    ("a black dog runs on the green grass", "a black dog is running on green grass"),
    ("two men ride bicycles in the street", "two men are riding bikes down the street"),
    ("a girl", "a little girl in a pink dress is sitting on the steps"),
]


def test_bleu_of_rows_is_corpus_bleu() -> None:
    scored = [m.score("bleu", output, [reference]) for output, reference in PAIRS]
    table = {"task": ["mt"] * 3, "score": [row.score for row in scored], "counts": [r.counts for r in scored]}
    expected = sacrebleu.corpus_bleu([o for o, _ in PAIRS], [[r for _, r in PAIRS]]).score
    assert m.NORM_AVG(table) == pytest.approx(expected)
    sentences = [sacrebleu.sentence_bleu(output, [reference]).score for output, reference in PAIRS]
    assert m.NORM_AVG(table) != pytest.approx(np.mean(sentences))


def test_rouge_counts_pairs_of_words() -> None:
    # Reference: 3 bigrams, output: 2, in common: 1; F1 = 2·(1/2)(1/3) / (1/2 + 1/3) = .4.
    assert m.score("rouge", "red hat stays", ["a red hat falls"]).score == pytest.approx(40.0)
    assert m.score("rouge", "", ["a red hat falls"]).score == 0


@pytest.mark.parametrize(
    ("kind", "output", "references", "right"),
    [
        ("accuracy", "True.", ["True"], True),
        ("accuracy", "True enough", ["True"], True),
        ("accuracy", "not True", ["True"], False),
        ("accuracy", "", ["True"], False),
        ("number", " 1,250,000", ["1250000"], True),
        ("number", "1.25e6", ["1250000"], True),
        ("number", "1.5", ["15"], False),
        ("number", "five", ["5"], False),
        ("exact", "The Paris", ["Paris", "Lutetia"], True),
        ("exact", "Paris, France", ["Paris"], False),
    ],
)
def test_answers_that_count(kind: m.Kind, output: str, references: list[str], right: bool) -> None:  # noqa: FBT001
    assert m.score(kind, output, references).score == 100.0 * right


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        ("<extra_id_0> Paris Q: next <extra_id_1>", "Paris"),
        ("<extra_id_0> Paris <extra_id_1> London <extra_id_2>", "Paris"),
        (" True\nfalse", "True"),
        ("un chien Translate English to French: a cat", "un chien"),
        ("A short one. Article: more", "A short one."),
        ("", ""),
    ],
)
def test_answers_end_where_the_next_input_begins(text: str, answer: str) -> None:
    assert read_answer(text) == answer


def curve_rows(points: list[tuple[float, float]]) -> dict[str, Any]:
    table: dict[str, list[Any]] = {name: [] for name in ("step", "kind", "task", "score", "counts")}
    for step, (target, held_out) in enumerate(points):
        for kind, value in (("target", target), ("held-out", held_out)):
            values = (step, kind, kind, value, "")
            for name, entry in zip(table, values, strict=True):
                table[name].append(entry)
    return table


def test_matched_score_is_read_where_the_target_is_first_reached() -> None:
    table = curve_rows([(0, 80), (80, 40), (100, 20), (70, 60)])
    assert m.held_out_at(80)(table) == pytest.approx(40)
    assert m.held_out_at(90)(table) == pytest.approx(30)
    assert m.target_at(90)(table) == 90
    assert m.trade_off(80, 90)(table) == pytest.approx(35)


def test_a_run_that_never_gets_there_is_read_at_its_best() -> None:
    table = curve_rows([(10, 80), (60, 50), (55, 70)])
    assert m.held_out_at(90)(table) == 50
    assert m.target_at(90)(table) == 60


def test_a_run_that_starts_there_is_read_at_its_start() -> None:
    assert m.held_out_at(90)(curve_rows([(95, 77), (99, 10)])) == 77


@given(st.lists(st.tuples(st.floats(0, 100), st.floats(0, 100)), min_size=1, max_size=6), st.floats(0, 100))
def test_the_matched_score_lies_on_the_curve(points: list[tuple[float, float]], level: float) -> None:
    table = curve_rows(points)
    held = [held_out for _, held_out in points]
    assert min(held) - 1e-9 <= m.held_out_at(level)(table) <= max(held) + 1e-9
    assert m.target_at(level)(table) <= max(level, points[0][0]) + 1e-9


def test_the_saturated_cosine_starts_with_nine_tenths_of_the_outputs() -> None:
    table = {"cosine": [1.0, 0.8, 0.2, 0.1], "share": [0.0, 50.0, 95.0, 80.0], "step": [0, 50, 100, 150]}
    assert m.SATURATED_COSINE(table) == pytest.approx(0.15)
    assert m.SATURATED_COSINE({**table, "share": [0.0] * 4}) == pytest.approx(0.1)
