"""Speed of the IBWS code: all protocols on 1,000 items, and IBWS on every film sentence.

Run it from the repository's root, after a run of the suite has fetched the rating data::

    OMP_NUM_THREADS=1 python benchmarks/ibws_speed.py PATH_TO_RATING_DATA

Two processes share the seeds, as a machine with two cores would. The figures are seconds and
their ratio to the limits: 60 s for 1,000 items, 8 raters, all protocols, 5 seeds; 30 s for IBWS on
all film sentences.
"""

from __future__ import annotations

import sys
import time
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import numpy as np

from methods.common.ratings import load_ratings
from methods.ibws import Crowd, Iteration, crowd_of, iterated_bws, split_raters
from methods.ibws.method import BestWorst, DirectAssessment, Easl, IteratedBestWorst
from methods.ibws.problems import AnnotationProblem

SCORERS = (
    "counting",
    "abw",
    "bradley_terry",
    "plackett_luce",
    "maxdiff",
    "elo",
    "value",
    "rescorla_wagner",
)
METHODS = (
    *(DirectAssessment(raters=8, points=points) for points in (0, 3, 5, 7, 9)),
    DirectAssessment(raters=8, normalise=True),
    DirectAssessment(raters=8, per_screen=5),
    Easl(budget=8),
    *(BestWorst(appearances=8, scorer=scorer) for scorer in SCORERS),
    *(
        IteratedBestWorst(appearances=4, split=split, final=final)
        for split in ("thirds", "sign")
        for final in ("position", "bt_all")
    ),
)


class Stream:
    """The part of a trial's context that annotation uses."""

    def __init__(self, seed: int) -> None:
        self.seed = seed

    def rng(self, name: str) -> np.random.Generator:
        """A stream by name."""
        return np.random.default_rng([self.seed, *name.encode()])


def crowds(folder: Path, domain: str, count: int, seed: int) -> tuple[tuple[str, ...], Crowd, Crowd]:
    """Texts of a domain with two crowds of eight raters (seven for films)."""
    rng = np.random.default_rng(seed)
    rated = load_ratings(folder)[domain]
    rated = rated.take(rng.permutation(len(rated))[: count or len(rated)])
    each = 7 if domain == "movie" else 8
    one, two = split_raters(rated.ratings, (each, each), rng)
    return rated.texts, crowd_of(one, rng), crowd_of(two, rng)


def one_seed(folder: Path, seed: int) -> dict[str, float]:
    """Seconds of each protocol on 1,000 product reviews."""
    texts, one, two = crowds(folder, "amazon", 1000, seed)
    problem = AnnotationProblem(texts, one, two)
    seconds = {}
    for method in METHODS:
        start = time.perf_counter()
        method.run(problem, Stream(seed))  # type: ignore[arg-type]
        seconds[repr(method)] = time.perf_counter() - start
    return seconds


def films(folder: Path, final: str) -> float:
    """Seconds of IBWS on all film sentences."""
    texts, crowd, _ = crowds(folder, "movie", 0, 0)
    rng = np.random.default_rng(0)
    start = time.perf_counter()
    options = Iteration(appearances=4, final=final)  # type: ignore[arg-type]
    iterated_bws(len(texts), crowd.session(rng).compare, rng, options)
    return time.perf_counter() - start


def main() -> None:
    """Measure and print."""
    folder = Path(sys.argv[1])
    start = time.perf_counter()
    with ProcessPoolExecutor(2) as pool:
        found = list(pool.map(one_seed, [folder] * 5, range(5)))
    wall = time.perf_counter() - start
    for name in found[0]:
        print(f"{np.median([row[name] for row in found]):8.3f} s  {name}")
    print(f"1,000 items, {len(METHODS)} protocols, 5 seeds: {wall:.1f} s, {wall / 60:.2f} of the limit")
    for final in ("position", "bt_all"):
        seconds = films(folder, final)
        print(f"all film sentences, {final}: {seconds:.1f} s, {seconds / 30:.2f} of the limit")


if __name__ == "__main__":
    main()
