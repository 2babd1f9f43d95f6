"""A small task with a small generation 0, for tests."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from methods.rest_react.prepare import Teacher
from methods.rest_react.task import WorldAgents
from tests.methods.context import FakeContext

TEACHER = Teacher(seed=100, entities=24, relations=4, demonstrations=60, steps=60, batch=8, three_hops=0.2)
TASK = WorldAgents(generation_0=TEACHER, questions=20, asked=10, second=10, runs=2)


def context(folder: Path | None = None, **changes: Any) -> FakeContext:
    """A context that loads generation 0 from a folder; of another seed it has none."""
    objects = {} if folder is None else {"Teacher": folder}
    return FakeContext(objects=objects, **changes)
