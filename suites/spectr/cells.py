"""Names of methods, and where claims and displays take their cells."""

from __future__ import annotations

from harness.claims import Place
from harness.method import Metric, mean_of
from harness.method.metric import Columns
from methods.spectr.method import BLOCK_EFFICIENCY

DRAFTS = (1, 2, 4, 8)
"""K of the grid."""
LENGTHS = (4, 8)
"""L of the grid."""
LAW_SIZE = (4, 2)
"""K and L where the distribution of the output is tested."""
SIZES = (2**17, 2**19, 2**21)
"""Vocabularies on which K-SEQ is timed: below, a selection costs its fixed millisecond."""
SMALL_SIZES = (2, 8, 32)
"""Vocabularies, equally spaced, on which the linear program is timed in its place."""
PROGRAM_TRIES = (1, 2, 3, 4)
"""k for which the linear program is timed."""
NOISES = {"close": 0.2, "near": 0.5, "middle": 1.0, "far": 2.0}
"""Tasks of simulated chains by the noise of the draft's logits."""
TEMPERATURES = {"t-05": 0.5, "t-02": 0.2, "t-005": 0.05}
"""Tasks of simulated chains by temperature; 1 is the task ``middle``."""


def name(drafts: int, length: int) -> str:
    """Id of a method of the grid: ``k8-l4``."""
    return f"k{drafts}-l{length}"


ONE, EIGHT = name(1, 8), name(8, 8)
"""One draft and eight, of eight tokens each: what the paper's headline compares."""


def _largest(columns: Columns) -> float:
    return float(max(columns["error"]))


def _total(columns: Columns) -> float:
    return float(sum(columns["witness"]))


SECONDS = mean_of("seconds", better="lower", unit="s")
PROPERTY = Metric("largest error", ("error",), _largest, "lower")
"""Only names the column: exact claims read errors and tolerances themselves."""
WITNESS = Metric("witnesses", ("witness",), _total, "higher")

GRID = Place("grid", metric=BLOCK_EFFICIENCY)
"""The profile's pair of models, by K and L; part ``"overlap"`` has the contexts where blocks begin."""
GEMMA = Place("gemma", "trained", metric=BLOCK_EFFICIENCY)
"""Gemma-3-270M with a draft over its hidden state; task ``counted`` has a trigram draft."""
SIMULATION = Place("simulation", metric=BLOCK_EFFICIENCY)
"""Random Markov chains."""
LIMITS = Place("limits", metric=BLOCK_EFFICIENCY)
"""The same with better and worse drafts, and at lower temperatures; each is a task."""
LAW = Place("law")
"""Where emitted tokens are held against the target's distribution."""
CHAINS = Place("chains", part="law", metric=PROPERTY)
"""The distribution of whole blocks, enumerated."""
PAIRS = Place("pairs", "pairs", metric=PROPERTY)
"""Selection rules on small distributions; each property is a part."""
TIME = Place("time", part="time", metric=SECONDS)
"""Decoding with the profile's pair, timed; part ``"main"`` has what was decoded."""
GEMMA_TIME = Place("gemma-time", "trained", part="time", metric=SECONDS)
"""The same with Gemma-3-270M, K and L by measured time; under ``--full`` also the task ``counted``."""
SIZE = Place("size", part="time", metric=SECONDS)
"""Selections by size of the vocabulary, timed."""
TRIES = Place("tries", part="time", metric=SECONDS)
"""Selections by number of candidates, timed."""
