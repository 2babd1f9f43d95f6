"""Toy policies: small transformers over compact states, behind the interface of language models.

They stand in for large models, and say so (``surrogate``). Delexicalised states repeat, within a batch
and from batch to batch; the distribution of the next token is computed once for each distinct beginning,
and every row draws from it with random numbers of its own.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from harness.method import ProblemError
from methods.common.causal_lm import probabilities
from methods.common.fixed_batches import INDEPENDENT, fixed_batches
from methods.common.language_model import Completion, Decoding, LanguageModel, NextToken
from methods.common.language_model.interface import check_texts
from methods.rest_react.compact import END, PAD, VOCABULARY, Compact, Encoded
from methods.rest_react.delexical import Lexicon
from methods.rest_react.toy_transformer import CONTEXT, REPLY, ToyTransformer

_ROWS = 256
"""Beginnings that one forward pass reads, at most."""
_MEMORY = 60_000
"""Distributions that are kept, at most: some 30 MB."""
_PROMPTS = 20_000
"""Translated prompts that are kept, at most."""

Beginning = tuple[int, ...]
Floats = NDArray[np.float64]


@dataclass
class Policy(LanguageModel):
    """A toy transformer that reads and writes about one world.

    A line break ends a text: it is the model's own end, and other stop strings are ignored.

    Attributes:
        network: The trained weights.
        compact: Translates for the world.
        laws: Log-probabilities (V,) after beginnings that were read before.
        read: Prompts that were translated before; evaluation runs ask the same again.
    """

    network: ToyTransformer
    compact: Compact
    surrogate: bool = field(default=True, kw_only=True)
    laws: dict[Beginning, NDArray[np.float32]] = field(default_factory=dict, kw_only=True, repr=False)
    read: dict[str, Encoded] = field(default_factory=dict, kw_only=True, repr=False)

    @property
    def together(self) -> int:
        """See :class:`~methods.common.language_model.interface.LanguageModel`."""
        return 0 if self.network.tokens.device.type in INDEPENDENT else _ROWS

    def speaking(self, lexicon: Lexicon) -> Policy:
        """The same weights about another world."""
        return Policy(self.name, self.identity, self.network, Compact(lexicon), laws=self.laws)

    def sample(
        self, prompts: Sequence[str], decoding: Decoding, *, count: int = 1, seed: int = 0
    ) -> list[list[Completion]]:
        """See :class:`~methods.common.language_model.interface.LanguageModel`.

        Raises:
            ProblemError: If a prompt is no state or too long, or ``top_k`` is asked for.
        """
        if decoding.top_k:
            raise ProblemError("Toy policies do not cut to k tokens", where=self.name, fix="Use top_p.")
        encoded = self._encode(prompts)
        draws = np.concatenate([_draws(seed, prompt, count, decoding.new_tokens) for prompt in prompts])
        paths = self._descend(encoded, count, draws, decoding)
        found = []
        for number, prompt in enumerate(encoded):
            made: dict[tuple[int, ...], Completion] = {}
            own = paths[number * count : (number + 1) * count]
            for path in own:
                if path.tokens not in made:
                    made[path.tokens] = path.completion(self.compact.decode_action(prompt, path.written))
            found.append([made[path.tokens] for path in own])
            self.usage.completed(found[-1], len(prompt.tokens))
        return found

    def score(self, prompts: Sequence[str], options: Sequence[Sequence[str]]) -> list[list[float]]:
        """See :class:`~methods.common.language_model.interface.LanguageModel`; ends are scored too."""
        check_texts(prompts, options)
        found = []
        for prompt, texts in zip(self._encode(prompts), options, strict=True):
            actions = [self.compact.encode_action(prompt, text) for text in texts]
            starts = [prompt.tokens + action[:n] for action in actions for n in range(len(action))]
            if max(map(len, actions)) > REPLY:
                raise ProblemError(
                    f"An option has more than {REPLY} tokens", where=self.name, fix="Score shorter ones."
                )
            laws = iter(self._laws(starts))
            found.append([sum(float(next(laws)[token]) for token in action) for action in actions])
            self.usage.calls += len(texts)
            self.usage.prompt_tokens += sum(len(prompt.tokens) + len(action) for action in actions)
        return found

    def next_token(self, prompts: Sequence[str], *, most: int | None = None) -> list[NextToken]:
        """See :class:`~methods.common.language_model.interface.LanguageModel`."""
        encoded = self._encode(prompts)
        found = []
        for law in self._laws([prompt.tokens for prompt in encoded]):
            order = np.argsort(-law, kind="stable")[:most]
            listed = {VOCABULARY[token]: float(law[token]) for token in order}
            found.append(NextToken(listed, max(0.0, 1.0 - sum(map(math.exp, listed.values())))))
        self.usage.calls += len(prompts)
        self.usage.prompt_tokens += sum(len(prompt.tokens) for prompt in encoded)
        return found

    def _encode(self, prompts: Sequence[str]) -> list[Encoded]:
        check_texts(prompts)
        if len(self.read) > _PROMPTS:
            self.read.clear()
        for prompt in prompts:
            if prompt not in self.read:
                self.read[prompt] = self.compact.encode(prompt)
        encoded = [self.read[prompt] for prompt in prompts]
        self._fit(max((len(one.tokens) for one in encoded), default=0))
        return encoded

    def _fit(self, length: int) -> None:
        if length > CONTEXT:
            raise ProblemError(
                f"A state has {length} tokens; the policy reads {CONTEXT}",
                where=self.name,
                fix="Allow fewer searches or show fewer results.",
            )

    def _descend(
        self, encoded: Sequence[Encoded], count: int, draws: Floats, decoding: Decoding
    ) -> list[_Path]:
        """Draw a token for every row that has not ended, level after level, shape of draws (rows, levels).

        Rows that have written the same after equal prompts share a path, so that most work is done
        once for all of them.
        """
        roots = {tokens: number for number, tokens in enumerate({prompt.tokens: None for prompt in encoded})}
        paths = [_Path(tokens) for tokens in roots]
        at = np.repeat([roots[prompt.tokens] for prompt in encoded], count)
        going = np.arange(len(at))
        for level in range(min(decoding.new_tokens, REPLY)):
            if not len(going):
                break
            here, rows = np.unique(at[going], return_inverse=True)
            parents = [paths[number] for number in here.tolist()]
            laws = np.stack(self._laws([path.prompt + path.tokens for path in parents]))
            tokens = _inverted(laws, rows, draws[going, level], decoding)
            taken, rows = np.unique(rows * laws.shape[1] + tokens, return_inverse=True)
            at[going] = len(paths) + rows
            for parent, token in (divmod(pair, laws.shape[1]) for pair in taken.tolist()):
                paths.append(parents[parent].followed(token, float(laws[parent, token])))
            ended = np.array([path.ended for path in paths])
            going = going[~ended[at[going]]]
        return [paths[number] for number in at.tolist()]

    def _laws(self, beginnings: Sequence[Beginning]) -> list[NDArray[np.float32]]:
        """Log-probabilities of the token after each beginning, shape (V,)."""
        if len(self.laws) > _MEMORY:
            self.laws.clear()
        # What is known already depends on what was asked before; a distribution must not.
        new = [one for one in dict.fromkeys(beginnings) if one not in self.laws]
        for part in fixed_batches([len(one) for one in new], _ROWS, device=self.network.tokens.device.type):
            self._read([new[i] for i in part.chosen], part.of(new), part.width)
        return [self.laws[one] for one in beginnings]

    def _read(self, chosen: list[Beginning], rows: list[Beginning], width: int) -> None:
        """Compute the distributions after the chosen beginnings, which are the first of all rows."""
        device = self.network.tokens.device
        ids = torch.tensor([one + (PAD,) * (width - len(one)) for one in rows], device=device)
        last = torch.tensor([row * width + len(one) - 1 for row, one in enumerate(rows)], device=device)
        with torch.inference_mode():
            laws = self.network(ids, last).log_softmax(-1)
        self.laws.update(zip(chosen, laws.cpu().numpy(), strict=False))


@dataclass(frozen=True)
class _Path:
    """What was written after a prompt so far, with its log-probability at temperature 1."""

    prompt: Beginning
    tokens: tuple[int, ...] = ()
    total: float = 0.0

    @property
    def ended(self) -> bool:
        return bool(self.tokens) and self.tokens[-1] == END

    @property
    def written(self) -> tuple[int, ...]:
        return self.tokens[:-1] if self.ended else self.tokens

    def followed(self, token: int, value: float) -> _Path:
        return _Path(self.prompt, (*self.tokens, token), self.total + value)

    def completion(self, text: str) -> Completion:
        return Completion(text, len(self.tokens), self.ended, self.total)


def _inverted(
    laws: NDArray[np.float32], rows: NDArray[np.int64], draws: Floats, decoding: Decoding
) -> NDArray[np.int64]:
    """A token for each row: where the cumulative distribution exceeds its draw."""
    logits: Tensor = torch.from_numpy(laws)
    law = probabilities(logits, temperature=decoding.temperature, top_p=decoding.top_p).double().numpy()
    steps = law.cumsum(axis=1)[rows]
    # Strictly above the draw, so that a token of probability 0 is never chosen.
    tokens: NDArray[np.int64] = (steps <= (draws * steps[:, -1])[:, None]).sum(axis=1)
    return tokens.clip(max=laws.shape[1] - 1)


def _draws(seed: int, prompt: str, count: int, levels: int) -> Floats:
    digest = hashlib.blake2b(f"{seed}\0{prompt}".encode(), digest_size=16).digest()
    return np.random.default_rng(int.from_bytes(digest, "big")).random((count, levels))
