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
    Tokens,
    ask_word,
    condition_words,
    label_words,
)

Bools = NDArray[np.bool_]
Integers = NDArray[np.int64]
CONDITIONS = (0.45, 0.4, 0.15)
"""Shares of lines with one, two and three conditions in lists whose lines may all apply."""
_DEEPEST = 9
_UNSAID = 0.02


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
        variables: Most variables.
        rng: Draws.
    """
    chosen = int(np.exp(rng.uniform(0, np.log(lines + 1))))
    # A line has about three conditions and what it concludes.
    return Sizes(
        lists=max(1, tokens // (each * 4 * chosen)),
        each=each,
        lines=chosen,
        variables=int(rng.integers(min(3, variables), variables + 1)),
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
    """Assignments, shape (G, R, V): uniform, but half of them changed so that a random line applies.

    One value in fifty is −1: the input does not say.
    """
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
    return np.where(rng.random(found.shape) < _UNSAID, -1, found)


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
    groups, each, _ = inputs.shape
    values, labels = (_names(groups, most, rng) for most in (VALUES, LABELS))
    holds, deciding = decide(lists, inputs)
    rows = np.arange(groups)[:, None, None, None]
    seen = inputs[rows, np.arange(each)[None, :, None, None], lists.variable[:, None]]
    number = np.broadcast_to(np.arange(lists.label.shape[1])[:, None], seen.shape)
    asked = condition_words(
        np.broadcast_to(values[rows[..., 0], lists.value][:, None], seen.shape),
        np.where(seen < 0, -1, values[rows, seen]),
        np.broadcast_to(lists.negated[:, None], seen.shape),
        number,
    )
    named = labels[rows[..., 0, 0], lists.label]
    said = label_words(np.broadcast_to(named[:, None], seen.shape[:3]), number[..., 0])
    tokens, truth = _packed(lists.real, asked, said, holds, deciding)
    ask = np.broadcast_to(ask_word(), (groups, each, 1, FACTORS))
    tokens = np.concatenate([tokens, ask], axis=2).reshape(groups * each, -1, FACTORS)
    truth = np.concatenate([truth, np.full((groups, each, 1), -1)], axis=2)
    answer = np.take_along_axis(named, deciding, axis=1)
    return Lesson(tokens, answer.reshape(-1), truth.reshape(groups * each, -1))


def _packed(
    real: Bools, asked: Tokens, said: Tokens, holds: Bools, deciding: Integers
) -> tuple[Tokens, Integers]:
    """Tokens without those that are not real, padded at the front, and their truth.

    Args:
        real: Whether there is such a condition, shape (G, N, C).
        asked: Tokens of conditions, shape (G, R, N, C, FACTORS).
        said: Tokens of conclusions, shape (G, R, N, FACTORS).
        holds: Whether conditions hold, shape (G, R, N, C).
        deciding: Which line decides, shape (G, R).

    Returns:
        Shapes (G, R, S, FACTORS) and (G, R, S), with −1 at padding.
    """
    groups, each, lines = holds.shape[:3]
    tokens = np.concatenate([asked, said[:, :, :, None]], axis=3).reshape(groups, each, -1, FACTORS)
    decides = deciding[..., None] == np.arange(lines)
    truth = np.concatenate([holds, decides[..., None]], axis=3).reshape(groups, each, -1).astype(np.int64)
    there = np.concatenate([real, np.ones((groups, lines, 1), dtype=bool)], axis=2).reshape(groups, -1)
    order = there.argsort(axis=1, kind="stable")[:, -int(there.sum(axis=1).max()) :]
    kept = np.take_along_axis(there, order, axis=1)[:, None]
    tokens = np.take_along_axis(tokens, order[:, None, :, None], axis=2) * kept[..., None]
    return tokens, np.where(kept, np.take_along_axis(truth, order[:, None], axis=2), -1)


def _names(groups: int, most: int, rng: np.random.Generator) -> Integers:
    """For each list another order of the names, shape (G, most)."""
    return rng.random((groups, most)).argsort(axis=1)
