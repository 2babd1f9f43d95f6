"""Fine-tuning what reads a language model's last hidden states: its own digits, or heads beside them."""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from harness.method import Artifact, Context, ProblemError, ResourceError, param
from methods.common.numbers import write_number
from methods.metric_aware.corpora import Corpus
from methods.metric_aware.prepare import WEIGHTS
from methods.metric_aware.training_task import Items, Training

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from harness.method import Reference
    from methods.metric_aware.corpora import Graded

STATES = "states.npz"


@dataclass(frozen=True)
class Read:
    """What a frozen model says of n texts before it answers.

    Attributes:
        states: Last hidden states at the end of each prompt, shape (n, d), over their common root mean
            square, so that their coordinates are about one.
        digits: Rows of the model's output layer that belong to the grid, shape (V, d), times that root mean
            square: states and rows give the model's own logits.
    """

    states: NDArray[np.float32]
    digits: NDArray[np.float32]


@dataclass(frozen=True, kw_only=True)
class HiddenStates(Artifact):
    """Last hidden states of a language model that is asked for grades without solved examples.

    Each seed has texts of its own, in training, validation and test: no two seeds share one, so that
    what is measured on them is independent given the model.
    """

    title: ClassVar[str] = "a language model's hidden states before it grades"

    source: Reference = WEIGHTS
    corpus: Corpus = field(default_factory=Corpus)
    seeds: tuple[int, ...] = param((1,), source="ours", doc="whose texts are read, tuning's included")
    texts: int = param(140, source="ours", doc="texts of a seed")
    batch: int = param(16, source="ours", doc="texts at once")
    dtype: str = param("float32", source="ours", doc="type of the weights")
    minutes: float = field(default=30.0, metadata={"source": "ours", "fingerprint": False})

    def build(self, folder: Path, ctx: Context) -> None:
        """Read every text once; writes states and digits."""
        import numpy as np

        source = ctx.load(self.source)
        model, tokenizer = source.model(ctx.device, self.dtype), source.tokenizer
        rows = [row for seed in self.seeds for row in self.chosen(ctx.load(self.corpus.data), seed)]
        instruction = f"{self.corpus.instruction}\n\n"
        before = tokenizer.encode(instruction)
        prompts = [tokenizer.encode(f"{instruction}{self.corpus.shown(row)} ") for row in rows]
        states = last_states(model, before, prompts, batch=self.batch, progress=ctx.progress)
        tokens = [tokenizer.convert_tokens_to_ids(write_number(value)) for value in self.corpus.values]
        if tokenizer.unk_token_id in tokens or None in tokens:
            raise ResourceError(
                "The tokenizer has no token of its own for a digit",
                where=type(tokenizer).__name__,
                fix="Bind a model that writes digits as single tokens.",
            )
        weights = model.get_output_embeddings().weight[tokens].float().cpu().numpy()
        np.savez_compressed(folder / STATES, states=states, digits=weights, allow_pickle=False)

    def load(self, path: Path) -> Read:
        """States and digits on one scale."""
        import numpy as np

        with np.load(path / STATES, allow_pickle=False) as found:
            states, digits = found["states"], found["digits"]
        scale = np.float32(np.sqrt(np.square(states, dtype=np.float64).mean()))
        return Read(states / scale, digits * scale)

    def chosen(self, loaded: Any, seed: int) -> list[Graded]:
        """The texts of a seed.

        Raises:
            ProblemError: If the seed is not among those that are read, or there are too few texts.
        """
        import numpy as np

        rows = self.corpus.read(loaded)
        if seed not in self.seeds or len(rows) < self.texts * len(self.seeds):
            raise ProblemError(
                f"{len(rows)} texts give seed {seed} none of its own, {self.texts} for each of {self.seeds}",
                where="HiddenStates",
                fix="Read fewer texts a seed, or name the seed among those that are read.",
            )
        # One order for all seeds, of which each takes a stretch of its own.
        order = np.random.default_rng([1, len(rows), *self.seeds]).permutation(len(rows))
        return [rows[i] for i in order[self.places(seed)]]

    def places(self, seed: int) -> slice:
        """Where the texts of a seed stand among all that are read."""
        start = self.seeds.index(seed) * self.texts
        return slice(start, start + self.texts)


def last_states(
    model: Any,
    before: Sequence[int],
    prompts: Sequence[Sequence[int]],
    *,
    batch: int,
    progress: Any = lambda _done: None,
) -> NDArray[np.float32]:
    """The hidden state that the output layer would see at the end of each prompt, shape (n, d).

    Args:
        model: A causal language model with a body ``model``, in evaluation mode.
        before: Token ids that prompts begin with, as far as they do; read once.
        prompts: Token ids.
        batch: Prompts at once, at most.
        progress: Told the share that is done.
    """
    import numpy as np
    import torch

    from methods.common.examples import filled
    from methods.common.fixed_batches import fixed_batches

    device = model.get_input_embeddings().weight.device
    # One token of each prompt stays its own; all leave out as much, so that one cache serves them.
    common = min(len(before), *(len(prompt) - 1 for prompt in prompts))
    while any(list(prompt[:common]) != list(before[:common]) for prompt in prompts):
        common -= 1
    rest = [prompt[common:] for prompt in prompts]
    found, done = np.zeros((len(rest), model.config.hidden_size), dtype=np.float32), 0
    with torch.inference_mode():
        shared = None
        if common:
            ids = torch.tensor([list(before[:common])], device=device)
            shared = model.model(ids, use_cache=True).past_key_values
        for part in fixed_batches([len(row) for row in rest], batch, device=device.type):
            group = part.of(rest)
            # Padding on the right is seen by no token before it, and needs no mask.
            ids = torch.from_numpy(filled(group, 0, width=part.width)).to(device)
            cache = copy.deepcopy(shared)
            if cache is not None:
                cache.batch_repeat_interleave(len(group))
            hidden = model.model(ids, past_key_values=cache, use_cache=True).last_hidden_state
            ends = torch.tensor([len(row) - 1 for row in group], device=device)
            last = hidden[torch.arange(len(group), device=device), ends].float().cpu().numpy()
            found[list(part.chosen)] = last[: len(part.chosen)]
            done += len(part.chosen)
            progress(done / len(rest))
    return found


@dataclass(frozen=True, kw_only=True)
class HiddenTraining(Training):
    """Learn to grade texts from a language model's hidden states, beginning with its own digits.

    The model's body stays as it is; its output rows for the digits, or a head, are what is trained.
    Labels are means over raters, as those of STS-B are; cross-entropy takes the nearest digit.

    Attributes:
        states: What was read; train, validation and test together are the texts of a seed.
        corpus: The texts.
    """

    states: HiddenStates
    # Beside the artifact's own: what a task loads has to be found outside of artifacts.
    corpus: Corpus = field(default_factory=Corpus)
    train: int = param(100, source="ours", doc="training items")
    valid: int = param(18, source="ours", doc="validation items")
    test: int = param(22, source="ours", doc="test items")

    def values(self) -> tuple[float, ...]:
        """The grid that the model was asked for."""
        return self.corpus.values

    def start(self, ctx: Context) -> Mapping[str, Any]:
        """The model's own digits."""
        import torch

        digits = torch.from_numpy(ctx.load(self.states).digits)
        return {"digits.weight": digits, "digits.bias": torch.zeros(len(digits))}

    def items(self, ctx: Context) -> Items:
        """This seed's texts."""
        import numpy as np

        rows = self.states.chosen(ctx.load(self.corpus.data), ctx.seed)
        features = ctx.load(self.states).states[self.states.places(ctx.seed)].astype(np.float64)
        labels = np.array([row.label for row in rows])
        ends = np.cumsum([self.train, self.valid, self.test])
        parts = [
            (features[start:end], labels[start:end]) for start, end in zip([0, *ends[:-1]], ends, strict=True)
        ]
        asked = 1 if ctx.stage == "tune" else 2
        ids = tuple(row.id for row in rows)[(ends[asked] - len(parts[asked][1])) : ends[asked]]
        return Items(ids, parts[0], parts[1], parts[asked])
