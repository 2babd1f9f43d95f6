"""Public data with graded labels, and the models of the paper's own scale."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from harness.method import HubSource, MirrorSource, Resource
from methods.common.datasets import DataSet, labelled

_STARS = (1.0, 2.0, 3.0, 4.0, 5.0)


@dataclass(frozen=True)
class Similar:
    """Two sentences with the mean of human similarity ratings, from 0 to 5."""

    id: str
    first: str
    second: str
    score: float


@dataclass(frozen=True)
class Starred:
    """A review with its number of stars, from 1 to 5."""

    id: str
    text: str
    score: float


def load_similar(folder: Path) -> DataSet[Similar]:
    """STS: fields ``sentence1``, ``sentence2``, ``score``."""
    return DataSet(folder, _similar)


def load_starred(folder: Path) -> DataSet[Starred]:
    """Reviews: fields ``text``, and ``label`` counted from 0."""
    return DataSet(folder, lambda n, raw: Starred(str(n), raw["text"], labelled(_STARS, int(raw["label"]))))


def _similar(number: int, raw: dict[str, Any]) -> Similar:
    score = float(raw["score"])
    if not 0.0 <= score <= 5.0:
        raise ValueError(f"the score {score} is none of 0 to 5")
    return Similar(str(number), raw["sentence1"], raw["sentence2"], score)


def _set(name: str, loader: str, *sources: MirrorSource | HubSource, size_mb: int) -> Resource:
    return Resource(
        name=name,
        kind="dataset",
        licence="",
        version="as of the source",
        sources=sources,
        loader=f"methods.metric_aware.public_sets:{loader}",
        size_mb=size_mb,
    )


STS = _set(
    "sts-2015",
    "load_similar",
    MirrorSource("sts"),
    HubSource("mteb/sts15-sts", repo_type="dataset"),
    size_mb=1,
)
"""SemEval 2015, one of the sets that STS-B was drawn from."""
STS_B = _set("sts-b", "load_similar", HubSource("mteb/stsbenchmark-sts", repo_type="dataset"), size_mb=2)
AMAZON = _set(
    "amazon-reviews-us",
    "load_starred",
    HubSource("SetFit/amazon_reviews_multi_en", repo_type="dataset"),
    size_mb=60,
)
"""English reviews of the American shop with their stars, from the multilingual corpus."""


def _model(name: str, repo: str, size_mb: int) -> Resource:
    return Resource(
        name=name,
        kind="model",
        licence="Apache-2.0",
        version="as of the source",
        sources=(HubSource(repo),),
        size_mb=size_mb,
        served=True,
    )


FLAN = {
    "base": _model("flan-t5-base", "google/flan-t5-base", 1000),
    "large": _model("flan-t5-large", "google/flan-t5-large", 3200),
    "xl": _model("flan-t5-xl", "google/flan-t5-xl", 11_500),
}
"""FLAN-T5 in three sizes; a served model may take the place of any."""
