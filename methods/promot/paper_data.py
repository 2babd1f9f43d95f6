"""Data sets of the paper that no other suite uses, as plain rows."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from methods.common.datasets import DataSet, Inference, Summary, labelled


@dataclass(frozen=True)
class WordSense:
    """Two sentences with a word that has the same sense in both, or not."""

    id: str
    first: str
    second: str
    word: str
    same: bool


def load_rte(folder: Path) -> DataSet[Inference]:
    """RTE: fields ``sentence1``, ``sentence2``, ``label`` (0 is entailment)."""
    return DataSet(folder, _rte)


def load_cb(folder: Path) -> DataSet[Inference]:
    """CB: fields ``premise``, ``hypothesis``, ``label`` (entailment, contradiction, neutral)."""
    return DataSet(folder, _cb)


def load_word_senses(folder: Path) -> DataSet[WordSense]:
    """WiC: fields ``sentence1``, ``sentence2``, ``word``, ``label``."""
    return DataSet(folder, _word_sense)


def load_wikilingua(folder: Path) -> DataSet[Summary]:
    """WikiLingua: fields ``article`` with lists ``document`` and ``summary``, or ``source``, ``target``.

    An article's sections are one text, and the sentences that head its steps its summary.
    """
    return DataSet(folder, _wikilingua)


def _id(number: int, raw: dict[str, Any]) -> str:
    return str(raw.get("idx", raw.get("gem_id", number)))


def _wikilingua(number: int, raw: dict[str, Any]) -> Summary | None:
    if "article" not in raw:
        return Summary(_id(number, raw), raw["source"], raw["target"])
    text, summary = (" ".join(raw["article"][name]).strip() for name in ("document", "summary"))
    return Summary(_id(number, raw), text, summary) if text and summary else None


def _rte(number: int, raw: dict[str, Any]) -> Inference:
    label = labelled(("entailment", "not_entailment"), raw["label"])
    return Inference(_id(number, raw), raw["sentence1"], raw["sentence2"], label)


def _cb(number: int, raw: dict[str, Any]) -> Inference:
    label = labelled(("entailment", "contradiction", "neutral"), raw["label"])
    return Inference(_id(number, raw), raw["premise"], raw["hypothesis"], label)


def _word_sense(number: int, raw: dict[str, Any]) -> WordSense:
    same = labelled((False, True), raw["label"])
    return WordSense(_id(number, raw), raw["sentence1"], raw["sentence2"], raw["word"], same=same)
