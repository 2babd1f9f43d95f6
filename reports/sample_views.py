"""Blocks that show single results: trajectories step by step, and trees."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class Step:
    """What happened, and of which kind it is."""

    kind: str
    text: str

    @property
    def lines(self) -> tuple[str, ...]:
        """The lines of the text."""
        return tuple(self.text.splitlines())


@dataclass(frozen=True)
class Trajectory:
    """What one trajectory was about, how it ended, and its steps in order."""

    heading: str
    mark: Literal["right", "wrong", ""]
    steps: tuple[Step, ...]


@dataclass(frozen=True)
class Trajectories:
    """Several trajectories."""

    id: str
    caption: str
    items: tuple[Trajectory, ...]


@dataclass(frozen=True)
class Branch:
    """A node of a tree: the label on the way to it, what it says, a note, and what is below."""

    edge: str
    text: str
    note: str
    below: tuple[Branch, ...] = ()

    @property
    def lines(self) -> tuple[str, ...]:
        """The lines of the text."""
        return tuple(self.text.splitlines())


@dataclass(frozen=True)
class Tree:
    """A tree."""

    id: str
    caption: str
    root: Branch
