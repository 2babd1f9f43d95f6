"""What counts as zero: nothing but zero behind a ReLU, and what one says of smooth activations.

The paper counts exact zeros, and only these are free of a choice. GELU and SiLU are almost never zero; how
many entries are small is another measure, which depends on where the line is drawn. So every result says it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, Self

import torch
from torch import Tensor

from harness.method import ProblemError


@dataclass(frozen=True)
class Zero:
    """A rule for activations that count as zero.

    Attributes:
        kind: ``exact`` for zero alone; ``relative`` for magnitudes of at most ``size`` times the token's
            largest in the layer; ``absolute`` for magnitudes of at most ``size``.
        size: The line; 0 where ``exact``.
    """

    kind: Literal["exact", "relative", "absolute"] = "exact"
    size: float = 0.0

    def __post_init__(self) -> None:
        most = {"exact": 0.0, "relative": 1.0, "absolute": float("inf")}[self.kind]
        if not (0 <= self.size < most or self.size == most == 0):
            raise ProblemError(
                f"A line of {self.size} does not draw what counts as zero",
                where=self.kind,
                fix="Give a share of the largest below 1 (relative), or a magnitude (absolute).",
            )

    @classmethod
    def parse(cls, text: str) -> Self:
        """From ``exact``, a percentage of the token's largest (``1%``), or a magnitude (``0.01``).

        Raises:
            ProblemError: If it is none of these.
        """
        try:
            if text == "exact":
                return cls()
            if text.endswith("%"):
                return cls("relative", float(text[:-1]) / 100)
            return cls("absolute", float(text))
        except ValueError:
            raise ProblemError(
                f"'{text}' does not say what counts as zero", fix="Write exact, 1% or 0.01, for example."
            ) from None

    def __str__(self) -> str:
        if self.kind == "relative":
            return f"at most {100 * self.size:g} % of the token's largest magnitude in the layer"
        return "exactly zero" if self.kind == "exact" else f"a magnitude of at most {self.size:g}"

    def clear(self, a: Tensor) -> Tensor:
        """``a``, shape (..., d_ff), with zeros where entries count as zero; what is not a number stays so."""
        if self.kind == "exact":
            return a
        size = a.abs()
        line = self.size if self.kind == "absolute" else self.size * size.amax(dim=-1, keepdim=True)
        return torch.where(size <= line, torch.zeros_like(a), a)


SMOOTH = Zero("relative", 0.01)
"""For activations without exact zeros, where nothing else is said."""
