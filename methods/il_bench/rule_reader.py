"""A trained rule transformer as a language model: it answers requests to follow an instruction."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import torch

from methods.common.fixed_batches import INDEPENDENT, fixed_batches
from methods.common.language_model import Completion, Decoding, LanguageModel, NextToken
from methods.common.language_model.interface import check_texts
from methods.il_bench.asking import read_request
from methods.il_bench.rule_net import RuleNet
from methods.il_bench.rule_tokens import Prompt, encode_request


@dataclass
class RuleReader(LanguageModel):
    """Reads rules in controlled English and an input in any template, and names a label.

    Attributes:
        net: In evaluation mode.
        batch: Prompts at once, at most.
    """

    net: RuleNet = field(repr=False)
    batch: int = field(default=256, kw_only=True)

    @property
    def together(self) -> int:
        """See :class:`~methods.common.language_model.interface.LanguageModel`."""
        return 0 if self.net.embedding.weight.device.type in INDEPENDENT else self.batch

    def score(self, prompts: Sequence[str], options: Sequence[Sequence[str]]) -> list[list[float]]:
        """See :class:`~methods.common.language_model.interface.LanguageModel`.

        What is no label of the request has probability 0.
        """
        check_texts(prompts, options)
        return [
            [law.get(option.strip(), -math.inf) for option in of_prompt]
            for law, of_prompt in zip(self._laws(prompts), options, strict=True)
        ]

    def sample(
        self, prompts: Sequence[str], decoding: Decoding, *, count: int = 1, seed: int = 0
    ) -> list[list[Completion]]:
        """A label for each request; see :class:`~methods.common.language_model.interface.LanguageModel`."""
        check_texts(prompts)
        found = []
        for prompt, law in zip(prompts, self._laws(prompts), strict=True):
            draws = [_drawn(law, decoding.temperature, (seed, draw, prompt)) for draw in range(count)]
            found.append([Completion(label, 1, True, law[label]) for label in draws])
            self.usage.completion_tokens += count
        return found

    def next_token(self, prompts: Sequence[str], *, most: int | None = None) -> list[NextToken]:
        """See :class:`~methods.common.language_model.interface.LanguageModel`; a label is a token."""
        check_texts(prompts)
        found = []
        for law in self._laws(prompts):
            ranked = dict(sorted(law.items(), key=lambda one: -one[1])[:most])
            found.append(NextToken(ranked, max(0.0, 1.0 - math.fsum(map(math.exp, ranked.values())))))
        return found

    def _laws(self, prompts: Sequence[str]) -> list[dict[str, float]]:
        """Log-probabilities of the labels of each request."""
        encoded = [encode_request(read_request(prompt)) for prompt in prompts]
        self.usage.calls += len(prompts)
        self.usage.prompt_tokens += sum(len(one.tokens) for one in encoded)
        # Inputs that agree on the variables of the rules have the same tokens, and are read once.
        keys = [(len(one.tokens), one.labels, one.tokens.tobytes()) for one in encoded]
        waiting = sorted(dict(zip(keys, encoded, strict=True)).items())
        found: dict[tuple[int, tuple[str, ...], bytes], dict[str, float]] = {}
        # Prompts of one length go together, so that nothing is padded but the number of rows.
        lengths = [len(one.tokens) for _, one in waiting]
        kind = self.net.embedding.weight.device.type
        for part in fixed_batches(lengths, self.batch, device=kind, kinds=lengths):
            laws = self._run([one for _, one in part.of(waiting)])
            found |= {waiting[i][0]: law for i, law in zip(part.chosen, laws, strict=False)}
        return [found[key] for key in keys]

    def _run(self, prompts: Sequence[Prompt]) -> list[dict[str, float]]:
        device = self.net.embedding.weight.device
        with torch.inference_mode():
            logits, _ = self.net(torch.from_numpy(np.stack([one.tokens for one in prompts])).to(device))
        rows = []
        for prompt, row in zip(prompts, logits.double().cpu(), strict=True):
            law = row[: len(prompt.labels)].log_softmax(0).tolist()
            rows.append(dict(zip(prompt.labels, law, strict=True)))
        return rows


def _drawn(law: dict[str, float], temperature: float, source: tuple[int, int, str]) -> str:
    """The likeliest label at temperature 0, else one drawn with a seed that depends on ``source`` alone."""
    if temperature == 0:
        return max(law, key=lambda label: law[label])
    digest = hashlib.blake2b("\0".join(map(str, source)).encode(), digest_size=16).digest()
    weights = np.array([value / temperature for value in law.values()])
    weights = np.exp(weights - weights.max())
    rng = np.random.default_rng(int.from_bytes(digest, "big"))
    return list(law)[int(rng.choice(len(law), p=weights / weights.sum()))]
