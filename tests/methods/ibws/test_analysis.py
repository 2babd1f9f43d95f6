"""What is made of answers in files: intervals, reliability, rounds, workers."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy.stats import pearsonr, spearmanr

from harness.method import ProblemError
from methods.ibws import Answers, Iteration, bradley_terry, counting, iterated_bws, plackett_luce
from methods.ibws.analysis import (
    SCORERS,
    next_questions,
    replay,
    score_intervals,
    spearman_brown,
    split_half,
    worker_quality,
)
from methods.ibws.designs import Floats, Ints, balanced_design
from methods.ibws.listing import pair_rows, score_rows
from methods.ibws.sheets import Sheet

N = 12
VALUES = np.linspace(-1, 1, N)


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(0)


def judged(tuples: Ints, values: Floats, rng: np.random.Generator, noise: float = 1.0) -> Answers:
    heard = values[tuples] + noise * rng.normal(size=tuples.shape)
    rows = np.arange(len(tuples))
    return Answers(tuples, tuples[rows, heard.argmax(axis=1)], tuples[rows, heard.argmin(axis=1)])


def sheet_of(answers: list[Answers], workers: list[str] | None = None) -> Sheet:
    """A sheet of one round, about items named by their numbers."""
    width = max(part.tuples.shape[1] for part in answers)
    shown = [part.tuples for part in answers]
    tuples = np.concatenate(
        [np.pad(part, ((0, 0), (0, width - part.shape[1])), constant_values=-1) for part in shown]
    )
    return Sheet(
        tuple(f"i{item}" for item in range(int(tuples.max()) + 1)),
        tuples,
        np.concatenate([part.best for part in answers]),
        np.concatenate([part.worst for part in answers]),
        tuple(workers or [""] * len(tuples)),
        np.ones(len(tuples), dtype=np.intp),
        tuple(f"line {row}" for row in range(len(tuples))),
        0,
    )


def drawn(rng: np.random.Generator, appearances: int = 8, raters: int = 1) -> Sheet:
    tuples = np.repeat(balanced_design(N, 4, appearances, rng), raters, axis=0)
    return sheet_of([judged(tuples, VALUES, rng)])


def test_scores_are_those_of_the_library(rng: np.random.Generator) -> None:
    sheet = drawn(rng)
    scorers = {"counts": counting, "bradley-terry": bradley_terry, "plackett-luce": plackett_luce}
    for name, scorer in scorers.items():
        rows = score_rows(sheet, name, Iteration(), 0, draws=0, level=0.9)[1:]
        scores = scorer(N, sheet.answers())
        assert [row[0] for row in rows] == [f"i{item}" for item in np.argsort(-scores, kind="stable")]
        np.testing.assert_allclose([float(row[1]) for row in rows], np.sort(scores)[::-1], rtol=1e-5)
        assert all(row[2:4] == ("", "") for row in rows)


def test_counts_beside_scores_are_right(rng: np.random.Generator) -> None:
    sheet = drawn(rng)
    _, *rows = score_rows(sheet, "counts", Iteration(), 0, draws=0, level=0.9)
    for name, score, _, _, shown, best, worst in rows:
        item = int(name[1:])
        assert int(shown) == (sheet.tuples == item).sum()
        assert (int(best), int(worst)) == ((sheet.best == item).sum(), (sheet.worst == item).sum())
        assert float(score) == pytest.approx((int(best) - int(worst)) / int(shown), rel=1e-5)


def test_intervals_hold_the_expected_score_about_as_often_as_they_say() -> None:
    rng = np.random.default_rng(5)
    tuples = np.concatenate([balanced_design(N, 4, 8, rng) for _ in range(2000)])
    expected = counting(N, [judged(tuples, VALUES, rng)])
    held = []
    for _ in range(60):
        low, high = score_intervals(drawn(rng), counting, rng, draws=100, level=0.9)
        held.append(np.mean((low <= expected) & (expected <= high)))
    # A percentile bootstrap of 24 questions is somewhat too narrow; half an interval would hold .6.
    assert 0.8 < np.mean(held) < 0.95


def test_answers_to_one_question_stay_together(rng: np.random.Generator) -> None:
    """Copies of each answer tell nothing new, and must not make intervals narrower."""
    once = drawn(rng)
    copied = Answers(*(np.repeat(part, 9, axis=0) for part in (once.tuples, once.best, once.worst)))
    one, nine = (
        score_intervals(sheet, counting, np.random.default_rng(2), draws=300)
        for sheet in (once, sheet_of([copied]))
    )
    np.testing.assert_allclose(one, nine)


def test_an_item_without_answers_has_no_score(rng: np.random.Generator) -> None:
    sheet = drawn(rng)
    wider = replace(sheet, items=(*sheet.items, "new"))
    last = score_rows(wider, "counts", Iteration(), 0, draws=50, level=0.9)[-1]
    assert last == ("new", "", "", "", "0", "0", "0")


def test_a_level_that_is_no_share_is_refused(rng: np.random.Generator) -> None:
    with pytest.raises(ProblemError, match="The level is a share"):
        score_rows(drawn(rng), "counts", Iteration(), 0, draws=5, level=95)


def test_split_half_by_a_slow_obvious_way(rng: np.random.Generator) -> None:
    sheet = drawn(rng, raters=2)
    found = split_half(sheet, counting, np.random.default_rng(3), splits=300)
    questions = sheet.questions()
    slow = []
    for _ in range(300):
        halves: tuple[list[int], list[int]] = ([], [])
        for question in np.unique(questions):
            first, second = rng.permutation(np.flatnonzero(questions == question))
            halves[0].append(first)
            halves[1].append(second)
        scores = [counting(N, sheet.answers(half)) for half in halves]
        slow.append((spearmanr(*scores).statistic, pearsonr(*scores).statistic))
    assert found.spearman.mean() == pytest.approx(np.mean(slow, axis=0)[0], abs=0.02)
    assert found.pearson.mean() == pytest.approx(np.mean(slow, axis=0)[1], abs=0.02)
    assert (found.questions, found.single) == (len(np.unique(questions)), 0)


def test_questions_with_one_answer_are_left_out_of_halves(rng: np.random.Generator) -> None:
    twice, once = drawn(rng, raters=2), drawn(rng)
    assert split_half(sheet_of([*twice.answers(), *once.answers()]), counting, rng, splits=3).single > 0
    single = sheet_of([judged(np.array([[0, 1, 2], [3, 4, 5]]), VALUES, rng)])
    with pytest.raises(ProblemError, match="No question has two answers"):
        split_half(single, counting, rng)


def test_spearman_brown_doubles_the_length() -> None:
    assert spearman_brown(0.5) == pytest.approx(2 / 3)


def over_rounds(values: Floats, options: Iteration, noise: float) -> tuple[list[Answers], Floats]:
    """All answers and the last ranking, each round made from the answers so far."""
    rounds: list[Answers] = []
    numbers: list[int] = []
    state = replay(None, values.size, options, 7)
    while questions := next_questions(state, 7):
        new = [judged(part, values, np.random.default_rng(len(rounds)), noise) for part in questions]
        numbers += [1 + max(numbers, default=0)] * sum(len(part.tuples) for part in new)
        rounds += new
        state = replay(replace(sheet_of(rounds), rounds=np.array(numbers)), values.size, options, 7)
    return rounds, state.rankings[-1]


class Renewed:
    """A generator that begins anew where a round is designed and where it is cut, as over files."""

    def __init__(self, seed: int) -> None:
        self.seed, self.number, self.drawn = seed, 1, 0
        self.now = np.random.default_rng([seed, 1, 0])

    def random(self, size: int) -> Floats:
        """A round draws for each of two appearances, and once to cut."""
        if self.drawn == 2:
            self.now = np.random.default_rng([self.seed, self.number, 1])
        drawn = self.now.random(size)
        self.drawn += 1
        if self.drawn == 3:
            self.number, self.drawn = self.number + 1, 0
            self.now = np.random.default_rng([self.seed, self.number, 0])
        return drawn

    def permutation(self, size: int) -> Ints:
        return self.now.permutation(size)


@pytest.mark.parametrize("terminal", ["mini_tuple", "tie"])
@pytest.mark.parametrize("split", ["thirds", "sign"])
def test_rounds_in_files_go_as_iterated_bws_does(terminal: str, split: str) -> None:
    """The same questions, answers and ranking, if the order among equals is drawn alike."""
    options = Iteration(terminal=terminal, split=split)  # type: ignore[arg-type]
    rounds, ranking = over_rounds(np.random.default_rng(0).normal(size=40), options, noise=1.0)
    given = iter(rounds)

    def compare(tuples: Ints) -> Answers:
        """What was answered, if the same is asked."""
        found = next(given)
        np.testing.assert_array_equal(found.tuples, tuples)
        return found

    found = iterated_bws(40, compare, Renewed(7), options)  # type: ignore[arg-type]
    np.testing.assert_array_equal(ranking, found.estimate)


def test_a_perfect_crowd_is_ranked_right_over_rounds() -> None:
    values = np.random.default_rng(4).permutation(20).astype(float)
    _, ranking = over_rounds(values, Iteration(design="complete"), noise=0)
    np.testing.assert_array_equal(np.argsort(ranking), np.argsort(values))


def first_round() -> tuple[Sheet, Iteration]:
    options = Iteration()
    (tuples,) = next_questions(replay(None, N, options, 0), 0)
    return sheet_of([judged(tuples, VALUES, np.random.default_rng(0))]), options


def test_a_round_with_items_left_out_is_refused() -> None:
    sheet, options = first_round()
    less = sheet_of(sheet.answers(np.flatnonzero((sheet.tuples != 5).all(axis=1))))
    with pytest.raises(ProblemError, match=r"Round 1 has no answer about \d of its 12 items") as error:
        replay(less, N, options, 0)
    assert "i5" in str(error.value)


def test_a_tuple_over_two_buckets_is_refused_with_its_line() -> None:
    sheet, options = first_round()
    both = sheet_of([*sheet.answers(), Answers(np.array([[0, 11]]), np.array([11]), np.array([0]))])
    both = replace(both, rounds=np.array([1] * len(sheet.tuples) + [2]))
    with pytest.raises(ProblemError, match="different buckets before round 2") as error:
        replay(both, N, options, 0)
    assert both.places[-1] in str(error.value)


def test_a_missing_round_is_refused() -> None:
    sheet, options = first_round()
    with pytest.raises(ProblemError, match="Round 1 has no answers"):
        replay(replace(sheet, rounds=sheet.rounds + 1), N, options, 0)


def test_one_who_answers_at_random_agrees_least(rng: np.random.Generator) -> None:
    tuples = balanced_design(N, 4, 20, rng)
    careful = [judged(tuples, VALUES, rng, noise=0.3) for _ in range(3)]
    guess = judged(tuples, np.zeros(N), rng)
    workers = [name for name in ("a", "b", "c", "guess") for _ in range(len(tuples))]
    rows = worker_quality(sheet_of([*careful, guess], workers), counting)
    assert rows[0].worker == "guess"
    assert abs(rows[0].agreement - 0.5) < 3 * rows[0].chance
    assert min(row.agreement for row in rows[1:]) > 0.8


def test_workers_need_names(rng: np.random.Generator) -> None:
    with pytest.raises(ProblemError, match="who gave them"):
        worker_quality(drawn(rng), counting)


def test_crowd_kit_reads_the_pairs_and_ranks_alike(rng: np.random.Generator) -> None:
    aggregation = pytest.importorskip("crowdkit.aggregation")
    import pandas as pd

    sheet = sheet_of([judged(balanced_design(N, 4, 60, rng), VALUES, rng, noise=0.7)])
    header, *rows = pair_rows(sheet)
    theirs = aggregation.BradleyTerry(n_iter=200).fit_predict(pd.DataFrame(rows, columns=list(header)))
    ours = dict(zip(sheet.items, SCORERS["bradley-terry"](N, sheet.answers()), strict=True))
    assert spearmanr([ours[name] for name in theirs.index], theirs.to_numpy()).statistic > 0.99
