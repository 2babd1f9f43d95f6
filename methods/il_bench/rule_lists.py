"""Random rule lists and assignments, many at a time: what rule transformers learn from.

Shapes: G lists, R assignments under each, N lines, C conditions of a line, V variables.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from methods.il_bench.rule_tokens import (
    FACTORS,
    LABELS,
    VALUES,
    VARIABLES,
    Tokens,
    ask_word,
    condition_words,
    input_words,
    label_words,
)

Bools = NDArray[np.bool_]
Integers = NDArray[np.int64]
CONDITIONS = (0.45, 0.4, 0.15)
"""Shares of lines with one, two and three conditions in lists whose lines may all apply."""
_DEEPEST = 9


@dataclass(frozen=True)
class Sizes:
    """What the lists of one draw have in common.

    Attributes:
        lists: G.
        each: R.
        lines: N; the last line has no conditions.
        variables: V.
        values: Different values.
        labels: Different labels.
    """

    lists: int
    each: int
    lines: int
    variables: int
    values: int
    labels: int


@dataclass(frozen=True)
class Lists:
    """Rule lists as numbers.

    Attributes:
        variable: Of each condition, shape (G, N, C).
        value: Of each condition, shape (G, N, C).
        negated: Whether it says "is not", shape (G, N, C).
        real: Whether there is such a condition, shape (G, N, C).
        label: What each line says, shape (G, N).
    """

    variable: Integers
    value: Integers
    negated: Bools
    real: Bools
    label: Integers


@dataclass(frozen=True)
class Lesson:
    """Prompts with their answers.

    Attributes:
        tokens: Shape (G·R, T, FACTORS), padded with zeros at the front.
        label: Number of the right label, shape (G·R,).
        truth: Whether a condition holds or a line decides, −1 for other tokens, shape (G·R, T).
    """

    tokens: Tokens
    label: Integers
    truth: Integers


def draw_sizes(tokens: int, each: int, lines: int, variables: int, rng: np.random.Generator) -> Sizes:
    """Sizes of one draw: any number of lines, but short lists more often than long ones.

    Args:
        tokens: Of all prompts together, roughly: there are fewer lists if they are long.
        each: R.
        lines: Most lines.
        variables: Most variables; one draw in four has more than ten.
        rng: Draws.
    """
    few = min(10, variables)
    most = variables if rng.random() < 0.25 else few
    chosen = int(np.exp(rng.uniform(0, np.log(lines + 1))))
    inputs = int(rng.integers(min(3, most), most + 1))
    # A line has about three conditions and what it concludes.
    length = 4 * chosen + inputs
    return Sizes(
        lists=max(1, tokens // (each * length)),
        each=each,
        lines=chosen,
        variables=inputs,
        values=int(rng.integers(2, 5)),
        labels=int(rng.integers(2, 6)),
    )


def overlapping_lists(sizes: Sizes, rng: np.random.Generator) -> Lists:
    """Lists in which several lines may apply, so that their order matters."""
    shape = (sizes.lists, sizes.lines, len(CONDITIONS))
    most = min(sizes.variables, shape[2])
    order = rng.random((*shape[:2], sizes.variables)).argsort(axis=-1)[..., :most]
    variable = np.zeros(shape, dtype=np.int64)
    variable[..., :most] = order
    count = np.minimum(rng.choice(len(CONDITIONS), size=shape[:2], p=CONDITIONS) + 1, most)
    real = np.arange(shape[2]) < count[..., None]
    real[:, -1] = False
    return Lists(
        variable=variable,
        value=rng.integers(sizes.values, size=shape),
        negated=rng.random(shape) < 0.3,
        real=real,
        label=rng.integers(sizes.labels, size=shape[:2]),
    )


def tree_lists(sizes: Sizes, rng: np.random.Generator) -> Lists:
    """The paths of random trees, the widest last and without conditions: what learners write."""
    paths = [_paths(sizes, rng) for _ in range(sizes.lists)]
    longest = max(1, *(len(path) for tree in paths for path in tree))
    found = np.zeros((sizes.lists, sizes.lines, longest, 4), dtype=np.int64)
    for number, tree in enumerate(paths):
        for line, path in enumerate(tree[:-1]):
            # Trees may have fewer leaves than lines; lines without conditions would end the list.
            found[number, line, : len(path)] = [(*condition, 1) for condition in path]
    lines = np.array([len(tree) for tree in paths])
    return _shortened(found, lines, rng.integers(sizes.labels, size=found.shape[:2]))


def _shortened(found: Integers, lines: Integers, label: Integers) -> Lists:
    """Lists of fewer lines than the longest repeat their last line, which changes nothing."""
    place = np.minimum(np.arange(found.shape[1]), lines[:, None] - 1)
    rows = np.arange(len(found))[:, None]
    return Lists(
        variable=found[..., 0],
        value=found[..., 1],
        negated=found[..., 2].astype(bool),
        real=found[..., 3].astype(bool),
        label=label[rows, place],
    )


def _paths(sizes: Sizes, rng: np.random.Generator) -> list[list[tuple[int, int, int]]]:
    """Leaves of a tree of tests "variable is value" as (variable, value, negated), the widest last."""
    whole = (1 << sizes.values) - 1
    leaves: list[tuple[float, list[tuple[int, int, int]], dict[int, int]]] = [(1.0, [], {})]
    draws = rng.random((4 * sizes.lines, 3)).tolist()
    for chance, which, what in draws:
        if len(leaves) == sizes.lines:
            break
        # Wide leaves are split first, mostly, as a learner splits leaves with many examples.
        place = (
            max(range(len(leaves)), key=lambda i: leaves[i][0]) if chance < 0.6 else int(which * len(leaves))
        )
        share, path, allowed = leaves[place]
        variable, value = divmod(int(what * sizes.variables * sizes.values), sizes.values)
        open_values = allowed.get(variable, whole)
        if not open_values >> value & 1 or open_values == 1 << value or len(path) >= _DEEPEST:
            continue
        inside = share / open_values.bit_count()
        lacking = {**allowed, variable: open_values & ~(1 << value)}
        having = {**allowed, variable: 1 << value}
        leaves[place] = (share - inside, [*path, (variable, value, 1)], lacking)
        leaves.append((inside, [*path, (variable, value, 0)], having))
    return [path for _, path, _ in sorted(leaves, key=lambda leaf: leaf[0])]


def draw_inputs(lists: Lists, sizes: Sizes, rng: np.random.Generator) -> Integers:
    """Assignments, shape (G, R, V): uniform, but half of them bent to meet a random line."""
    shape = (sizes.lists, sizes.each)
    found = rng.integers(sizes.values, size=(*shape, sizes.variables))
    bent = rng.random(shape) < 0.5
    line = rng.integers(sizes.lines, size=shape)
    rows, columns = np.arange(shape[0])[:, None], np.arange(shape[1])[None]
    for place in range(lists.real.shape[2]):
        variable, value = lists.variable[rows, line, place], lists.value[rows, line, place]
        negated, now = lists.negated[rows, line, place], found[rows, columns, variable]
        met = np.where(negated, np.where(now == value, (value + 1) % sizes.values, now), value)
        found[rows, columns, variable] = np.where(bent & lists.real[rows, line, place], met, now)
    return found


def decide(lists: Lists, inputs: Integers) -> tuple[Bools, Integers]:
    """Which conditions hold, shape (G, R, N, C), and which line decides, shape (G, R)."""
    rows = np.arange(len(inputs))[:, None, None, None]
    seen = inputs[rows, np.arange(inputs.shape[1])[None, :, None, None], lists.variable[:, None]]
    holds = (seen == lists.value[:, None]) != lists.negated[:, None]
    applies = (holds | ~lists.real[:, None]).all(axis=-1)
    return holds, applies.argmax(axis=-1)


def lesson(lists: Lists, inputs: Integers, rng: np.random.Generator) -> Lesson:
    """Prompts with random names for everything.

    Args:
        lists: Rules.
        inputs: Assignments, shape (G, R, V).
        rng: Draws the names.
    """
    groups, each, variables = inputs.shape
    names = [_names(groups, most, rng) for most in (VARIABLES, VALUES, LABELS)]
    holds, deciding = decide(lists, inputs)
    body, truth = _body(lists, names, holds, deciding)
    rows = np.arange(groups)[:, None, None]
    shown = input_words(np.broadcast_to(names[0][:, None, :variables], inputs.shape), names[1][rows, inputs])
    body = np.repeat(body[:, None], each, axis=1)
    ask = np.broadcast_to(ask_word(), (groups, each, 1, FACTORS))
    tokens = np.concatenate([body, shown, ask], axis=2).reshape(groups * each, -1, FACTORS)
    silent = np.full((groups, each, variables + 1), -1, dtype=np.int64)
    whole = np.concatenate([truth, silent], axis=2).reshape(groups * each, -1)
    said = np.take_along_axis(names[2][np.arange(groups)[:, None], lists.label], deciding, axis=1)
    return Lesson(tokens, said.reshape(-1), whole)


def _body(lists: Lists, names: list[Integers], holds: Bools, deciding: Integers) -> tuple[Tokens, Integers]:
    """Tokens of the rules, shape (G, S, FACTORS), padded at the front, and their truth, (G, R, S)."""
    groups, lines = lists.label.shape
    rows = np.arange(groups)[:, None, None]
    number = np.broadcast_to(np.arange(lines)[None, :, None], lists.variable.shape)
    asked = condition_words(
        names[0][rows, lists.variable], names[1][rows, lists.value], lists.negated, number
    )
    said = label_words(names[2][rows[..., 0], lists.label], number[..., 0])
    tokens = np.concatenate([asked, said[:, :, None]], axis=2).reshape(groups, -1, FACTORS)
    decides = deciding[..., None] == np.arange(lines)
    truth = np.concatenate([holds, decides[..., None]], axis=3).reshape(groups, holds.shape[1], -1)
    real = np.concatenate([lists.real, np.ones((groups, lines, 1), dtype=bool)], axis=2).reshape(groups, -1)
    order = real.argsort(axis=1, kind="stable")[:, -int(real.sum(axis=1).max()) :]
    kept = np.take_along_axis(real, order, axis=1)
    tokens = np.take_along_axis(tokens, order[..., None], axis=1) * kept[..., None]
    truth = np.take_along_axis(
        truth, np.broadcast_to(order[:, None], (*truth.shape[:2], order.shape[1])), axis=2
    )
    return tokens, np.where(kept[:, None], truth, -1).astype(np.int64)


def _names(groups: int, most: int, rng: np.random.Generator) -> Integers:
    """For each list another order of the names, shape (G, most)."""
    return rng.random((groups, most)).argsort(axis=1)
