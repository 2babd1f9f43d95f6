"""A language model of ``transformers`` on this machine."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from harness.method import ProblemError
from methods.common.answering import device_type, option_scores
from methods.common.causal_lm import Model
from methods.common.fixed_batches import INDEPENDENT, FixedBatch, fixed_batches, fixed_width
from methods.common.forward import is_encoder_decoder
from methods.common.language_model.drawing import Draw, Ended, FirstScores
from methods.common.language_model.interface import (
    Completion,
    Decoding,
    LanguageModel,
    NextToken,
    check_texts,
)


def weights_identity(folder: Path) -> str:
    """Hash of the configuration, tokenizer and safetensors files in ``folder``."""
    digest = hashlib.blake2b(digest_size=16)
    for path in sorted([*folder.glob("*.json"), *folder.glob("*.safetensors")]):
        digest.update(path.name.encode())
        with path.open("rb") as file:
            digest.update(hashlib.file_digest(file, "blake2b").digest())
    return digest.hexdigest()


@dataclass
class LocalModel(LanguageModel):
    """Weights in memory, causal or encoder-decoder.

    Attributes:
        model: In evaluation mode.
        tokenizer: Of ``transformers``, with a padding or an end token.
        batch: Rows at once, at most.
    """

    model: Model
    tokenizer: Any
    batch: int = field(default=32, kw_only=True)

    @property
    def together(self) -> int:
        """See :class:`~methods.common.language_model.interface.LanguageModel`."""
        return 0 if device_type(self.model) in INDEPENDENT else self.batch

    def score(self, prompts: Sequence[str], options: Sequence[Sequence[str]]) -> list[list[float]]:
        """See :class:`~methods.common.language_model.interface.LanguageModel`."""
        check_texts(prompts, options)
        split = [
            [self._split(prompt, option) for option in of_prompt]
            for prompt, of_prompt in zip(prompts, options, strict=True)
        ]
        # An option may change how the end of the prompt is split, so that each pair is its own.
        pairs = [pair for of_prompt in split for pair in of_prompt]
        found = option_scores(
            self.model, [p for p, _ in pairs], [[o] for _, o in pairs], pad=self._pad, batch=self.batch
        )
        self.usage.calls += len(pairs)
        self.usage.prompt_tokens += sum(len(p) + len(o) for p, o in pairs)
        values = iter(value for (value,) in found)
        return [[next(values) for _ in of_prompt] for of_prompt in options]

    def sample(
        self, prompts: Sequence[str], decoding: Decoding, *, count: int = 1, seed: int = 0
    ) -> list[list[Completion]]:
        """See :class:`~methods.common.language_model.interface.LanguageModel`."""
        ids = self._encode(prompts, decoding.new_tokens)
        rows = [(number, draw) for number in range(len(prompts)) for draw in range(count)]
        found: list[list[Completion]] = [[] for _ in prompts]
        kept: dict[tuple[int, int], Completion] = {}
        for part in self._batches([ids[number] for number, _ in rows], decoding.new_tokens):
            group = [rows[i] for i in part.chosen]
            draws = [_stream(seed, prompts[number], draw) for number, draw in group]
            drawn = self._generate([ids[number] for number, _ in part.of(rows)], decoding, draws, part)
            kept.update(zip(group, drawn, strict=True))
        for number, draw in rows:
            found[number].append(kept[number, draw])
        for number, completions in enumerate(found):
            self.usage.completed(completions, len(ids[number]))
        return found

    def next_token(self, prompts: Sequence[str], *, most: int | None = None) -> list[NextToken]:
        """See :class:`~methods.common.language_model.interface.LanguageModel`."""
        ids = self._encode(prompts, 1)
        found: dict[int, NextToken] = {}
        for part in self._batches(ids, 1):
            seen = FirstScores()
            self._run(part.of(ids), 1, seen)
            laws = seen.first.log_softmax(-1)
            top = laws.topk(laws.shape[1] if most is None else min(most, laws.shape[1]))
            for row, i in enumerate(part.chosen):
                found[i] = self._listed(top.values[row], top.indices[row])
        self.usage.calls += len(prompts)
        self.usage.prompt_tokens += sum(map(len, ids))
        return [found[i] for i in range(len(prompts))]

    def _listed(self, values: Tensor, tokens: Tensor) -> NextToken:
        names = self.tokenizer.convert_ids_to_tokens(tokens.tolist())
        # Ids beyond the tokenizer pad some models' output layers; they have no name.
        listed = {
            f"<{token}>" if name is None else name: value
            for name, token, value in zip(names, tokens.tolist(), values.tolist(), strict=True)
        }
        return NextToken(listed, max(0.0, 1.0 - float(values.double().exp().sum())))

    def _batches(self, prompts: Sequence[Sequence[int]], new_tokens: int) -> Iterator[FixedBatch]:
        before = [self._before(prompt, new_tokens) for prompt in prompts]
        lengths = [len(prompt) - known for prompt, known in zip(prompts, before, strict=True)]
        kinds = [self._kind(known) for known in before]
        return fixed_batches(lengths, self.batch, device=device_type(self.model), kinds=kinds)

    def _before(self, prompt: Sequence[int], new_tokens: int) -> int:
        """Tokens at the beginning of a prompt that need not be read with it."""
        return 0

    def _kind(self, before: int) -> int:
        """What prompts that are read together have in common, by the tokens that need not be read."""
        return before

    def _generate(
        self,
        prompts: list[list[int]],
        decoding: Decoding,
        draws: list[np.random.Generator],
        part: FixedBatch,
    ) -> list[Completion]:
        # Copies that fill the batch draw, too, but not from the streams of the rows that count.
        spare = [np.random.default_rng(0) for _ in range(part.size - len(draws))]
        drawing = Draw(decoding, [*draws, *spare])
        ended = Ended(self.tokenizer, decoding.stop, self._start(prompts))
        rows = self._run(prompts, decoding.new_tokens, drawing, ended)[: len(draws)]
        ends = set(_end_ids(self.model, self.tokenizer))
        return [self._completion(row, decoding, ends, drawing.chosen(i)) for i, row in enumerate(rows)]

    def _completion(
        self, row: list[int], decoding: Decoding, ends: set[int], chosen: list[float]
    ) -> Completion:
        stopped = next((place for place, token in enumerate(row) if token in ends), None)
        body = row if stopped is None else row[:stopped]
        text = self.tokenizer.decode(body, skip_special_tokens=True)
        cuts = [text.find(stop) for stop in decoding.stop if stop in text]
        if cuts:
            # The row may go on with padding while others are not done; those tokens do not count.
            tokens = _tokens_until(self.tokenizer, body, decoding.stop)
            return Completion(text[: min(cuts)], tokens, finished=True, log_probability=sum(chosen[:tokens]))
        tokens = len(row) if stopped is None else stopped + 1
        return Completion(text, tokens, stopped is not None, log_probability=sum(chosen[:tokens]))

    def _run(
        self, prompts: list[list[int]], new_tokens: int, processor: FirstScores, ended: Ended | None = None
    ) -> list[list[int]]:
        from transformers import GenerationConfig, LogitsProcessorList, StoppingCriteriaList

        longest = fixed_width(max(map(len, prompts)))
        separate = is_encoder_decoder(self.model)
        # Decoders continue the text, so it is padded on the left; encoders do not care.
        padded = [[self._pad] * (longest - len(prompt)) + prompt for prompt in prompts]
        mask = [[0] * (longest - len(prompt)) + [1] * len(prompt) for prompt in prompts]
        config = GenerationConfig(
            max_new_tokens=new_tokens,
            do_sample=False,
            pad_token_id=self._pad,
            eos_token_id=_end_ids(self.model, self.tokenizer) or None,
            decoder_start_token_id=getattr(self.model.config, "decoder_start_token_id", None),
        )
        device = self.model.get_input_embeddings().weight.device
        with torch.inference_mode():
            found = self.model.generate(
                torch.tensor(padded, device=device),
                attention_mask=torch.tensor(mask, device=device),
                generation_config=config,
                logits_processor=LogitsProcessorList([processor]),
                stopping_criteria=StoppingCriteriaList([] if ended is None else [ended]),
            )
        rows: list[list[int]] = found[:, 1 if separate else longest :].tolist()
        return rows

    def _start(self, prompts: list[list[int]]) -> int:
        return 1 if is_encoder_decoder(self.model) else fixed_width(max(map(len, prompts)))

    @property
    def _pad(self) -> int:
        pad = self.tokenizer.pad_token_id
        return int(pad if pad is not None else self.tokenizer.eos_token_id or 0)

    def _encode(self, prompts: Sequence[str], new_tokens: int) -> list[list[int]]:
        check_texts(prompts)
        rows: list[list[int]] = [self.tokenizer.encode(prompt) for prompt in prompts]
        for number, row in enumerate(rows):
            self._check_room(number, len(row), new_tokens)
        return rows

    def _check_room(self, number: int, length: int, new_tokens: int) -> None:
        room = getattr(self.model.config, "max_position_embeddings", None)
        if room is not None and not is_encoder_decoder(self.model) and length + new_tokens > room:
            raise ProblemError(
                f"Prompt {number} has {length} tokens; with {new_tokens} more it exceeds the model's {room}",
                where=self.name,
                fix="Shorten the prompt (fewer examples) or ask for fewer tokens.",
            )

    def _split(self, prompt: str, option: str) -> tuple[list[int], list[int]]:
        """Ids of a prompt and of an option after it, as the tokenizer splits both together.

        Where the last token of the prompt would merge with the option, the option is split alone.
        """
        before: list[int] = self.tokenizer.encode(prompt)
        if is_encoder_decoder(self.model):
            return before, self.tokenizer.encode(option, add_special_tokens=False)
        both: list[int] = self.tokenizer.encode(prompt + option)
        whole = both[: len(before)] == before and len(both) > len(before)
        after = both[len(before) :] if whole else self.tokenizer.encode(option, add_special_tokens=False)
        return before, after


def _stream(seed: int, prompt: str, draw: int) -> np.random.Generator:
    digest = hashlib.blake2b(f"{seed}\0{draw}\0{prompt}".encode(), digest_size=16).digest()
    return np.random.default_rng(int.from_bytes(digest, "big"))


def _end_ids(model: Model, tokenizer: Any) -> list[int]:
    """Ids that end a text: the model's own and the tokenizer's."""
    declared = getattr(getattr(model, "generation_config", None), "eos_token_id", None)
    ids = declared if isinstance(declared, list) else [declared]
    return sorted({int(i) for i in [*ids, tokenizer.eos_token_id] if i is not None})


def _tokens_until(tokenizer: Any, row: list[int], stop: Sequence[str]) -> int:
    """Tokens up to the one with which the first stop is complete."""
    for length in range(1, len(row)):
        text = tokenizer.decode(row[:length], skip_special_tokens=True)
        if any(one in text for one in stop):
            return length
    return len(row)
