"""Who writes and who follows instructions, as declarations that a task can hold.

A declaration holds references and sizes, never weights; :meth:`Speaker.open` makes the language model
of one trial, with counters of its own.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from harness.method import Context, Reference, param
from methods.il_bench.prepare import RuleFollower

if TYPE_CHECKING:
    from methods.common.language_model import LanguageModel


class Speaker(ABC):
    """A language model that can be opened in a trial."""

    @abstractmethod
    def open(self, ctx: Context) -> LanguageModel:
        """The model, with all counters at 0."""


@dataclass(frozen=True)
class SurrogateWriter(Speaker):
    """A rule inducer that stands in for a learner; writes as many rules as a request allows."""

    capacity: int = param(64, source="ours", doc="rules it can write, whatever a request allows")

    def open(self, ctx: Context) -> LanguageModel:
        """See :class:`Speaker`."""
        from methods.il_bench.surrogate import SurrogateLearner

        identity = f"surrogate learner {self.capacity} {ctx.seed}"
        return SurrogateLearner("surrogate learner", identity, capacity=self.capacity)


@dataclass(frozen=True)
class SurrogateInterpreter(Speaker):
    """A rule interpreter that stands in for an executor; errs at declared rates."""

    error: float = param(0.02, source="card, section 9", doc="ε: probability of an error in each call")
    per_rule: float = param(0.0, source="card, section 9", doc="further errors for each rule")

    def open(self, ctx: Context) -> LanguageModel:
        """See :class:`Speaker`; which calls go wrong is drawn by the seed."""
        from methods.il_bench.surrogate import SurrogateExecutor

        identity = f"surrogate executor {self.error} {self.per_rule} {ctx.seed}"
        return SurrogateExecutor("surrogate executor", identity, error=self.error, per_rule=self.per_rule)


WRITER, READER = SurrogateWriter(), SurrogateInterpreter()
"""The defaults of tasks: the surrogates of the card."""


@dataclass(frozen=True, kw_only=True)
class NeuralReader(Speaker):
    """A transformer that was trained from scratch to follow rules.

    Attributes:
        follower: Its weights.
    """

    follower: RuleFollower
    batch: int = param(256, source="ours", doc="prompts at once")

    def open(self, ctx: Context) -> LanguageModel:
        """See :class:`Speaker`."""
        from methods.il_bench.rule_reader import RuleReader

        net, identity = ctx.load(self.follower)
        return RuleReader(self.follower.label, identity, net, batch=self.batch)


@dataclass(frozen=True, kw_only=True)
class LocalWeights(Speaker):
    """A causal language model of this machine.

    Attributes:
        weights: Loads as :class:`methods.common.causal_lm.Checkpoint`.
    """

    weights: Reference
    name: str = param("local model", source="ours", doc="for reports")
    dtype: str = param("", source="ours", doc="type of the weights; empty: the run's")
    batch: int = param(32, source="ours", doc="rows at once")

    def open(self, ctx: Context) -> LanguageModel:
        """See :class:`Speaker`."""
        from methods.common.language_model.kept import kept
        from methods.common.language_model.local import LocalModel

        checkpoint = ctx.load(self.weights)
        model = checkpoint.model(ctx.device, self.dtype or ctx.dtype)
        identity = _identity(checkpoint.folder)
        found = LocalModel(self.name, identity, model, checkpoint.tokenizer, batch=self.batch)
        ctx.asks(found)
        return kept(found, ctx.checkpoints)


@dataclass(frozen=True, kw_only=True)
class Named(Speaker):
    """A model that the user names: behind a server, or a folder of weights.

    Attributes:
        model: Gives the folder, see :func:`methods.common.servers.open_named`.
    """

    model: Reference
    batch: int = param(32, source="ours", doc="rows at once, of weights in memory")

    def open(self, ctx: Context) -> LanguageModel:
        """See :class:`Speaker`; a server is sent nothing yet."""
        from methods.common.servers import open_named

        return open_named(ctx.load(self.model), ctx, rows=self.batch)


@lru_cache(maxsize=8)
def _identity(folder: Path) -> str:
    # Weights of half a gigabyte take a second to hash, and a worker opens them for each trial.
    from methods.common.language_model.local import weights_identity

    return weights_identity(folder)
