"""How long a generation of search agents takes: roll-outs of 1000 questions with k = 4.

Run it from the repository's root::

    OMP_NUM_THREADS=1 python -m benchmarks.rest_generation

It trains generation 0 of the toy size L, rolls out 1000 two- and three-hop questions with four
candidates a step, chooses targets by the ranker, and trains an agent of each size on them. The
roll-outs have a limit of 2 minutes on 2 cores; one thread is used here.
"""

from __future__ import annotations

import sys
import time

import numpy as np

from harness.method import Context
from methods.rest_react.agent import Settings
from methods.rest_react.generations import grow, hard_questions, improve, lexicon_of
from methods.rest_react.prepare import NamedStreams, Teacher
from methods.rest_react.ranker import LocalRanker
from methods.rest_react.retrieval import SearchTool
from methods.rest_react.world import make_world

QUESTIONS = {2: 750, 3: 250}
LIMIT = 120.0


def timed(label: str, start: float) -> float:
    """Print the CPU seconds since ``start``; returns the time now."""
    now = time.process_time()
    print(f"{label:<40}{now - start:8.1f} s", flush=True)
    return now


def main(ctx: Context | None = None) -> int:
    """Measure; fails if the roll-outs take longer than they may."""
    teacher = Teacher(seed=1)
    streams = NamedStreams(2)
    clock = time.process_time()
    agent = teacher.taught(ctx)  # type: ignore[arg-type]  # toy agents need no context
    clock = timed("generation 0, size L, trained", clock)
    rng = np.random.default_rng(3)
    world = make_world(teacher.entities, teacher.relations, rng)
    tool, lexicon = SearchTool(world.documents, mixed=True), lexicon_of(world)
    questions = hard_questions(world, tool, QUESTIONS, rng)
    clock = timed("questions", clock)
    (walks,) = grow(agent.speaker(lexicon), questions, tool, Settings(samples=4), seeds=[4])
    grown = time.process_time() - clock
    clock = timed(f"{len(questions)} questions rolled out, k = 4", clock)
    data = improve("gen1-1x", walks, LocalRanker(), rng)
    clock = timed(f"{data.about.asked} steps ranked", clock)
    students = teacher.students(ctx)  # type: ignore[arg-type]
    for size in ("L", "S", "XS"):
        students.train(data.examples, lexicon, size, f"gen1-{size}", streams)
        clock = timed(f"size {size} trained on {len(data.examples)} steps", clock)
    return int(grown > LIMIT)


if __name__ == "__main__":
    sys.exit(main())
