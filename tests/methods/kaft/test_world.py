"""The generated world."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from methods.kaft.questions import check_support
from methods.kaft.words import TAGS
from methods.kaft.world import Rules, World

RULES = Rules(subjects=20, novel=4, relations=3, objects=6, known=0.5)
WORLD = World.draw(RULES, np.random.default_rng(0))


def facts_of(text: str) -> list[tuple[str, str, str]]:
    words = text.split()
    return [(words[i], words[i + 1], words[i + 2]) for i in range(0, len(words), 3)]


@given(st.integers(0, 1000), st.integers(0, 19), st.integers(0, 2))
def test_contexts_hold_what_their_kind_says(seed: int, subject: int, relation: int) -> None:
    question = WORLD.question(subject, relation, np.random.default_rng(seed))
    check_support([question])
    entity, kind = question.subject, question.relation
    about = {
        name: [value for s, r, value in facts_of(getattr(question, name)) if (s, r) == (entity, kind)]
        for name in ("relevant", "counterfactual", "hard", "easy")
    }
    assert about == {"relevant": [question.answer], "counterfactual": [question.fake], "hard": [], "easy": []}
    hard = facts_of(question.hard)
    assert len(hard) == 3
    assert any(r == kind and value == question.distractor for _, r, value in hard)
    assert any(s == entity and r != kind for s, r, _ in hard)
    assert len({question.answer, question.fake, question.distractor}) == 3


NUMBERS = {WORLD.entity(number): number for number in range(24)}


def halves(prompt: str) -> tuple[str, str]:
    """The question without its sign, and the context."""
    words = prompt.split()
    assert words[-3] == "?"
    return " ".join(words[-2:]), " ".join(words[:-3])


def is_known(subject: str, relation: str) -> bool:
    number = NUMBERS[subject]
    return number < RULES.subjects and bool(WORLD.known[number, int(relation[1:])])


def test_pretraining_states_known_facts_only_without_a_context() -> None:
    seen = set()
    novel = 0
    for prompt, answer in WORLD.pretraining(3000, np.random.default_rng(1)):
        question, context = halves(prompt)
        subject, relation = question.split()
        novel += NUMBERS[subject] >= RULES.subjects
        if context:
            assert (subject, relation, answer) in facts_of(context)
            assert sum((s, r) == (subject, relation) for s, r, _ in facts_of(context)) == 1
        else:
            seen.add((NUMBERS[subject], int(relation[1:])))
            assert answer == f"o{relation[1:]}x{WORLD.facts[NUMBERS[subject], int(relation[1:])]}"
    assert seen == {tuple(pair) for pair in np.argwhere(WORLD.known).tolist()}
    assert novel > 300


def test_known_facts_are_told_as_they_are_and_others_change() -> None:
    told: dict[tuple[str, str], set[str]] = {}
    for prompt, _ in WORLD.pretraining(20_000, np.random.default_rng(2)):
        _, context = halves(prompt)
        for subject, relation, value in facts_of(context):
            told.setdefault((subject, relation), set()).add(value)
    assert len(told) > 20 * 3
    assert all((len(values) == 1) == is_known(*key) for key, values in told.items())


def test_every_word_is_one_token_and_tags_survive() -> None:
    words = WORLD.tokenizer()
    question = WORLD.question(3, 1, np.random.default_rng(0))
    text = f"{question.relevant} {question.text} {question.answer} {TAGS[0]}"
    ids = words(text, add_special_tokens=False)["input_ids"]
    assert len(ids) == len(text.split())
    assert words.pad_token_id not in ids
    assert words.decode(ids) == text


def test_draws_share_the_question_and_differ_in_context() -> None:
    questions = WORLD.questions([4], np.random.default_rng(0), draws=3)
    assert len(questions) == 9
    assert len({q.id for q in questions}) == 9
    assert len({q.text for q in questions}) == 3
    assert len({q.relevant for q in questions}) == 9


def test_no_two_entities_share_a_name() -> None:
    assert len(NUMBERS) == RULES.subjects + RULES.novel
