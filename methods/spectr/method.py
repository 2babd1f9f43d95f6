"""Decoding methods: plain sampling, speculative decoding, SpecTr and other selection rules."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from harness.method import Context, Method, Metric, ProblemError, param
from methods.spectr.hook import RuleHook
from methods.spectr.task import Decoded, DecodingProblem, PairProblem

if TYPE_CHECKING:
    from methods.spectr.calibration import Kind
    from methods.spectr.selection import Rule

SUN = "Sun et al. (2023), arXiv:2310.15141"
LEVIATHAN = "Leviathan et al. (2023), arXiv:2211.17192; Chen et al. (2023), arXiv:2302.01318"


def _ratio(above: str, below: str, columns: Any) -> float:
    total = float(sum(columns[below]))
    return float(sum(columns[above])) / total if total else float("nan")


def ratio_of_sums(
    name: str, above: str, below: str, *, better: Literal["higher", "lower"] = "higher", digits: int = 3
) -> Metric:
    """A metric Σ above / Σ below over unit rows."""
    from functools import partial

    return Metric(name, (above, below), partial(_ratio, above, below), better, digits=digits)


BLOCK_EFFICIENCY = ratio_of_sums("block efficiency", "tokens", "calls", digits=2)
"""τ: tokens a call of the target. Whole blocks are counted; reading the prompt is not."""
ACCEPTANCE = ratio_of_sums("acceptance", "passed", "reached")
"""Share of the blocks at a depth that go on past it."""
OVERLAP = ratio_of_sums("overlap of draft and target", "overlap", "contexts")
"""α₁ = Σ min(p, q), at the contexts where blocks begin."""
OPTIMUM = ratio_of_sums("optimal acceptance", "optimum", "contexts")
"""α_K at the same contexts."""
SELECTED = ratio_of_sums("K-SEQ acceptance", "selected", "contexts")
"""P_acc of K-SEQ at ρ* at the same contexts."""
FLOOR = ratio_of_sums("total variation by rounding", "variation", "contexts", better="lower")
"""Total variation between the target's distributions in float32 and in the type used for decoding."""
OF_OPTIMUM = ratio_of_sums("K-SEQ over optimum", "selected", "optimum")


def chosen_size(problem: DecodingProblem, kind: Kind) -> tuple[int, int]:
    """K and L that the problem's calibration found fastest.

    Raises:
        ProblemError: If there was none.
    """
    if problem.choice is None:
        raise ProblemError(
            "No K and L were measured on this problem",
            where="fastest",
            fix="Give the task pilots, or the method drafts and length.",
        )
    return problem.choice.sizes[kind]


@dataclass(frozen=True)
class _Decoding(Method[DecodingProblem, Decoded]):
    """What all decoding methods share: how many prompts to decode at once, and on which."""

    problem_type: ClassVar[type] = DecodingProblem

    batch: int = param(64, source="ours", doc="prompts decoded at once; 1 where time is measured")
    only: int = param(0, source="ours", doc="decode this many of the prompts, drawn by seed; 0: all")

    def run(self, problem: DecodingProblem, ctx: Context) -> Decoded:
        """Decode the prompts in batches."""
        import torch

        prompts = problem.choose(self.only, ctx)
        names = list(prompts)
        generator = ctx.torch_rng("decoding")
        traces: dict[str, Any] = {}
        with torch.inference_mode():
            for start in range(0, len(names), self.batch):
                group = names[start : start + self.batch]
                found = self.decode(problem, [prompts[name] for name in group], generator)
                traces.update(zip(group, found, strict=True))
                ctx.progress((start + len(group)) / len(names))
        drafts, length = self.size_for(problem)
        return Decoded(traces, drafts, length, problem.choice)

    @abstractmethod
    def size(self) -> tuple[int, int]:
        """K and L."""

    def size_for(self, problem: DecodingProblem) -> tuple[int, int]:
        """K and L on a problem."""
        del problem
        return self.size()

    @abstractmethod
    def decode(self, problem: DecodingProblem, prompts: list[list[int]], generator: Any) -> list[Any]:
        """Traces of the prompts."""


@dataclass(frozen=True)
class _Blocks(RuleHook, _Decoding):
    """Decoding by blocks with a selection rule."""

    scoring: Literal["tree", "batch"] = param("tree", source="ours", doc="how drafts are scored")

    def decode(self, problem: DecodingProblem, prompts: list[list[int]], generator: Any) -> list[Any]:
        """See :mod:`methods.spectr.decoding`."""
        from methods.spectr.decoding import BlockSize, generate

        block = BlockSize(*self.size_for(problem))
        target, draft = self.sessions(problem)
        return generate(
            target, draft, self.rule(), prompts, block, tokens=problem.tokens, generator=generator
        )

    def sessions(self, problem: DecodingProblem) -> tuple[Any, Any]:
        """Sessions of target and draft."""
        return problem.open(self.scoring)


@dataclass(frozen=True)
class Autoregressive(_Blocks):
    """Plain sampling from the target, one token a call."""

    def size(self) -> tuple[int, int]:
        """No draft: L = 0."""
        return 1, 0

    def rule(self) -> Rule:
        """Not used, since nothing is drafted."""
        from methods.spectr.selection import KSeq

        return KSeq()


@dataclass(frozen=True)
class BaseDrafting(_Blocks):
    """K drafts of length L, selected from by the rule of a subclass."""

    drafts: int = param(8, source="paper, main table", doc="K")
    length: int = param(8, source="paper, main table", doc="L")
    fastest: bool = param(default=False, source="ours", doc="K and L as measured, not as given")

    def size_for(self, problem: DecodingProblem) -> tuple[int, int]:
        """K and L, or those that were measured fastest."""
        return chosen_size(problem, "one" if self.drafts == 1 else "several") if self.fastest else self.size()

    def size(self) -> tuple[int, int]:
        """K and L, both at least 1.

        Raises:
            ProblemError: If L is 0, which leaves nothing to select.
        """
        if self.length == 0:
            raise ProblemError(
                "L = 0 leaves nothing to select",
                where=type(self).__name__,
                fix="Set length to at least 1, or use Autoregressive for plain sampling.",
            )
        return self.drafts, self.length


@dataclass(frozen=True)
class Speculative(BaseDrafting):
    """Speculative decoding with one draft: accept with min(1, q/p), else correct from the residual."""

    cites: ClassVar[str] = LEVIATHAN

    drafts: int = param(1, source="paper, section 'Speculative sampling'", doc="K, always 1")

    def rule(self) -> Rule:
        """Leviathan's rule."""
        from methods.spectr.selection import FirstOnly

        return FirstOnly()


@dataclass(frozen=True)
class SpecTr(BaseDrafting):
    """SpecTr: K independent drafts, scored in one call, selected recursively with K-SEQ."""

    cites: ClassVar[str] = SUN

    slack: float = param(0.0, source="paper, Theorem 1", doc="ρ = ρ* + slack (k − ρ*); 0 is ρ*, 1 is k")

    def rule(self) -> Rule:
        """K-SEQ."""
        from methods.spectr.selection import KSeq

        return KSeq(self.slack)


@dataclass(frozen=True)
class NaiveMultiPath(BaseDrafting):
    """K drafts, but only the first candidate is tested at each depth."""

    def rule(self) -> Rule:
        """Leviathan's rule on the first surviving draft."""
        from methods.spectr.selection import FirstOnly

        return FirstOnly()


@dataclass(frozen=True)
class RecursiveRejection(BaseDrafting):
    """SpecInfer's multi-step sampling: candidates in turn against the running residual."""

    cites: ClassVar[str] = "Miao et al. (2024), arXiv:2305.09781"

    def rule(self) -> Rule:
        """Recursive rejection sampling."""
        from methods.spectr.selection import Recursive

        return Recursive()


@dataclass(frozen=True)
class OptimalSelection(BaseDrafting):
    """OTM-k: the optimal transport plan at each depth, by linear programming; tiny vocabularies only."""

    cites: ClassVar[str] = SUN

    def rule(self) -> Rule:
        """The optimal plan."""
        from methods.spectr.selection import OptimalTransport

        return OptimalTransport()


@dataclass(frozen=True)
class Assisted(_Decoding):
    """Assisted generation of the library ``transformers``: an independent single-draft decoder."""

    cites: ClassVar[str] = LEVIATHAN

    length: int = param(8, source="paper, main table", doc="L")
    fastest: bool = param(default=False, source="ours", doc="L as measured, not as given")

    def size(self) -> tuple[int, int]:
        """One draft; blocks are not reported, so no depths."""
        return 1, 0

    def decode(self, problem: DecodingProblem, prompts: list[list[int]], generator: Any) -> list[Any]:
        """See :mod:`methods.spectr.huggingface`.

        Raises:
            ProblemError: If the models are not of ``transformers``.
        """
        from methods.common import draws
        from methods.spectr.huggingface import assisted
        from methods.spectr.sessions import Sampling

        if not isinstance(problem, PairProblem):
            raise ProblemError(
                "Assisted generation needs models of transformers",
                where=type(problem).__name__,
                fix="Use it in an experiment with language models.",
            )
        with draws.seeded(draws.integer(2**31, generator)), draws.LibraryDraws():
            return assisted(
                problem.target_model(),
                problem.assistant(),
                prompts,
                length=chosen_size(problem, "assisted")[1] if self.fastest else self.length,
                tokens=problem.tokens,
                sampling=Sampling(problem.temperature, problem.top_p),
            )
