"""The tasks that decoding methods solve: continue prompts, with a pair of models.

:class:`Continue` gives a pair of ``transformers`` models (or an n-gram draft), :class:`Chain` a
pair of Markov chains. Both score blocks, acceptance by depth, overlaps, and the ranks of emitted
tokens under the target's distribution.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Literal

from harness.method import Context, ProblemError, Reference, Scores, Task, param

if TYPE_CHECKING:
    from methods.spectr.calibration import Choice
    from methods.spectr.decoding import Trace
    from methods.spectr.scoring import LawsOf
    from methods.spectr.sessions import Draft, Target

Measure = Literal["blocks", "overlap", "law"]
"""What is scored: tokens a call; also overlaps of p and q; also ranks of emitted tokens."""


class DecodingProblem(ABC):
    """Prompts to continue, and a pair of models.

    Attributes:
        prompts: Token ids of each prompt, by identifier.
        tokens: Least number of new tokens a prompt.
        choice: The K and L that were measured fastest, if they were.
    """

    prompts: dict[str, list[int]]
    tokens: int
    choice: Choice | None = None

    @abstractmethod
    def open(self, scoring: Literal["tree", "batch"]) -> tuple[Target, Draft]:
        """New sessions of the target and of the draft."""

    def choose(self, count: int, ctx: Context) -> dict[str, list[int]]:
        """All prompts, or ``count`` of them, the same for every method."""
        names = list(self.prompts)
        if not count:
            return self.prompts
        picked = ctx.rng("chosen prompts").choice(len(names), size=min(count, len(names)), replace=False)
        return {names[i]: self.prompts[names[i]] for i in sorted(picked)}


@dataclass(frozen=True)
class Decoded:
    """What a decoding method returns.

    Attributes:
        traces: What was generated, by prompt.
        drafts: K.
        length: L; 0 where blocks are not reported token by token.
        choice: What was measured to choose K and L, if they were.
    """

    traces: dict[str, Trace]
    drafts: int
    length: int
    choice: Choice | None = None


@dataclass(frozen=True)
class PairProblem(DecodingProblem):
    """A target and a draft that share a tokenizer.

    Attributes:
        target: A ``Checkpoint``.
        draft: A ``Checkpoint``, an ``NGram`` or ``HiddenWeights``.
        prompts: Token ids by identifier.
        tokens: Least number of new tokens a prompt.
        device: Where the models run.
        dtype: Type of their weights.
        temperature: Of both models; 0 is greedy.
        top_p: Nucleus of both models.
        choice: The K and L that were measured fastest, if they were.
    """

    target: Any
    draft: Any
    prompts: dict[str, list[int]]
    tokens: int
    device: str
    dtype: str
    temperature: float = 1.0
    top_p: float = 1.0
    choice: Choice | None = None

    def open(self, scoring: Literal["tree", "batch"]) -> tuple[Target, Draft]:
        """See :class:`DecodingProblem`."""
        from methods.spectr.hidden_draft import HiddenDraft
        from methods.spectr.hidden_mlp import HiddenWeights
        from methods.spectr.ngram import NGram
        from methods.spectr.ngram_draft import NGramDraft
        from methods.spectr.sessions import Sampling, TransformerDraft, TransformerTarget

        sampling = Sampling(self.temperature, self.top_p)
        target = TransformerTarget(self.target_model(), sampling, scoring=scoring)
        if isinstance(self.draft, HiddenWeights):
            return target, HiddenDraft(self.draft.on(self.target_model()), sampling)
        if isinstance(self.draft, NGram):
            return target, NGramDraft(self.draft, self.device)
        return target, TransformerDraft(self.draft.model(self.device, self.dtype), sampling)

    def target_model(self) -> Any:
        """The target as a ``transformers`` model."""
        return self.target.model(self.device, self.dtype)

    def assistant(self) -> Any:
        """The draft as a ``transformers`` model."""
        from methods.spectr.hidden_mlp import HiddenWeights
        from methods.spectr.huggingface import HiddenForCausalLM, NGramForCausalLM
        from methods.spectr.ngram import NGram

        if isinstance(self.draft, HiddenWeights):
            return HiddenForCausalLM(self.draft.on(self.target_model()))
        if isinstance(self.draft, NGram):
            return NGramForCausalLM(self.draft)
        return self.draft.model(self.device, self.dtype)


@dataclass(frozen=True)
class _Scored:
    """Scoring that both tasks share."""

    measure: Measure = param("blocks", source="ours", doc="what is scored")  # noqa: RUF009
    contexts: int = param(1000, source="ours", doc="contexts a prompt at which overlaps are computed")

    def score(self, result: Decoded, laws_of: LawsOf, ctx: Context) -> Scores:
        """Unit rows; the parts depend on :attr:`measure`."""
        from methods.spectr import scoring

        units = [scoring.Unit(name, trace) for name, trace in result.traces.items()]
        parts = {"main": scoring.block_rows(units)}
        if result.choice:
            parts["choice"] = result.choice.rows()
        if result.length:
            parts["depth"] = scoring.depth_rows(units, result.length)
            if self.measure == "overlap":
                parts["overlap"] = scoring.overlap_rows(units, laws_of, result.drafts, self.contexts)
            if self.measure == "law":
                parts["pit"] = scoring.rank_rows(units, laws_of, ctx.torch_rng("ranks"))
        return Scores(parts)


@dataclass(frozen=True, kw_only=True)
class Continue(_Scored, Task[DecodingProblem, Decoded]):
    """Continue sentences that no model was trained on.

    Attributes:
        target: Reference of the large model; loads as a ``Checkpoint``.
        draft: Reference of the small model; loads as a ``Checkpoint``, an ``NGram`` or ``HiddenWeights``.
        texts: Reference of the rating data.
    """

    target: Reference
    draft: Reference
    texts: Reference
    prompts: int = param(100, source="card, section 9", doc="prompts a seed")
    prompt_tokens: int = param(16, source="card, section 9", doc="tokens of a prompt")
    tokens: int = param(64, source="card, section 9", doc="new tokens a prompt")
    temperature: float = param(1.0, source="paper, section 'Experiments'", doc="of both models")
    top_p: float = param(1.0, source="ours", doc="nucleus of both models")
    dtype: str = param("", source="ours", doc="type of the weights; empty: the run's")
    pilots: int = param(
        0,
        source="ours",
        doc="prompts on which K, L and, on a CPU, the type are chosen by time",
    )

    def problem(self, ctx: Context) -> DecodingProblem:
        """The pair and its prompts, drawn anew for each seed from held-out texts.

        Raises:
            ProblemError: If draft and target have different tokenizers.
        """
        target, draft = ctx.load(self.target), ctx.load(self.draft)
        _check_tokenizers(target, draft)
        found = self._prompts(target.tokenizer, ctx)
        names = list(found)
        problem = PairProblem(
            target=target,
            draft=draft,
            prompts={name: found[name] for name in names[: self.prompts]},
            tokens=self.tokens,
            device=ctx.device,
            dtype=self.dtype or ctx.dtype,
            temperature=self.temperature,
            top_p=self.top_p,
        )
        if not self.pilots:
            return problem
        return chosen(problem, [found[name] for name in names[self.prompts :]], ctx.torch_rng("pilots"))

    def evaluate(self, result: Decoded, ctx: Context) -> Scores:
        """Score the text; distributions are recomputed in float32 from the whole text."""
        from methods.spectr.reference import pair_laws

        if self.measure == "blocks":
            return self.score(result, _not_asked, ctx)
        laws_of = pair_laws(
            ctx.load(self.target), ctx.load(self.draft), ctx.device, (self.temperature, self.top_p)
        )
        scores = self.score(result, laws_of, ctx)
        if (self.dtype or ctx.dtype) == "float32" or not result.length:
            return scores
        return Scores({**scores.parts, "floor": self._floor(result, ctx)})

    def _floor(self, result: Decoded, ctx: Context) -> dict[str, list[Any]]:
        """How far the target's distribution moves by rounding weights and activations alone."""
        from methods.spectr.reference import pair_laws
        from methods.spectr.scoring import Unit, floor_rows

        units = [Unit(name, trace) for name, trace in result.traces.items()]
        target, draft, sampling = (
            ctx.load(self.target),
            ctx.load(self.draft),
            (self.temperature, self.top_p),
        )
        exact = pair_laws(target, draft, ctx.device, sampling)
        rounded = pair_laws(target, draft, ctx.device, sampling, dtype=self.dtype or ctx.dtype)
        return floor_rows(units, exact, rounded, min(self.contexts, 4))

    def _prompts(self, tokenizer: Any, ctx: Context) -> dict[str, list[int]]:
        from methods.spectr.prepare import held_out

        rng = ctx.rng("prompts")
        texts = held_out(ctx.load(self.texts))
        found: dict[str, list[int]] = {}
        start = [] if tokenizer.bos_token_id is None else [tokenizer.bos_token_id]
        for index in rng.permutation(len(texts)):
            name, text = texts[index]
            ids = [*start, *tokenizer(text, add_special_tokens=False)["input_ids"]]
            if len(ids) >= self.prompt_tokens:
                found[name] = ids[: self.prompt_tokens]
            if len(found) == self.prompts + self.pilots:
                return found
        raise ProblemError(
            f"{self.prompts + self.pilots} prompts of {self.prompt_tokens} tokens were asked for, "
            f"{len(found)} exist",
            where="prompts",
            fix="Ask for fewer or shorter prompts.",
        )


@dataclass(frozen=True)
class ChainProblem(DecodingProblem):
    """A pair of Markov chains; a prompt is a state."""

    draft: Any
    target: Any
    prompts: dict[str, list[int]]
    tokens: int

    def open(self, scoring: Literal["tree", "batch"]) -> tuple[Target, Draft]:
        """See :class:`DecodingProblem`."""
        from methods.spectr.markov import MarkovDraft, MarkovTarget

        return MarkovTarget(self.target), MarkovDraft(self.draft)


@dataclass(frozen=True)
class Chain(_Scored, Task[DecodingProblem, Decoded]):
    """Continue states of a random Markov chain: the simulation tier.

    Each seed draws a new pair, so the seed is the replicate.
    """

    states: int = param(40, source="card, section 9", doc="|V|")
    noise: float = param(1.0, source="ours", doc="sd of what the draft's logits are off by")
    prompts: int = param(200, source="ours", doc="independent requests")
    tokens: int = param(40, source="ours", doc="new tokens a request")
    temperature: float = param(1.0, source="paper, section 'Experiments'", doc="of both chains")

    def problem(self, ctx: Context) -> DecodingProblem:
        """A pair drawn from the seed, and states to start from."""
        draft, target = self._pair(ctx)
        starts = ctx.rng("prompts").integers(self.states, size=self.prompts)
        prompts = {f"{i}": [int(state)] for i, state in enumerate(starts)}
        return ChainProblem(draft, target, prompts, self.tokens)

    def evaluate(self, result: Decoded, ctx: Context) -> Scores:
        """Score against the matrices."""
        draft, target = self._pair(ctx)

        def laws_of(text: list[int], places: Any) -> tuple[Any, Any]:
            before = [text[place - 1] for place in places.tolist()]
            return draft[before], target[before]

        return self.score(result, laws_of, ctx)

    def _pair(self, ctx: Context) -> tuple[Any, Any]:
        from methods.spectr.markov import markov_pair

        draft, target = markov_pair(ctx.rng("pair"), states=self.states, noise=self.noise)
        if self.temperature == 1.0:
            return draft, target
        return (draft.log() / self.temperature).softmax(1), (target.log() / self.temperature).softmax(1)


def chosen(problem: PairProblem, pilots: list[list[int]], generator: Any) -> PairProblem:
    """The problem with the K, L and, on a CPU, type of the weights that are fastest on pilot prompts."""
    import torch

    from methods.spectr.calibration import TYPES, choose
    from methods.spectr.running import decode_one

    def run(dtype: str, kind: Any, size: tuple[int, int], prompt: list[int]) -> int:
        return decode_one(replace(problem, dtype=dtype), kind, size, prompt, generator)

    with torch.inference_mode():
        choice = choose(run, pilots, TYPES if problem.device == "cpu" else (problem.dtype,))
    return replace(problem, dtype=choice.dtype, choice=choice)


def _not_asked(text: list[int], places: Any) -> tuple[Any, Any]:
    raise AssertionError((text, places))


def _check_tokenizers(target: Any, draft: Any) -> None:
    from methods.common.causal_lm import Checkpoint, check_same_tokenizer

    if isinstance(draft, Checkpoint) and draft.folder != target.folder:
        check_same_tokenizer(draft.tokenizer, target.tokenizer, where="draft and target")
