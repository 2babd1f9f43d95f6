"""Decisions without a closed form, against brute force."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from harness.method import ProblemError
from methods.metric_aware.gfm import best_f1_set, hamming_set, instance_f1, joint_counts, top_labels
from methods.metric_aware.mbr import best_candidate, expected_utilities, rouge_l, token_f1

TEXTS = ["new york city", "new york", "york city usa", "london"]
WEIGHTS = [0.30, 0.25, 0.10, 0.35]
Marks = NDArray[np.bool_]


def test_golden_token_f1() -> None:
    found = expected_utilities(TEXTS, TEXTS, token_f1, weights=WEIGHTS)
    assert found == pytest.approx([0.566667, 0.53, 0.40, 0.35], abs=1e-6)
    assert best_candidate(TEXTS, token_f1, weights=WEIGHTS) == "new york city"


def test_articles_case_and_punctuation_do_not_count() -> None:
    assert token_f1("The City!", "city") == 1.0
    assert token_f1("", "") == 1.0
    assert token_f1("", "city") == 0.0


def test_rouge_takes_order_into_account() -> None:
    assert rouge_l("new york city", "new york city") == 1.0
    assert rouge_l("city york new", "new york city") < 0.5


def test_ties_go_to_the_more_probable() -> None:
    samples = ["a b", "c d"]
    assert best_candidate(samples, token_f1) == "a b"
    assert best_candidate(samples, token_f1, log_probabilities=[-2.0, -1.0]) == "c d"


def test_a_sample_is_no_evidence_for_itself() -> None:
    texts = ["x y", "c", "x z", "c"]

    def counted(candidate: str, truth: str) -> float:
        # Agreement with itself is worth more than anything: a sample that counted itself would win by it.
        return 9.0 if candidate == truth == "x y" else token_f1(candidate, truth)

    assert best_candidate(texts, counted) == "c"
    without = expected_utilities(["c", "x y"], texts, token_f1, exclude_self=True)
    assert without == pytest.approx([1 / 3, 1 / 6])
    assert expected_utilities(["c", "x y"], texts, token_f1) == pytest.approx([1 / 2, 3 / 8])
    assert best_candidate(["x"], token_f1) == "x"


def test_probabilities_weigh_all_texts() -> None:
    texts, weights = ["x b", "x c", "d"], [0.1, 0.3, 0.6]
    assert best_candidate(texts, token_f1, weights=weights) == "d"


def test_without_itself_a_candidate_has_one_sample_less() -> None:
    samples = ["a", "a", "b"]
    assert expected_utilities(["a", "b"], samples, token_f1, exclude_self=True) == pytest.approx([0.5, 0.0])
    with pytest.raises(ProblemError, match="samples"):
        expected_utilities(["a"], [], token_f1)


def sets(labels: int) -> Marks:
    return np.array(list(product([False, True], repeat=labels)))


def brute_force(samples: Marks) -> tuple[Marks, float]:
    best = max(
        sets(samples.shape[1]), key=lambda decision: np.mean([instance_f1(row, decision) for row in samples])
    )
    return best, float(np.mean([instance_f1(row, best) for row in samples]))


def test_golden_set() -> None:
    weights = {"110": 30, "101": 20, "001": 15, "000": 10, "111": 25}
    samples = np.array([[c == "1" for c in text] for text, count in weights.items() for _ in range(count)])
    chosen, values = best_f1_set(*joint_counts(samples))
    assert values == pytest.approx([0.10, 0.458333, 0.65, 0.725], abs=1e-6)
    assert chosen.all()
    assert np.mean([instance_f1(row, np.array([True, True, False])) for row in samples]) == pytest.approx(
        0.60
    )


@given(st.lists(st.integers(0, 15), min_size=1, max_size=12))
def test_the_set_is_the_best_of_all_sets(numbers: list[int]) -> None:
    samples = sets(4)[numbers]
    chosen, values = best_f1_set(*joint_counts(samples))
    _, best = brute_force(samples)
    assert values.max() == pytest.approx(best)
    assert np.mean([instance_f1(row, chosen) for row in samples]) == pytest.approx(best)


@given(st.lists(st.integers(0, 15), min_size=1, max_size=12))
def test_thresholds_and_top_labels_are_best_for_their_metrics(numbers: list[int]) -> None:
    samples = sets(4)[numbers]
    marginals = samples.mean(axis=0)
    hamming = min(np.mean(samples != decision) for decision in sets(4))
    assert np.mean(samples != hamming_set(marginals)) == pytest.approx(hamming)
    pairs = [decision for decision in sets(4) if decision.sum() == 2]
    precision = max(float((samples & decision).sum(axis=1).mean()) for decision in pairs)
    assert (samples & top_labels(marginals, 2)).sum(axis=1).mean() == pytest.approx(precision)
