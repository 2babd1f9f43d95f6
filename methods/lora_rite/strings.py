"""Functions of strings: a small world in which a language model is pretrained and adapted.

Letters are numbers below :data:`LETTERS`. An example reads ``<s> f x₁ … x_k =`` and continues with
the answer and an end token. Ten functions are learnt in pretraining; adaptation is to another one
under a token that was not used before, or to one that is known already.
"""

from __future__ import annotations

from collections.abc import Callable, Container
from typing import TypeAlias

import numpy as np

from methods.common.examples import Example

Letters: TypeAlias = list[int]
Function: TypeAlias = Callable[[Letters], Letters]

LETTERS = 20
BEGIN, END, EQUALS, YES, NO = range(5)
FIRST_LETTER = 5
FIRST_FUNCTION = FIRST_LETTER + LETTERS
LENGTHS = (5, 6, 7)
"""Letters of a string."""


def _copy(x: Letters) -> Letters:
    return x


def _reverse(x: Letters) -> Letters:
    return x[::-1]


def _shift(x: Letters) -> Letters:
    return [(v + 1) % LETTERS for v in x]


def _rotate(x: Letters) -> Letters:
    return [*x[1:], x[0]]


def _largest(x: Letters) -> Letters:
    return [max(x)]


def _middle(x: Letters) -> Letters:
    return [x[len(x) // 2]]


def _sort_shift(x: Letters) -> Letters:
    return [(v + 1) % LETTERS for v in sorted(x)]


def _said(value: bool) -> Letters:  # noqa: FBT001
    # :func:`string_examples` adds FIRST_LETTER to every value of an answer.
    return [(YES if value else NO) - FIRST_LETTER]


def _rises(x: Letters) -> Letters:
    return _said(x[0] < x[-1])


def _has_late(x: Letters) -> Letters:
    return _said(max(x) >= LETTERS - 4)


def _repeats(x: Letters) -> Letters:
    return _said(len(set(x)) < len(x))


def _mostly_late(x: Letters) -> Letters:
    return _said(2 * sum(v >= LETTERS // 2 for v in x) > len(x))


PRETRAINED: dict[str, Function] = {
    "copy": _copy,
    "reverse": _reverse,
    "sort": sorted,
    "shift": _shift,
    "rotate": _rotate,
    "largest": _largest,
    "middle": _middle,
    "rises": _rises,
    "has-late": _has_late,
    "repeats": _repeats,
}
"""What is learnt in pretraining; the last three are questions."""

NEW: dict[str, Function] = {"sort-shift": _sort_shift, "mostly-late": _mostly_late}
"""What is new in adaptation: an answer to generate, and a question."""

FUNCTIONS = {**PRETRAINED, **NEW}
QUESTIONS = ("rises", "has-late", "repeats", "mostly-late")
"""Functions that answer yes or no."""
ANSWERS = ((YES, END), (NO, END))
"""The options of a question."""
VOCABULARY = FIRST_FUNCTION + len(FUNCTIONS)
LONGEST = 3 + 2 * max(LENGTHS) + 1
"""Tokens of the longest example."""


def string_examples(
    names: tuple[str, ...], count: int, rng: np.random.Generator, *, without: Container[tuple[int, ...]] = ()
) -> list[Example]:
    """Random examples of some functions.

    Args:
        names: Functions; each example draws one.
        count: Examples.
        rng: Draws functions, lengths and letters.
        without: Prompts that must not occur, those of another split.
    """
    tokens = {name: FIRST_FUNCTION + number for number, name in enumerate(FUNCTIONS)}
    made: list[Example] = []
    while len(made) < count:
        name = names[int(rng.integers(len(names)))]
        letters: Letters = rng.integers(LETTERS, size=int(rng.choice(LENGTHS))).tolist()
        prompt = (BEGIN, tokens[name], *(FIRST_LETTER + v for v in letters), EQUALS)
        if prompt not in without:
            answer = tuple(FIRST_LETTER + v for v in FUNCTIONS[name](letters))
            made.append(Example(f"{name}-{len(made)}", prompt, (*answer, END)))
    return made
