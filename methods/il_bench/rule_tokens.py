"""Phrases of a rule list and of an input as tokens of several words each.

"x3 is not B" is one token, the sum of the vectors of its words, and so are "then foo" with its line's
number and "x3 = C" of the input. Names mean nothing to the network: the first variable that is mentioned
is variable 0, and so on, so that every name of every template can be read, and other names for the
same things give the same answer.
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

LINES, VARIABLES, VALUES, LABELS = 32, 32, 16, 10
"""How many lines, and different names, a prompt may have."""
CONDITION, NEGATED, THEN, INPUT, ASK = range(1, 6)
"""Kinds of tokens; 0 is no word."""
_VARIABLE = 6
_VALUE = _VARIABLE + VARIABLES
_LINE = _VALUE + VALUES
_LABEL = _LINE + LINES
WORDS = _LABEL + LABELS
"""Size of the vocabulary."""
FACTORS = 5
"""Words of a token: kind, variable, value, line, label."""

Tokens = NDArray[np.int64]
"""Shape (T, FACTORS)."""


def condition_words(variable: Tokens, value: Tokens, negated: Tokens, line: Tokens) -> Tokens:
    """Tokens of conditions, from numbers of any one shape (…) to (…, FACTORS)."""
    kind = np.where(negated, NEGATED, CONDITION)
    return _words(kind, variable + _VARIABLE, value + _VALUE, line + _LINE, np.zeros_like(line))


def label_words(label: Tokens, line: Tokens) -> Tokens:
    """Tokens of what lines conclude."""
    nothing = np.zeros_like(line)
    return _words(np.full_like(line, THEN), nothing, nothing, line + _LINE, label + _LABEL)


def input_words(variable: Tokens, value: Tokens) -> Tokens:
    """Tokens of an assignment."""
    nothing = np.zeros_like(value)
    return _words(np.full_like(value, INPUT), variable + _VARIABLE, value + _VALUE, nothing, nothing)


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
    body, variables, values = _encoded_rules(request.instruction, request.labels)
    variables, values = dict(variables), dict(values)
    assignment = read_values(request.text)
    pairs = [
        (variables.setdefault(name, len(variables)), values.setdefault(value, len(values)))
        for name, value in assignment.items()
    ]
    _check_room(variables, values, request.labels)
    numbers = np.array(pairs, dtype=np.int64).reshape(-1, 2)
    parts = (body, input_words(numbers[:, 0], numbers[:, 1]), ask_word())
    return Prompt(np.concatenate(parts), request.labels)


@lru_cache(maxsize=256)
def _encoded_rules(
    instruction: str, labels: tuple[str, ...]
) -> tuple[Tokens, Mapping[str, int], Mapping[str, int]]:
    """Tokens of the rules of an instruction, and the numbers of their variables and values."""
    rules = [rule for rule in parse_rules(instruction) if rule.label in labels]
    if len(rules) > LINES:
        raise _too_many(len(rules), LINES, "rules")
    variables = _numbered(condition.name for rule in rules for condition in rule.conditions)
    values = _numbered(condition.value for rule in rules for condition in rule.conditions)
    _check_room(variables, values, labels)
    tokens = [_line(number, rule, variables, values, labels) for number, rule in enumerate(rules)]
    return np.concatenate([np.zeros((0, FACTORS), dtype=np.int64), *tokens]), variables, values


def _line(
    number: int, rule: Rule, variables: Mapping[str, int], values: Mapping[str, int], labels: Sequence[str]
) -> Tokens:
    rows = [(variables[one.name], values[one.value], one.negated, number) for one in rule.conditions]
    columns = np.array(rows, dtype=np.int64).reshape(-1, 4).T
    said = label_words(np.array([labels.index(rule.label)]), np.array([number]))
    return np.concatenate([condition_words(*columns), said])


def _numbered(names: Iterable[str]) -> dict[str, int]:
    return {name: number for number, name in enumerate(dict.fromkeys(names))}


def _check_room(variables: Mapping[str, int], values: Mapping[str, int], labels: Sequence[str]) -> None:
    for found, most, what in (
        (variables, VARIABLES, "variables"),
        (values, VALUES, "values"),
        (labels, LABELS, "labels"),
    ):
        if len(found) > most:
            raise _too_many(len(found), most, what)


def _too_many(found: int, most: int, what: str) -> ProblemError:
    return ProblemError(
        f"The prompt has {found} {what}, and a rule transformer reads {most} at most",
        where="prompt",
        fix="Write fewer rules over fewer names.",
    )
