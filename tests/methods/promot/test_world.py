"""The formal language: answers are right, targets are new, in-context tasks need their examples."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from methods.promot import world as w
from methods.promot.formats import TARGETS, text_of

X, Q, MAPPING = (3, 0, 7, 3), 7, tuple(range(11, -1, -1))


@pytest.mark.parametrize(
    ("task", "answer"),
    [
        (w.COPY, "s3 s0 s7 s3"),
        (w.REVERSE, "s3 s7 s0 s3"),
        (w.SORT, "s0 s3 s3 s7"),
        (w.MAXIMUM, "s7"),
        (w.FIRST_TWO, "s3 s0"),
        (w.ENDS, "s3 s3"),
        (w.RENAMING, "t8"),
        (w.GLOSS, "t8 t11"),
        (w.ENTAILMENT, "true"),
        (w.TRANSLATION, " ".join(f"t{w.DICTIONARY[i]}" for i in (3, 7, 0, 3))),
    ],
)
def test_answers(task: w.Format, answer: str) -> None:
    made = w.segment(task, X, Q, MAPPING)
    assert text_of(made.answer) == f"{answer} stop"
    assert len(made.answer) <= w.ANSWER
    assert made.prompt[-1] == w.EQUALS


def test_half_of_the_entailments_are_true() -> None:
    rng = np.random.default_rng(0)
    answers = [w.episode(w.ENTAILMENT, 1, rng)[0].answer[0] for _ in range(2000)]
    assert set(answers) == {w.TRUE, w.FALSE}
    assert 0.45 < np.mean([a == w.TRUE for a in answers]) < 0.62


def test_pretraining_never_shows_the_targets() -> None:
    rng = np.random.default_rng(0)
    seen = {
        token
        for _ in range(400)
        for part in w.pretraining_episode(66, rng)
        for token in (*part.prompt, *part.answer)
    }
    assert not seen & {w.TRUE, w.FALSE, w.PAD}
    assert not seen & {w.FIRST_TAG + task.tag for task, _ in TARGETS.values()}
    assert {w.FIRST_TAG + task.tag for task in w.HELD_OUT.values()} <= seen


@settings(max_examples=40)
@given(st.integers(0, 10_000), st.sampled_from(w.GLOSSING), st.integers(1, 5))
def test_the_last_answer_of_a_glossing_episode_can_be_read_off(seed: int, task: w.Format, shots: int) -> None:
    *shown, query = w.episode(task, shots + 1, np.random.default_rng(seed))
    known = {
        symbol: image
        for part in shown
        for symbol, image in zip(part.prompt[1:-1], part.answer[:-1], strict=True)
    }
    assert query.known
    assert [known[symbol] for symbol in query.prompt[1:-1]] == list(query.answer[:-1])
    assert not shown[0].known


@given(st.integers(0, 1000))
def test_only_demonstrations_tell_hidden_tasks_apart(seed: int) -> None:
    first = w.episode(w.hidden(w.FIRST_TWO), 2, np.random.default_rng(seed))
    ends = w.episode(w.hidden(w.ENDS), 2, np.random.default_rng(seed))
    assert [part.prompt for part in first] == [part.prompt for part in ends]


def test_episodes_fill_their_length() -> None:
    rng = np.random.default_rng(0)
    lengths = [sum(len(p.prompt) + len(p.answer) for p in w.pretraining_episode(66, rng)) for _ in range(200)]
    assert max(lengths) <= 66
    assert min(lengths) > 40


def test_at_least_eight_formats_are_held_out() -> None:
    assert len(w.HELD_OUT) >= 8


@given(st.integers(0, 10_000))
def test_inputs_are_what_choice_draws(seed: int) -> None:
    found = w.episode(w.COPY, 3, np.random.default_rng(seed))
    rng = np.random.default_rng(seed)
    rng.permutation(w.SYMBOLS)
    for part in found:
        x = rng.choice(range(w.SYMBOLS), size=w.WORDS).tolist()
        assert part.prompt[1 : 1 + w.WORDS] == tuple(w.SOURCE + symbol for symbol in x)
        rng.integers(w.SYMBOLS)
