"""Where read-outs and objectives are measured, from which claims and displays take their cells."""

from __future__ import annotations

from collections.abc import Mapping

from harness.claims import Place, Profile, Replication
from methods.metric_aware.metrics import LARGEST, RMSE, SET_F1, TOKEN_F1
from suites.metric_aware.arms import OBJECTIVES

NOISES = {"noise-0.3": 0.3, "noise-0.8": 0.8, "noise-1.5": 1.5}
"""Tasks of the toy, by the noise of a label."""
WIDTHS = {"amazon": 0, "amazon-hidden-16": 16, "amazon-hidden-128": 128}
"""Heads on MiniLM of three sizes, by their hidden units; one domain, since embedding it takes a minute."""
PROMPTED = ("amazon", "movie")
"""Domains of the rating data that Gemma-3-270M is asked about."""
PUBLIC = ("sts", "sick")
PAPER_SETS = ("sts-b", "amazon-us")
PAPER_MODELS = ("base", "large", "xl")
"""Sizes of FLAN-T5."""

PROVED = Place("exact", metric=LARGEST)
"""The largest error of what is proved; the task is a family of checks."""
TOYS = {f"latent grades, σ = {sigma:g}": Place("toy", task, metric=RMSE) for task, sigma in NOISES.items()}
"""A softmax regression of latent grades, by label."""
MAIN_TOY = Place("toy", "noise-0.8", metric=RMSE)
WIDE_TOY = MAIN_TOY.on("noise-1.5")
EMBEDDED = Place("embedded", "amazon", metric=RMSE)
"""A linear head on sentence embeddings, judged by the mean of the human ratings; part ``rater`` by one."""


def _asked(experiment: str, task: str) -> Place:
    return Place(experiment, task, replication=Replication.CROSSED, metric=RMSE)


ASKED: Mapping[Profile, Mapping[str, Place]] = {
    # Each draw of examples asks about texts of its own, so that a seed draws everything anew.
    Profile.SMALL: {f"Gemma-3-270M, {domain}": Place("prompted", domain, metric=RMSE) for domain in PROMPTED},
    Profile.GPU: {f"Gemma-3-270M, {name}": _asked("public", name) for name in PUBLIC},
    Profile.PAPER: {
        f"FLAN-T5 {size}, {name}": _asked("flan", f"{name}-{size}")
        for name in PAPER_SETS
        for size in PAPER_MODELS
    },
}
"""Language models after solved examples, by label."""
OPEN: Mapping[Profile, Place] = {
    Profile.SMALL: Place("open", "countries", replication=Replication.UNITS, metric=TOKEN_F1),
    Profile.GPU: Place("open", "nq-open", replication=Replication.UNITS, metric=TOKEN_F1),
}
"""Gemma-3-270M's answers to open questions; questions are the replicates."""
SETS = Place("sets", "mixture", metric=SET_F1)
"""Sets of labels."""

TRAINED = {
    "well": "well specified, n = 1000",
    "bent-1000": "misspecified, n = 1000",
    "bent-5000": "misspecified, n = 5000",
    "pretrained": "pretrained network, n = 200",
    "random": "the same network from random weights, n = 200",
    "ratings": "sentence embeddings, human ratings",
    "hidden": "Gemma-3-270M's last hidden states, human ratings, n = 100",
}
"""Tasks of fine-tuning, with their labels."""
ONLY_FULL = ("well", "bent-1000")
"""Tasks of fine-tuning that no claim reads."""
_ALL = tuple(OBJECTIVES)
COMPARED: Mapping[str, tuple[str, ...]] = {
    "well": ("ce", "raft", "mbr", "head"),
    "bent-1000": ("ce", "raft", "mbr", "head"),
    "bent-5000": _ALL,
    "pretrained": ("as-is", *_ALL),
    "random": ("ce", "raft", "head"),
    "ratings": _ALL,
    "hidden": ("as-is", *_ALL),
    "scrambled": ("raft", "head"),
    "bent-20000": ("ce", "raft", "head"),
}
"""What each task compares: all objectives where claims read them, few elsewhere."""
_STAND_INS = ("pretrained", "random", "scrambled")
"""Tasks of the network that was pretrained on another world: cheap, so that they have more seeds."""


def trained(task: str, *, part: str = "main") -> Place:
    """Where a task of fine-tuning is measured: by its own read-out; part ``mode`` by the likeliest digit."""
    experiment = "pretrained" if task in _STAND_INS else "hidden" if task == "hidden" else "raft"
    return Place(experiment, task, part=part, metric=RMSE)
