"""A language model with what it answers by itself: what all methods start from."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from methods.common.causal_lm import load_model, load_tokenizer
from methods.kaft.fact_reader import CONFIG, load_fact_reader
from methods.kaft.word_tokens import FILE, load_words

_LINE_ENDS = 4
"""Tokens of up to so many line ends stop an answer, too."""


@dataclass
class Reader:
    """A pretrained model on disk, loaded at most once for each device and precision.

    Attributes:
        folder: Safetensors weights and tokenizer.
        beliefs: M(q): what the model answers without a context, by the text of the question.
    """

    folder: Path
    beliefs: Mapping[str, str] = field(default_factory=dict)
    _models: dict[tuple[str, str], Any] = field(default_factory=dict, repr=False)
    _tokenizer: list[Any] = field(default_factory=list, repr=False)

    def model(self, device: str, dtype: str) -> Any:
        """The shared model, which nobody may change."""
        key = (device, dtype)
        if key not in self._models:
            self._models[key] = load_language_model(self.folder, device=device, dtype=dtype)
        return self._models[key]

    def answering(self, devices: Sequence[str], dtype: str) -> Any:
        """The shared model, on one device or over several GPUs."""
        if len(devices) == 1:
            return self.model(devices[0], dtype)
        from methods.common.sharded.spread import loaded

        key = (",".join(devices), dtype)
        if key not in self._models:
            load = partial(load_language_model, self.folder, dtype=dtype)
            self._models[key] = loaded(lambda device: load(device=device), devices)
        return self._models[key]

    def fresh(self, device: str, dtype: str) -> Any:
        """A private copy, to be trained."""
        return load_language_model(self.folder, device=device, dtype=dtype)

    @property
    def tokenizer(self) -> Any:
        """The tokenizer beside the weights."""
        if not self._tokenizer:
            words = (self.folder / FILE).is_file()
            self._tokenizer.append(load_words(self.folder) if words else load_tokenizer(self.folder))
        return self._tokenizer[0]

    def stops(self) -> Collection[int]:
        """Ids that end an answer: the end token, and line ends where the vocabulary has them."""
        return stop_tokens(self.tokenizer)


def load_language_model(folder: Path, *, device: str, dtype: str) -> Any:
    """A fact reader, or a causal or encoder-decoder model from safetensors, without remote code.

    Raises:
        ResourceError: If the folder holds no safetensors weights.
    """
    if (folder / CONFIG).is_file():
        return load_fact_reader(folder, device)
    return load_model(folder, device=device, dtype=dtype)


def stop_tokens(tokenizer: Any) -> frozenset[int]:
    """Ids of the end token and of line ends."""
    ids = {int(tokenizer.eos_token_id)}
    for count in range(1, _LINE_ENDS + 1):
        found = tokenizer("\n" * count, add_special_tokens=False)["input_ids"]
        if len(found) == 1 and "\n" in tokenizer.decode(found):
            ids.add(int(found[0]))
    return frozenset(ids)
