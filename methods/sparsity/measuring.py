"""How sparse a model of one's own is: ``measure``, its table and its figure, and Top-k around any model."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor, nn

from harness.method import ProblemError
from methods.sparsity.blocks import Block, mlp_blocks
from methods.sparsity.counting import Counts, LayerCounts
from methods.sparsity.hooks import PretrainedCounter
from methods.sparsity.topk import top_k
from methods.sparsity.zeros import SMOOTH, Zero

if TYPE_CHECKING:
    from matplotlib.figure import Figure

COLUMNS = (
    "layer",
    "block",
    "activation",
    "d_ff",
    "tokens",
    "nnz_percent",
    "count",
    "count95",
    "dead_percent",
)
_FORMAT = "corroborate-sparsity-1"


@dataclass(frozen=True)
class Sparsity:
    """Active neurons of a model on what it read.

    Attributes:
        model: The model's class.
        counts: Of each block.
        activations: Of each block its activation, and whether it is gated.
        zero: What counted as zero.
    """

    model: str
    counts: Counts
    activations: tuple[str, ...]
    zero: Zero

    def rows(self) -> list[tuple[object, ...]]:
        """One row a layer, under :data:`COLUMNS`.

        ``nnz_percent`` is the paper's measure (section 3.1), ``count`` the mean of active neurons a token,
        ``count95`` what 95 % of tokens do not exceed, ``dead_percent`` neurons that were never active.
        """
        return [
            (
                place,
                layer.name,
                activation,
                layer.d_ff,
                layer.tokens,
                round(layer.nnz_percent, 4),
                round(layer.mean_count, 2),
                layer.percentile(95),
                round(100 * layer.dead, 4),
            )
            for place, (layer, activation) in enumerate(
                zip(self.counts.layers, self.activations, strict=True), 1
            )
        ]

    def figure(self) -> Figure:
        """Active neurons in per cent by layer: the mean, and what nine of ten tokens lie between."""
        from matplotlib.figure import Figure
        from matplotlib.ticker import MaxNLocator

        layers = self.counts.layers
        places = np.arange(1, len(layers) + 1)
        ends = np.array([[100 * layer.percentile(at) / layer.d_ff for at in (5, 95)] for layer in layers])
        figure = Figure(figsize=(6.0, 3.2), layout="constrained")
        axes = figure.subplots()
        axes.fill_between(places, ends[:, 0], ends[:, 1], alpha=0.25, label="nine of ten tokens")
        axes.plot(places, self.counts.nnz_percents, marker="o", label="mean")
        axes.set(xlabel="layer", ylabel="active neurons, %", ylim=(0, None), title=self.model)
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))
        axes.legend(title=f"zero: {self.zero}", fontsize="small", title_fontsize="small")
        return figure

    def save(self, path: Path) -> None:
        """Write the counts as safetensors, with what they are of in its metadata."""
        from safetensors.numpy import save_file

        tensors = {}
        for place, layer in enumerate(self.counts.layers):
            tensors[f"{place}.firing"], tensors[f"{place}.histogram"] = layer.firing, layer.histogram
        about = {
            "model": self.model,
            "blocks": [layer.name for layer in self.counts.layers],
            "activations": list(self.activations),
            "zero": asdict(self.zero),
        }
        save_file(tensors, path, {"format": _FORMAT, "about": json.dumps(about)})


def load_sparsity(path: Path) -> Sparsity:
    """Read what :meth:`Sparsity.save` wrote.

    Raises:
        ProblemError: If the file is another one.
    """
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(path, framework="numpy") as file:
            told = file.metadata() or {}
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 - not a mapping
    except (OSError, SafetensorError) as error:
        raise ProblemError(f"The file cannot be read: {error}", where=str(path)) from error
    if told.get("format") != _FORMAT:
        raise ProblemError("The file holds no counts of active neurons", where=str(path))
    about = json.loads(told["about"])
    layers = tuple(
        LayerCounts(name, tensors[f"{place}.firing"], tensors[f"{place}.histogram"])
        for place, name in enumerate(about["blocks"])
    )
    return Sparsity(about["model"], Counts(layers), tuple(about["activations"]), Zero(**about["zero"]))


def measure(
    model: nn.Module,
    inputs: Sequence[str] | Iterable[Mapping[str, Tensor]],
    tokenizer: Any = None,
    *,
    zero: Zero | str | None = None,
    length: int = 512,
    batch: int = 8,
    seed: int = 0,
) -> Sparsity:
    """Count the active neurons of every MLP block of a model of ``transformers`` on what it reads.

    What is counted is the input of a block's second layer: behind ReLU its entries above zero; in a gated
    block the product with the gate, which is zero where either factor is. Tokens that the attention mask
    hides do not count.

    Args:
        model: The model; its mode is as before afterwards.
        inputs: Texts, which need the tokenizer; or the keyword arguments of each pass, as a ``DataLoader``
            with such a collator gives them. An encoder-decoder reads texts of which spans are left out, and
            its decoder the spans, as T5 was trained; its tokenizer needs T5's sentinels for that.
        tokenizer: The model's.
        zero: What counts as zero; a text is read by :meth:`~methods.sparsity.zeros.Zero.parse`. Without it
            exact zeros, if all activations have them, and otherwise magnitudes of at most 1 % of the token's
            largest.
        length: Tokens of a text, at most.
        batch: Texts of a pass.
        seed: Of the spans.

    Raises:
        ProblemError: If the model has no MLP blocks that are known, nothing is read, a batch has no names, or
            texts need sentinels that the tokenizer lacks.
        DivergedError: If an activation is not a number.
    """
    blocks = mlp_blocks(model)
    given_rule = Zero.parse(zero) if isinstance(zero, str) else zero
    rule = given_rule or (Zero() if all(block.exact for block in blocks) else SMOOTH)
    device = next(model.parameters()).device
    counter, training, passes = PretrainedCounter(model, rule), model.training, 0
    model.eval()
    try:
        with torch.no_grad(), counter:
            config, rng = getattr(model, "config", None), np.random.default_rng(seed)
            for given in _passes(config, inputs, tokenizer, rng, length=length, batch=batch):
                model(**{name: value.to(device) for name, value in _named(given, passes).items()})
                passes += 1
    finally:
        model.train(training)
    if not passes:
        raise ProblemError(
            "Nothing was read", where=type(model).__name__, fix="Give texts of at least two tokens."
        )
    return Sparsity(type(model).__name__, counter.take(), tuple(map(_told, blocks)), rule)


def _passes(
    config: Any, inputs: Any, tokenizer: Any, rng: np.random.Generator, **size: int
) -> Iterator[Mapping[str, Tensor]]:
    inputs = [inputs] if isinstance(inputs, str) else inputs
    texts = isinstance(inputs, Sequence) and bool(inputs) and all(isinstance(one, str) for one in inputs)
    if not texts:
        yield from inputs
        return
    if tokenizer is None:
        raise ProblemError(
            "Texts need a tokenizer", where="measure(model, texts)", fix="Give the model's as tokenizer=."
        )
    if getattr(config, "is_encoder_decoder", False) and "<extra_id_0>" not in tokenizer.get_vocab():
        raise ProblemError(
            "An encoder-decoder reads texts with spans left out, and the tokenizer has no sentinels for them",
            where=f"{type(tokenizer).__name__}: <extra_id_0>",
            fix="Give batches instead of texts: {'input_ids': ..., 'labels': ...}, as for training.",
        )
    from methods.sparsity.pretrained import text_batches

    yield from text_batches(inputs, tokenizer, config, rng, **size)


def _named(given: Any, number: int) -> Mapping[str, Tensor]:
    """The batch, if it says which input of the model each of its tensors is."""
    if not isinstance(given, Mapping) or not all(isinstance(value, Tensor) for value in given.values()):
        told = sorted(given) if isinstance(given, Mapping) else type(given).__name__
        raise ProblemError(
            f"Batch {number} is no dictionary of tensors but {told}",
            where="measure(model, batches)",
            fix="Name them as the model's forward() does: ({'pixel_values': x} for x, _ in loader).",
        )
    return given


def _told(block: Block) -> str:
    return f"{block.function}, gated" if block.gated else block.function


@contextmanager
def top_k_activations(model: nn.Module, k: int) -> Iterator[None]:
    """Keep the k largest magnitudes of what each second layer sees, while this is entered.

    Behind ReLU this is the paper's Top-k transformer, in training and in inference: gradients pass through
    what is kept. Models that were trained without it lose what they are used to.

    Args:
        model: A model of ``transformers``.
        k: Neurons that stay active, at least 1; blocks of at most k neurons stay as they are.

    Raises:
        ProblemError: If k is less than 1, or the model has no MLP blocks that are known.
    """
    if k < 1:
        raise ProblemError(f"Top-k with k = {k} keeps nothing", fix="Give k of at least 1.")

    def cut(_: nn.Module, args: tuple[Any, ...]) -> tuple[Any, ...]:
        a = args[0]
        # Behind ReLU magnitudes are the entries themselves; the mask is a constant for the gradient.
        keeps = torch.ne(top_k(a.detach().abs(), k), 0)
        return (a * keeps, *args[1:])

    handles = [block.second.register_forward_pre_hook(cut) for block in mlp_blocks(model)]
    try:
        yield
    finally:
        for handle in handles:
            handle.remove()
