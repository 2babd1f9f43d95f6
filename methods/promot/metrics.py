"""What outputs are scored by, and how raw rows become the paper's numbers.

Rows carry raw columns, so that every number here can be resampled: ``score`` in 0 … 100 for
accuracy, exact match and ROUGE-2, and ``counts`` for BLEU, which is no mean over sentences.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache, partial
from typing import Literal

import numpy as np

from harness.method import Metric, mean_of
from harness.method.metric import Columns
from methods.common.numbers import same_number

Kind = Literal["accuracy", "exact", "number", "bleu", "rouge"]
"""How a task is scored: first word, any of the answers, a number, BLEU, or ROUGE-2."""

FORMATTED = ("task", "score", "counts")


@dataclass(frozen=True)
class Score:
    """One output, scored.

    Attributes:
        score: 0 … 100; 0 where only counts matter.
        counts: For BLEU: lengths of output and reference, then matches and totals of 1- to
            4-grams, separated by blanks. Empty otherwise.
    """

    score: float
    counts: str = ""


def score(kind: Kind, output: str, references: Sequence[str]) -> Score:
    """Score one output against its references."""
    if kind == "accuracy":
        return Score(100.0 * (_first_word(output) in {_first_word(answer) for answer in references}))
    if kind == "exact":
        return Score(100.0 * (normalised(output) in {normalised(answer) for answer in references}))
    if kind == "number":
        # Without punctuation 1.5 would be 15.
        return Score(100.0 * any(same_number(output, answer) for answer in references))
    if kind == "bleu":
        return Score(0.0, bleu_counts(output, references))
    return Score(100.0 * max(_rouge(output, answer) for answer in references))


def normalised(text: str) -> str:
    """Lower case without punctuation, articles and surplus blanks, as for open questions."""
    import re
    import string

    plain = "".join(character for character in text.lower() if character not in string.punctuation)
    return " ".join(re.sub(r"\b(a|an|the)\b", " ", plain).split())


def bleu_counts(output: str, references: Sequence[str]) -> str:
    """The statistics of a sentence that corpus BLEU adds up; see :class:`Score`."""
    from sacrebleu.metrics.bleu import BLEU

    found = BLEU(effective_order=False).corpus_score([output], [[answer] for answer in references])
    return " ".join(str(int(n)) for n in (found.sys_len, found.ref_len, *found.counts, *found.totals))


def corpus_bleu(counts: Sequence[str]) -> float:
    """Corpus BLEU from the statistics of its sentences."""
    from sacrebleu.metrics.bleu import BLEU

    total = np.array([[int(n) for n in row.split()] for row in counts]).sum(axis=0)
    return float(
        BLEU.compute_bleu(
            correct=total[2:6].tolist(),
            total=total[6:10].tolist(),
            sys_len=int(total[0]),
            ref_len=int(total[1]),
            smooth_method="exp",
        ).score
    )


def task_score(columns: Columns) -> float:
    """One task's number: BLEU where there are counts, the mean of the scores elsewhere."""
    counts = np.asarray(columns["counts"])
    if counts[0]:
        return corpus_bleu(counts.tolist())
    return float(np.mean(np.asarray(columns["score"], dtype=np.float64)))


def by_task(columns: Columns) -> dict[str, float]:
    """Each task's number."""
    tasks = np.asarray(columns["task"])
    return {
        str(task): task_score({name: np.asarray(columns[name])[tasks == task] for name in FORMATTED})
        for task in np.unique(tasks)
    }


def _norm_avg(columns: Columns) -> float:
    return float(np.mean(list(by_task(columns).values())))


def _lowest(columns: Columns) -> float:
    return min(by_task(columns).values())


@dataclass(frozen=True)
class Curve:
    """A trade-off curve over training: one point for each probed step.

    Attributes:
        target: Score on the target task, 0 … 100, shape (steps,).
        held_out: Norm. Avg. of the held-out tasks, 0 … 100, shape (steps,).
    """

    target: np.ndarray
    held_out: np.ndarray

    def at(self, level: float) -> tuple[float, float]:
        """Target and held-out score where the target first reaches ``level``.

        Between two probes the curve is a straight line. A run that never gets there is read at
        its best target score.
        """
        reached = np.flatnonzero(self.target >= level)
        if not len(reached):
            best = int(np.argmax(self.target))
            return float(self.target[best]), float(self.held_out[best])
        after = int(reached[0])
        if after == 0:
            return float(self.target[0]), float(self.held_out[0])
        low, high = self.target[after - 1], self.target[after]
        share = (level - low) / (high - low)
        return level, float((1 - share) * self.held_out[after - 1] + share * self.held_out[after])


def curve(columns: Columns) -> Curve:
    """The curve of rows with the columns ``step``, ``kind``, ``task``, ``score`` and ``counts``."""
    steps, kinds = np.asarray(columns["step"]), np.asarray(columns["kind"])
    points = []
    for step in np.unique(steps):
        pair = []
        for kind in ("target", "held-out"):
            rows = (steps == step) & (kinds == kind)
            pair.append(_norm_avg({name: np.asarray(columns[name])[rows] for name in FORMATTED}))
        points.append(pair)
    target, held_out = np.array(points).T
    return Curve(target, held_out)


def _held_out_at(level: float, columns: Columns) -> float:
    return curve(columns).at(level)[1]


def _target_at(level: float, columns: Columns) -> float:
    return curve(columns).at(level)[0]


def _area(levels: tuple[float, ...], columns: Columns) -> float:
    found = curve(columns)
    return float(np.mean([found.at(level)[1] for level in levels]))


def _largest(columns: Columns) -> float:
    return float(max(columns["error"]))


def _saturated_cosine(columns: Columns) -> float:
    shares, steps = np.asarray(columns["share"], dtype=np.float64), np.asarray(columns["step"])
    full = np.flatnonzero(shares >= 90.0)
    after = steps >= steps[full].min() if len(full) else steps == steps.max()
    return float(np.mean(np.asarray(columns["cosine"], dtype=np.float64)[after]))


_CURVE = ("step", "kind", *FORMATTED)

NORM_AVG = Metric("Norm. Avg.", FORMATTED, _norm_avg, "higher", digits=2, worst=0.0)
"""Plain mean of the tasks' scores (paper, section 5)."""
WORST_TASK = Metric("lowest task score", FORMATTED, _lowest, "higher", digits=2, worst=0.0)
TARGET_SCORE = Metric("target score", FORMATTED, _norm_avg, "higher", digits=2, worst=0.0)
FORMAT_SHARE = mean_of("in_format", better="lower", name="share of outputs in the target's format",
                       unit="%", digits=1, worst=100.0)  # fmt: skip
DRIFT = mean_of("drift", better="lower", name="distance from the pretrained weights")
COSINE = mean_of("cosine", better="higher", name="cosine of gradient and format gradient", worst=1.0)
SATURATED_COSINE = Metric(
    "cosine once outputs are in the target's format", ("cosine", "share", "step"), _saturated_cosine, "lower"
)
PROPERTY = Metric("largest error", ("error",), _largest, "lower")
"""Only names the column: exact claims read errors and tolerances themselves."""


@cache
def held_out_at(level: float) -> Metric:
    """Held-out Norm. Avg. where the target score first reaches ``level``."""
    name = f"Norm. Avg. at target score {level:g}"
    return Metric(name, _CURVE, partial(_held_out_at, level), "higher", digits=2, worst=0.0)


@cache
def target_at(level: float) -> Metric:
    """The target score at which :func:`held_out_at` reads; below ``level`` if it was never reached."""
    name = f"target score matched at {level:g}"
    return Metric(name, _CURVE, partial(_target_at, level), "higher", digits=2, worst=0.0)


@cache
def trade_off(*levels: float) -> Metric:
    """Mean held-out score over several target scores: the height of the trade-off curve."""
    name = f"mean Norm. Avg. at target scores {', '.join(f'{level:g}' for level in levels)}"
    return Metric(name, _CURVE, partial(_area, levels), "higher", digits=2, worst=0.0)


def _first_word(text: str) -> str:
    words = normalised(text).split()
    return words[0] if words else ""


def _rouge(output: str, reference: str) -> float:
    from rouge_score.rouge_scorer import RougeScorer

    scorer = RougeScorer(["rouge2"], use_stemmer=True)
    return float(scorer.score(reference, output)["rouge2"].fmeasure)
