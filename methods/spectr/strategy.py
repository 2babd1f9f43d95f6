"""SpecTr as a way of decoding in ``transformers``, and on its own.

::

    from methods.spectr.strategy import SpecTr

    model.generate(**inputs, custom_generate=SpecTr(small, drafts=4, length=4), do_sample=True)

The text has the distribution of plain sampling with the same options, whatever the draft.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, cast

import torch
from torch import Tensor
from transformers import LogitsProcessorList

from harness.method import ProblemError
from methods.common import draws
from methods.common.causal_lm import check_same_width
from methods.spectr.decoding import BlockSize, Trace, generate
from methods.spectr.ngram import NGram
from methods.spectr.ngram_draft import NGramDraft
from methods.spectr.prompt_lookup import PromptLookup
from methods.spectr.selection import KSeq, Rule
from methods.spectr.sessions import Draft, Sampling, TransformerDraft, TransformerTarget

_WARPERS = {
    "TemperatureLogitsWarper",
    "TopPLogitsWarper",
    "TopKLogitsWarper",
    "MinPLogitsWarper",
    "TypicalLogitsWarper",
    "EpsilonLogitsWarper",
    "EtaLogitsWarper",
}
"""What changes a distribution by itself alone; others look at the text before, of which a block has many."""


@dataclass(frozen=True)
class Warped(Sampling):
    """Probabilities as ``generate`` draws from them.

    Attributes:
        warpers: Of ``transformers``, in their order.
        greedy: All probability on the most probable token.
    """

    warpers: tuple[Any, ...] = ()
    greedy: bool = False

    def __call__(self, logits: Tensor) -> Tensor:
        """Probabilities (…, V) of logits (…, V), in float32."""
        flat = logits.float().reshape(-1, logits.shape[-1])
        if self.greedy:
            law = torch.nn.functional.one_hot(flat.argmax(-1), flat.shape[1]).to(flat.dtype)
        else:
            for warper in self.warpers:
                # These do not look at the text.
                flat = warper(None, flat)
            law = flat.softmax(-1)
        return law.view(logits.shape)


@dataclass
class SpecTr:
    """Speculative decoding with several drafts, for ``model.generate(custom_generate=...)``.

    Attributes:
        draft: A smaller model of ``transformers`` with the same token ids, an
            :class:`~methods.spectr.ngram.NGram`, or ``"prompt-lookup"``: what followed the last tokens where
            they stood before.
        drafts: K, drafts a block.
        length: L, tokens of a draft.
        rule: How tokens are chosen; K-SEQ, as in the paper.
        streamer: Of ``transformers``, for one text: ``generate`` does not pass its own to strategies.
        traces: Of the last call, for each text what each call of the model emitted.
    """

    draft: Any
    drafts: int = 8
    length: int = 8
    rule: Rule = field(default_factory=KSeq)
    streamer: Any = None
    traces: list[Trace] = field(default_factory=list, init=False)

    def __call__(
        self,
        model: Any,
        input_ids: Tensor,
        logits_processor: Any = None,
        stopping_criteria: Any = None,
        generation_config: Any = None,
        **model_kwargs: Any,
    ) -> Any:
        """Decode; called by ``generate``.

        Draws from the global generator of PyTorch, as ``generate`` does.

        Raises:
            ProblemError: For options that do not go with blocks of drafts, drafts that do not fit, and models
                with an encoder.
        """
        _check_causal(model, "model")
        sampling = sampling_of(logits_processor or [], generation_config)
        mask = model_kwargs.get("attention_mask")
        mask = torch.ones_like(input_ids) if mask is None else mask
        prompts = [row[kept.bool()].tolist() for row, kept in zip(input_ids, mask, strict=True)]
        if self.streamer is not None:
            if len(prompts) > 1:
                raise ProblemError(
                    "Several texts cannot be streamed", where="streamer", fix="Give one prompt."
                )
            self.streamer.put(input_ids.cpu())
        seed = draws.integer(2**62, torch.default_generator)
        most = generation_config.max_length - input_ids.shape[1]
        stop = _Stop(generation_config, stopping_criteria, most, self.streamer)
        self.traces = decode(
            model,
            self.draft,
            prompts,
            BlockSize(self.drafts, self.length),
            rule=self.rule,
            sampling=sampling,
            ended=stop,
            generator=draws.generator(seed),
        )
        if self.streamer is not None:
            self.streamer.end()
        return _result(input_ids, [stop.cut(trace) for trace in self.traces], generation_config)


def decode(
    model: Any,
    draft: Any,
    prompts: list[list[int]],
    block: BlockSize,
    *,
    sampling: Sampling,
    ended: Callable[[Trace], bool],
    generator: torch.Generator,
    rule: Rule | None = None,
) -> list[Trace]:
    """Decode prompts together until each has ended.

    Args:
        model: A causal language model of ``transformers``.
        draft: See :class:`SpecTr`.
        prompts: Token ids, none empty.
        block: K and L.
        sampling: From logits to probabilities, of both models.
        ended: Asked after each block of a text; a block's tokens behind the end are the caller's to cut.
        generator: The only source of randomness, on the CPU.
        rule: Token-level selection; K-SEQ without it.

    Raises:
        ProblemError: If a prompt is empty or the draft does not fit the model.
    """
    if empty := [number for number, prompt in enumerate(prompts) if not prompt]:
        raise ProblemError(
            f"Prompt {empty[0]} is empty",
            where="input_ids",
            fix="Begin with one token, such as the model's first.",
        )
    target = TransformerTarget(model, sampling)
    drafting = open_draft(draft, target, sampling)
    with torch.inference_mode():
        return generate(
            target, drafting, rule or KSeq(), prompts, block, tokens=0, ended=ended, generator=generator
        )


def open_draft(draft: Any, target: TransformerTarget, sampling: Sampling) -> Draft:
    """A draft for a target; see :class:`SpecTr`.

    Raises:
        ProblemError: If it is of no known kind, or has other tokens than the target.
    """
    if draft == "prompt-lookup":
        return PromptLookup(target.width, target.device)
    if isinstance(draft, NGram):
        found: Draft = NGramDraft(draft, str(target.device))
    elif hasattr(draft, "get_output_embeddings"):
        _check_causal(draft, "draft")
        found = TransformerDraft(draft, sampling)
    else:
        raise ProblemError(
            f"{type(draft).__name__} is no draft",
            where="draft",
            fix='Give a smaller model of transformers, an NGram, or "prompt-lookup".',
        )
    check_same_width(found.width, target.width, where="draft and target")
    return found


def _check_causal(model: Any, what: str) -> None:
    if getattr(model.config, "is_encoder_decoder", False):
        raise ProblemError(
            f"The {what} has an encoder, and blocks of drafts are read by causal models",
            where=type(model).__name__,
            fix="Give a model of AutoModelForCausalLM.",
        )


def sampling_of(processors: Sequence[Any] | LogitsProcessorList, config: Any) -> Warped:
    """The transform from logits to probabilities that options of ``generate`` ask for.

    Raises:
        ProblemError: If they look at the text, ask for beams, or for several texts a prompt.
    """
    if config.num_beams != 1 or (config.num_return_sequences or 1) != 1:
        raise ProblemError(
            "Beams and several texts a prompt do not go with SpecTr",
            where="num_beams, num_return_sequences",
            fix="Repeat the prompt for several texts.",
        )
    names = [type(processor).__name__ for processor in processors]
    if strange := [name for name in names if name not in _WARPERS]:
        raise ProblemError(
            f"{strange[0]} changes probabilities by the text before, which a block of drafts has many of",
            where="generate",
            fix="Leave its option out (repetition_penalty, no_repeat_ngram_size, min_new_tokens, ...).",
        )
    return Warped(warpers=tuple(processors) if config.do_sample else (), greedy=not config.do_sample)


class _Stop:
    """When a text has ended, and where it is cut."""

    def __init__(self, config: Any, criteria: Any, most: int, streamer: Any) -> None:
        ends = config.eos_token_id
        self.ends = set(ends if isinstance(ends, list) else [] if ends is None else [ends])
        self.most = most
        self.streamer = streamer
        # Ends and lengths are looked at here, token by token; others see the text as it stands.
        known = {"MaxLengthCriteria", "EosTokenCriteria"}
        self.criteria = [one for one in criteria or [] if type(one).__name__ not in known]
        self.lengths: dict[int, int] = {}

    def __call__(self, trace: Trace) -> bool:
        """Whether the text has ended within its last block."""
        first = len(trace.tokens) - trace.blocks[-1]
        for place in range(first, len(trace.tokens)):
            if self.streamer is not None:
                self.streamer.put(torch.tensor([trace.tokens[place]]))
            if self._ends(trace, place + 1):
                self.lengths[id(trace)] = place + 1
                return True
        return False

    def _ends(self, trace: Trace, length: int) -> bool:
        if length >= self.most or trace.tokens[length - 1] in self.ends:
            return True
        if not self.criteria:
            return False
        text = torch.tensor([trace.prompt + trace.tokens[:length]])
        return any(bool(one(text, None).all()) for one in self.criteria)

    def cut(self, trace: Trace) -> list[int]:
        """The text up to its end."""
        return trace.tokens[: self.lengths[id(trace)]]


def _result(input_ids: Tensor, texts: list[list[int]], config: Any) -> Any:
    """Prompts with their texts, padded behind as ``generate`` does."""
    ends = config.eos_token_id
    pad = config.pad_token_id
    if pad is None:
        pad = (ends[0] if isinstance(ends, list) else ends) or 0
    longest = max(map(len, texts))
    rows = [text + [int(pad)] * (longest - len(text)) for text in texts]
    found = torch.cat([input_ids, torch.tensor(rows, device=input_ids.device, dtype=input_ids.dtype)], dim=1)
    if not config.return_dict_in_generate:
        return found
    from transformers.generation.utils import GenerateDecoderOnlyOutput

    return GenerateDecoderOnlyOutput(sequences=cast("torch.LongTensor", found))
