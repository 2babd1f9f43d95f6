"""Minimum Bayes risk over sampled texts: the candidate that agrees most with the samples (card §3.4)."""

from __future__ import annotations

import re
import string
from collections import Counter
from collections.abc import Callable, Sequence
from math import isnan

import numpy as np

from harness.method import ProblemError

Utility = Callable[[str, str], float]
"""How good a candidate is where another text is the truth."""

_ARTICLES = re.compile(r"\b(a|an|the)\b")
_PUNCTUATION = str.maketrans("", "", string.punctuation)


def normalised(text: str) -> str:
    """Lower case without punctuation, articles and extra spaces, as for SQuAD."""
    plain = _ARTICLES.sub(" ", text.lower().translate(_PUNCTUATION))
    return " ".join(plain.split())


def token_f1(candidate: str, truth: str) -> float:
    """F1 of the normalised words, as for SQuAD; 1 if both are empty, 0 if one is."""
    left, right = normalised(candidate).split(), normalised(truth).split()
    if not left or not right:
        return float(left == right)
    shared = sum((Counter(left) & Counter(right)).values())
    return 2.0 * shared / (len(left) + len(right))


def rouge_l(candidate: str, truth: str) -> float:
    """ROUGE-L (F measure) of the package ``rouge-score``, with stemming."""
    from rouge_score.rouge_scorer import RougeScorer

    scorer = RougeScorer(["rougeL"], use_stemmer=True)
    return float(scorer.score(truth, candidate)["rougeL"].fmeasure)


def expected_utilities(
    candidates: Sequence[str],
    evidence: Sequence[str],
    utility: Utility,
    *,
    weights: Sequence[float] | None = None,
    exclude_self: bool = False,
) -> list[float]:
    """Mean utility of each candidate over the evidence.

    Args:
        candidates: Texts to decide between.
        evidence: Texts drawn from the model, or distinct texts with weights.
        utility: Of a candidate where a text of the evidence is the truth.
        weights: Probability of each text of the evidence; equal without it.
        exclude_self: Leave one copy of the candidate out of its own evidence. Where candidates are the
            evidence, that match of a sample with itself favours rare candidates.

    Raises:
        ProblemError: If there is no evidence.
    """
    if not evidence:
        raise ProblemError("No samples to decide by", where="evidence", fix="Draw at least one.")
    mass = np.ones(len(evidence)) if weights is None else np.asarray(weights, dtype=np.float64)
    found = []
    for candidate in candidates:
        gains = np.array([utility(candidate, truth) for truth in evidence])
        share = mass.copy()
        if exclude_self and candidate in evidence and len(evidence) > 1:
            share[list(evidence).index(candidate)] = 0.0
        found.append(float(gains @ share / share.sum()))
    return found


def best_candidate(
    samples: Sequence[str],
    utility: Utility,
    *,
    log_probabilities: Sequence[float] | None = None,
    weights: Sequence[float] | None = None,
) -> str:
    """The distinct sample with the largest expected utility over the other samples.

    A drawn sample is no evidence for itself. Where ``weights`` are the model's probabilities, the expectation
    is over all texts, the candidate among them.

    Args:
        samples: Texts drawn from the model (or distinct texts, with ``weights``).
        utility: See :func:`expected_utilities`.
        log_probabilities: Break ties for the more probable; without them, or where one is not told (NaN),
            the first drawn wins.
        weights: Probability of each sample; equal without it.
    """
    distinct = list(dict.fromkeys(samples))
    utilities = expected_utilities(distinct, samples, utility, weights=weights, exclude_self=weights is None)
    told = log_probabilities if log_probabilities and not any(map(isnan, log_probabilities)) else None
    scores = dict(zip(samples, told or [0.0] * len(samples), strict=True))
    # Sums of the same terms in another order differ by rounding, which must not break ties.
    ranked = [
        (round(value, 12), scores[text], -place)
        for place, (text, value) in enumerate(zip(distinct, utilities, strict=True))
    ]
    return distinct[max(range(len(distinct)), key=lambda place: ranked[place])]
