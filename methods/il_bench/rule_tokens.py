"""Phrases of a rule list as tokens of several words each, with what the input says beside each condition.

"x3 is not B", read beside an input in which x3 is C, is one token: the vectors of "is not", of the
value asked for and of its line, less that of the value given. "then foo" is another. Variables are
looked up here, and not by the network: one that trains in minutes would spend them on learning to.
Whether a condition holds, whether all of a line do, and which line comes first is the network's work.
Names are numbered in the order in which they are mentioned (the first value is value 0), so that any
name can be read, and other names for the same things give the same answer.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from harness.method import ProblemError
from methods.il_bench.asking import Request
from methods.il_bench.rules import Rule, parse_rules, read_values

LINES, VALUES, LABELS = 32, 8, 10
"""How many lines, and different names, a prompt may have."""
CONDITION, NEGATED, THEN, ASK = range(1, 5)
"""Kinds of tokens; 0 is no word."""
_VALUE = 5
_NOWHERE = _VALUE + VALUES
_LINE = _NOWHERE + 1
_LABEL = _LINE + LINES
WORDS = _LABEL + LABELS
"""Size of the vocabulary."""
FACTORS = 5
"""Words of a token: kind, value asked for, value given, line, label."""
SIGNS = (1.0, 1.0, -1.0, 1.0, 1.0)
"""A value that is given counts negatively, so that equal values cancel."""

Tokens = NDArray[np.int64]
"""Shape (T, FACTORS)."""


def condition_words(asked: Tokens, given: Tokens, negated: Tokens, line: Tokens) -> Tokens:
    """Tokens of conditions, from numbers of any one shape (…) to (…, FACTORS).

    Args:
        asked: The value that the condition names.
        given: The value of its variable in the input; −1 where the input has no such variable.
        negated: Whether the condition says "is not".
        line: Its line.
    """
    kind = np.where(negated, NEGATED, CONDITION)
    seen = np.where(given < 0, _NOWHERE, given + _VALUE)
    return _words(kind, asked + _VALUE, seen, line + _LINE, np.zeros_like(line))


def label_words(label: Tokens, line: Tokens) -> Tokens:
    """Tokens of what lines conclude."""
    nothing = np.zeros_like(line)
    return _words(np.full_like(line, THEN), nothing, nothing, line + _LINE, label + _LABEL)


def ask_word() -> Tokens:
    """The token at whose place the answer is read."""
    return np.array([[ASK, 0, 0, 0, 0]])


def _words(*columns: Tokens) -> Tokens:
    return np.stack(columns, axis=-1)


@dataclass(frozen=True)
class Prompt:
    """A prompt as the network sees it.

    Attributes:
        tokens: Shape (T, FACTORS); the last is :func:`ask_word`.
        labels: Names of the labels, by number.
    """

    tokens: Tokens
    labels: tuple[str, ...]


def encode_request(request: Request) -> Prompt:
    """Tokens of a request to follow an instruction.

    Raises:
        ProblemError: If there is more of something than the network knows, or the instruction shows
            examples, which it does not read.
    """
    if request.shows_examples:
        raise ProblemError(
            "A rule transformer reads rules, and the instruction shows examples",
            where="instruction",
            fix="Use in-context learning with another executor.",
        )
    tokens, places, names, values = _encoded_rules(request.instruction, request.labels)
    values = dict(values)
    assignment = read_values(request.text)
    given = [values.setdefault(assignment[name], len(values)) if name in assignment else -1 for name in names]
    _check_room(values, request.labels)
    tokens = tokens.copy()
    if names:
        tokens[places, 2] = np.where(np.array(given) < 0, _NOWHERE, np.array(given) + _VALUE)
    return Prompt(tokens, request.labels)


@lru_cache(maxsize=256)
def _encoded_rules(
    instruction: str, labels: tuple[str, ...]
) -> tuple[Tokens, list[int], list[str], Mapping[str, int]]:
    """Tokens of an instruction, beside no input yet.

    Returns:
        The tokens, the places of conditions among them with the variables that they name, and the numbers
        of the values.
    """
    rules = [rule for rule in parse_rules(instruction) if rule.label in labels]
    if len(rules) > LINES:
        raise _too_many(len(rules), LINES, "rules")
    values = _numbered(condition.value for rule in rules for condition in rule.conditions)
    _check_room(values, labels)
    lines = [_line(number, rule, values, labels) for number, rule in enumerate(rules)]
    tokens = np.concatenate([*lines, ask_word()])
    places = np.flatnonzero((tokens[:, 0] == CONDITION) | (tokens[:, 0] == NEGATED)).tolist()
    names = [condition.name for rule in rules for condition in rule.conditions]
    return tokens, places, names, values


def _line(number: int, rule: Rule, values: Mapping[str, int], labels: Sequence[str]) -> Tokens:
    rows = [(values[one.value], -1, one.negated, number) for one in rule.conditions]
    columns = np.array(rows, dtype=np.int64).reshape(-1, 4).T
    said = label_words(np.array([labels.index(rule.label)]), np.array([number]))
    return np.concatenate([condition_words(*columns), said])


def _numbered(names: Iterable[str]) -> dict[str, int]:
    return {name: number for number, name in enumerate(dict.fromkeys(names))}


def _check_room(values: Mapping[str, int], labels: Sequence[str]) -> None:
    for found, most, what in ((values, VALUES, "values"), (labels, LABELS, "labels")):
        if len(found) > most:
            raise _too_many(len(found), most, what)


def _too_many(found: int, most: int, what: str) -> ProblemError:
    return ProblemError(
        f"The prompt has {found} {what}, and a rule transformer reads {most} at most",
        where="prompt",
        fix="Write fewer rules over fewer names.",
    )
