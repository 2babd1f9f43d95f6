from __future__ import annotations

import copy
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from harness.checks.state import state_of


@dataclass
class Holder:
    rows: np.ndarray = field(default_factory=lambda: np.arange(6.0).reshape(2, 3))
    names: list[str] = field(default_factory=lambda: ["a", "b"])

    @cached_property
    def total(self) -> float:
        return float(self.rows.sum())


class Plain:
    def __init__(self) -> None:
        self.table = {"x": {1, 2, 3}, "y": (np.float32(1.5), None)}


def module() -> torch.nn.Module:
    return torch.nn.Sequential(torch.nn.Linear(2, 2), torch.nn.BatchNorm1d(2))


def leave_gradient(model: torch.nn.Module) -> None:
    model(torch.ones(3, 2)).sum().backward()


CHANGES: list[tuple[Callable[[], Any], Callable[[Any], Any]]] = [
    (Holder, lambda h: h.rows.__setitem__((1, 2), 9.0)),
    (Holder, lambda h: h.rows.sort(axis=0) or h.rows.resize(3, 2)),
    (Holder, lambda h: h.names.append("c")),
    (Holder, lambda h: h.names.reverse()),
    (Plain, lambda p: p.table["x"].add(4)),
    (Plain, lambda p: setattr(p, "extra", 1)),
    (lambda: np.random.default_rng(0), lambda g: g.random()),
    (lambda: np.array([1, "a", None], dtype=object), lambda a: a.__setitem__(1, "b")),
    (lambda: torch.ones(2, dtype=torch.bfloat16), lambda t: t.mul_(2)),
    (lambda: torch.Generator().manual_seed(1), lambda g: torch.rand(1, generator=g)),
    (module, lambda m: m.eval()),
    (module, leave_gradient),
    (module, lambda m: m[1].running_mean.add_(1)),
    (module, lambda m: m[0].weight.data.add_(1)),
    (module, lambda m: m.requires_grad_(requires_grad=False)),
]


@pytest.mark.parametrize(("make", "change"), CHANGES)
def test_every_change_shows(make: Callable[[], Any], change: Callable[[Any], Any]) -> None:
    value = make()
    before = state_of(value)
    assert state_of(value) == before
    change(value)
    assert state_of(value) != before


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text() | st.floats() | st.binary(),
        lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner) | st.tuples(inner, inner),
        max_leaves=8,
    )
)
def test_equal_content_has_an_equal_state(value: object) -> None:
    assert state_of(copy.deepcopy(value)) == state_of(value)


def test_different_nesting_is_different() -> None:
    values = [
        [1, 2],
        [[1], 2],
        [[1, 2]],
        (1, 2),
        ["1", 2],
        [1, [2]],
        {1: 2},
        {1, 2},
        [12],
        [True, 2],
        [1.0, 2],
    ]
    assert len({state_of(value) for value in values}) == len(values)


def test_a_cached_property_is_no_change() -> None:
    holder = Holder()
    before = state_of(holder)
    assert holder.total == 15
    assert state_of(holder) == before


def test_cycles_and_opaque_objects_end() -> None:
    import threading

    ring: list[Any] = [threading.Lock()]
    ring.append(ring)
    assert state_of(ring) == state_of(ring)


def test_torch_is_not_imported_for_it() -> None:
    program = ["import sys", "from harness.checks.state import state_of", "sys.exit('torch' in sys.modules)"]
    code = "; ".join(program)
    subprocess.run([sys.executable, "-c", code], check=True)
