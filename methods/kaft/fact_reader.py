"""A small encoder that reads a fact as one position: the model of the generated worlds.

Three words make one position, whose vector is the sum of their embeddings: a fact ("s1 r2 o2x3") or
the question ("? s1 r2"). A causal model over single words was tried first; in the time that a CPU
allows, it never learnt to look for the subject of its question, whatever its layout. Here that takes a few
hundred updates, and what remains to be learnt is what the paper is about: when to use what is read.

Shapes: B rows, T words (a multiple of three), S answer words, V vocabulary, d width.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from types import SimpleNamespace

import torch
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from harness.method import ProblemError
from methods.common.draws import fill_normal
from methods.common.examples import Batch, filled
from methods.common.fixed_batches import fixed_batches, fixed_width

WORDS = 3
"""Words of a fact."""
FACTS = 4
"""Places that prompts are read in, unless they are longer: a context of three facts and the question."""
SLOTS = 4
"""Words of an answer with its tag and the end."""
CONFIG, WEIGHTS = "fact_reader.json", "model.safetensors"

Tokens = Sequence[int]


@dataclass(frozen=True)
class Size:
    """Size of the encoder.

    Attributes:
        vocabulary: V.
        layers: Transformer layers (pre-norm, GELU, MLP of four widths).
        hidden: d.
        heads: Attention heads.
    """

    vocabulary: int
    layers: int
    hidden: int
    heads: int = 4


class FactReader(nn.Module):
    """Facts and a question in, words of the answer out, all at once.

    There are no positions: a context is a set of facts. The answer is read off the question's
    place, one linear layer for each word of it.
    """

    def __init__(self, size: Size, generator: torch.Generator | None = None) -> None:
        super().__init__()
        self.size = size
        # The training loop collates prompts and targets apart, as for an encoder-decoder.
        self.config = SimpleNamespace(is_encoder_decoder=True)
        self.embedding = nn.Embedding(size.vocabulary, size.hidden)
        layer = nn.TransformerEncoderLayer(
            size.hidden,
            size.heads,
            4 * size.hidden,
            dropout=0.0,
            activation="gelu",
            batch_first=True,
            norm_first=True,
        )
        self.encoder = nn.TransformerEncoder(layer, size.layers, enable_nested_tensor=False)
        self.norm = nn.LayerNorm(size.hidden)
        self.answer = nn.Linear(size.hidden, SLOTS * size.vocabulary)
        self._draw(generator)

    def _draw(self, generator: torch.Generator | None) -> None:
        with torch.no_grad():
            for parameter in self.parameters():
                if parameter.ndim > 1:
                    fill_normal(parameter, 0.0, parameter.shape[1] ** -0.5, generator)
            fill_normal(self.embedding.weight, 0.0, 1.0, generator)

    def get_input_embeddings(self) -> nn.Embedding:
        """Vectors of words, shape (V, d)."""
        return self.embedding

    def forward(self, ids: Tensor, mask: Tensor) -> Tensor:
        """Logits of the words of the answer.

        Args:
            ids: Facts and the question, which comes last, padded on the right, shape (B, T).
            mask: 1 for words and 0 for padding, shape (B, T).

        Returns:
            Shape (B, S, V).

        Raises:
            ProblemError: If the words do not make whole facts.
        """
        if ids.shape[1] % WORDS or bool((mask.sum(1) % WORDS).any()):
            raise ProblemError(
                f"A prompt of {int(mask.sum(1).max())} words is not made of facts of {WORDS} words",
                where="generated world",
                fix="Give prompts whole: a limit on their length must not cut a fact.",
            )
        facts = self.embedding(ids).unflatten(1, (-1, WORDS)).sum(2)
        seen = mask[:, ::WORDS].bool()
        hidden = self.encoder(facts, src_key_padding_mask=~seen)
        last = hidden[torch.arange(len(ids), device=ids.device), seen.sum(1) - 1]
        logits: Tensor = self.answer(self.norm(last)).unflatten(1, (SLOTS, -1))
        return logits

    def save(self, folder: Path) -> None:
        """Write weights and size."""
        save_file(self.state_dict(), folder / WEIGHTS)
        (folder / CONFIG).write_text(json.dumps(asdict(self.size)), encoding="utf-8")


def load_fact_reader(folder: Path, device: str) -> FactReader:
    """The model that was saved in ``folder``, in evaluation mode."""
    model = FactReader(Size(**json.loads((folder / CONFIG).read_text(encoding="utf-8"))))
    model.load_state_dict(load_file(folder / WEIGHTS))
    return model.requires_grad_(requires_grad=False).to(device).eval()


def word_loss(model: FactReader, batch: Batch, smoothing: float) -> Tensor:
    """Cross-entropy of the words of the answers in nats, summed."""
    logits = model(batch.ids, batch.mask)[:, : batch.labels.shape[1]]
    return nn.functional.cross_entropy(
        logits.flatten(0, 1), batch.labels.flatten(), reduction="sum", label_smoothing=smoothing
    )


def answer_words(
    model: FactReader,
    prompts: Sequence[Tokens],
    *,
    stop: Collection[int],
    pad: int,
    batch: int,
    against: Sequence[Tokens] | None = None,
    alpha: float = 0.0,
) -> list[list[int]]:
    """The most probable words, up to the first of ``stop``.

    Args:
        model: The encoder.
        prompts: Facts and question each.
        stop: Ids that end an answer.
        pad: Id to fill rows with.
        batch: Prompts at once, at most.
        against: The same questions without contexts, for context-aware decoding.
        alpha: Its weight.
    """
    answers: list[list[int]] = [[] for _ in prompts]
    sides = [prompts, against] if against is not None and alpha else [prompts]
    # Widths are whole facts.
    facts = [[len(prompt) // WORDS for prompt in side] for side in sides]
    kinds, device = [fixed_width(count, FACTS) for count in facts[-1]], model.embedding.weight.device.type
    model.eval()
    with torch.no_grad():
        for part in fixed_batches(facts[0], batch, device=device, room=FACTS, kinds=kinds):
            widths = (part.width, kinds[part.chosen[0]])
            logs, *without = (
                _log_probabilities(model, part.of(side), width * WORDS, pad)
                for side, width in zip(sides, widths, strict=False)
            )
            if without:
                logs = (1 + alpha) * logs - alpha * without[0]
            for index, row in zip(part.chosen, logs.argmax(-1).tolist(), strict=False):
                end = next((place for place, word in enumerate(row) if word in stop), len(row))
                answers[index] = row[:end]
    return answers


def _log_probabilities(model: FactReader, prompts: Sequence[Tokens], width: int, pad: int) -> Tensor:
    device = model.embedding.weight.device
    ids = torch.from_numpy(filled(prompts, pad, width=width)).to(device)
    mask = torch.from_numpy(filled([(1,) * len(prompt) for prompt in prompts], 0, width=width)).to(device)
    logits: Tensor = model(ids, mask)
    return logits.log_softmax(-1)
