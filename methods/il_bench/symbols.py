"""Other IL-Bench tasks in symbols: Waveform, tables and digits (card §5)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from methods.il_bench.items import Benchmark, Item, anonymous
from methods.il_bench.templates import render

Floats = NDArray[np.float64]
LEVELS: tuple[str, ...] = ("low", "middle", "high")
"""Names of the thirds of a variable's range."""


def waveforms(count: int, rng: np.random.Generator) -> tuple[Floats, NDArray[np.int64]]:
    """Breiman's waveforms: mixtures of two of three triangles, with unit noise.

    Returns:
        Values (N, 21) and classes 0, 1, 2 (N,).
    """
    place = np.arange(1, 22)
    first = np.maximum(6 - np.abs(place - 7), 0).astype(np.float64)
    # The triangle is 0 beyond place 12, so that nothing is rolled over the end.
    second, third = np.roll(first, 8), np.roll(first, 4)
    pairs = np.array([[first, second], [first, third], [second, third]])
    classes = rng.integers(3, size=count)
    share = rng.uniform(size=(count, 1))
    clean = share * pairs[classes, 0] + (1 - share) * pairs[classes, 1]
    return clean + rng.normal(size=clean.shape), classes


def make_waveform(train: int, validation: int, test: int, rng: np.random.Generator) -> Benchmark:
    """Waveform with its values cut into thirds, fresh draws in each split."""
    values, classes = waveforms(train + validation + test, rng)
    return _benchmark("waveform", values, classes.tolist(), (train, validation), rng)


Table = Literal["iris", "wine", "breast cancer", "digits"]


def make_table(table: Table, train: int, validation: int, rng: np.random.Generator) -> Benchmark:
    """A data set of scikit-learn in symbols, with anonymous variables and labels.

    Digits are those of three shapes that are easily confused (3, 8 and 9), in 16 cells of 2 × 2
    pixels. What is left of the data after training and validation is the test set.

    Args:
        table: Which.
        train: Items to learn from.
        validation: Items to choose by.
        rng: For splits and names.
    """
    values, classes = _load(table)
    order = rng.permutation(len(values))
    chosen = [str(classes[place]) for place in order]
    return _benchmark(table, values[order], chosen, (train, validation), rng)


def _load(table: Table) -> tuple[Floats, Sequence[object]]:
    from sklearn import datasets

    if table == "digits":
        data = datasets.load_digits()
        kept = np.isin(data.target, (3, 8, 9))
        cells = data.images[kept].reshape(-1, 4, 2, 4, 2).mean(axis=(2, 4)).reshape(-1, 16)
        return cells, data.target[kept].tolist()
    loaders = {
        "iris": datasets.load_iris,
        "wine": datasets.load_wine,
        "breast cancer": datasets.load_breast_cancer,
    }
    data = loaders[table]()
    return np.asarray(data.data, dtype=np.float64), data.target.tolist()


def _benchmark(
    name: str,
    values: Floats,
    classes: Sequence[object],
    sizes: tuple[int, int],
    rng: np.random.Generator,
) -> Benchmark:
    train, validation = sizes
    names = [f"x{number}" for number in range(1, values.shape[1] + 1)]
    # Cuts come from the training items alone.
    cuts = np.quantile(values[:train], [1 / 3, 2 / 3], axis=0)
    levels = (values[:, None, :] > cuts[None]).sum(axis=1)
    labels = anonymous(sorted({str(one) for one in classes}), rng)
    items = []
    for number, (row, one) in enumerate(zip(levels.tolist(), classes, strict=True)):
        symbols = {variable: LEVELS[level] for variable, level in zip(names, row, strict=True)}
        items.append(Item(f"{name}-{number}", render(symbols, "equations"), labels[str(one)], symbols))
    return Benchmark(
        name=name,
        question="Which label does the input have?",
        labels=tuple(sorted(labels.values())),
        train=tuple(items[:train]),
        validation=tuple(items[train : train + validation]),
        test=tuple(items[train + validation :]),
    )
