"""The tokenizer of generated worlds: every word is one token."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import ClassVar

FILE = "words.json"


@dataclass(frozen=True)
class WordTokenizer:
    """Does what a tokenizer of ``transformers`` would do with single words, without its overhead.

    Attributes:
        words: All words, in the order of their ids.
        pad: The word that fills rows, and stands for unknown ones.
        end: The word that ends answers.
    """

    words: tuple[str, ...]
    pad: str
    end: str

    bos_token_id: ClassVar[None] = None

    @cached_property
    def _ids(self) -> dict[str, int]:
        return {word: index for index, word in enumerate(self.words)}

    @property
    def pad_token_id(self) -> int:
        """Id of the padding word."""
        return self._ids[self.pad]

    @property
    def eos_token_id(self) -> int:
        """Id of the word that ends answers."""
        return self._ids[self.end]

    def __call__(self, text: str, *, add_special_tokens: bool = True) -> dict[str, list[int]]:
        """Ids of the words of a text; there are no special tokens to add."""
        del add_special_tokens
        ids, unknown = self._ids, self.pad_token_id
        return {"input_ids": [ids.get(word, unknown) for word in text.split()]}

    def decode(self, ids: Sequence[int]) -> str:
        """The words of some ids."""
        return " ".join(self.words[index] for index in ids)

    def save(self, folder: Path) -> None:
        """Write the words."""
        found = {"words": self.words, "pad": self.pad, "end": self.end}
        (folder / FILE).write_text(json.dumps(found), encoding="utf-8")


def load_words(folder: Path) -> WordTokenizer:
    """The tokenizer that was saved in ``folder``."""
    found = json.loads((folder / FILE).read_text(encoding="utf-8"))
    return WordTokenizer(tuple(found["words"]), found["pad"], found["end"])
