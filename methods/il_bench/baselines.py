"""What LSP is compared with: single instructions found in other ways, at an equal budget (card §4)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from methods.il_bench.asking import (
    Learner,
    criticism_request,
    edit_request,
    history_request,
    paraphrase_request,
)
from methods.il_bench.items import Item
from methods.il_bench.programs import Predict


@dataclass
class Bench:
    """What every search for an instruction needs, with its budget.

    Attributes:
        items: Training items.
        learner: Writes.
        predict: Applies.
        rng: Chooses examples.
        budget: Requests to the learner, at most.
        sample: Items on which a candidate is scored while searching.
    """

    items: Sequence[Item]
    learner: Learner
    predict: Predict
    rng: np.random.Generator
    budget: int
    sample: int = 100
    _subset: list[Item] = field(default_factory=list, repr=False)

    @property
    def left(self) -> int:
        """Requests that may still be made."""
        return self.budget - self.learner.asked

    def draw(self, size: int) -> list[Item]:
        """Items to show, without repetition."""
        chosen = self.rng.permutation(len(self.items))[:size]
        return [self.items[place] for place in chosen]

    def score(self, instruction: str) -> float:
        """Share of a fixed subset of the training items that an instruction gets right."""
        if not self._subset:
            self._subset = self.draw(self.sample)
        return accuracy(instruction, self._subset, self.predict)

    def best(self, instructions: Sequence[str]) -> str:
        """The instruction that gets most of all training items right; of equals, the first."""
        return max(dict.fromkeys(instructions), key=lambda one: accuracy(one, self.items, self.predict))


def accuracy(instruction: str, items: Sequence[Item], predict: Predict) -> float:
    """Share of the items that an instruction gets right."""
    said = predict(instruction, [item.text for item in items])
    return sum(label == item.label for label, item in zip(said, items, strict=True)) / len(items)


def ape(bench: Bench, *, shown: int = 32, rounds: int = 2, kept: int = 4) -> str:
    """APE: proposals from demonstrations, then variations of the best (arXiv 2211.01910).

    Half of the budget goes into proposals, the rest into ``rounds`` of variations.

    Args:
        bench: Tools and budget.
        shown: Demonstrations for a proposal.
        rounds: Rounds of variations.
        kept: Instructions that are varied.
    """
    pool = [bench.learner.summarise(bench.draw(shown)) for _ in range(max(1, bench.budget // 2))]
    for rest in range(rounds, 0, -1):
        pool = sorted(dict.fromkeys(pool), key=bench.score, reverse=True)[:kept]
        for number in range(bench.left // rest):
            pool.append(bench.learner.write(paraphrase_request(pool[number % min(kept, len(pool))])))
    return bench.best(pool)


def opro(bench: Bench, *, start: str, each: int = 8, kept: int = 20, exemplars: int = 3) -> str:
    """OPRO: instructions from the history of instructions and scores (arXiv 2309.03409).

    Args:
        bench: Tools and budget.
        start: The first instruction.
        each: Instructions written in a step.
        kept: Instructions shown.
        exemplars: Items shown.
    """
    scores = {start: bench.score(start)}
    while bench.left > 0:
        ranked = sorted(scores.items(), key=lambda one: one[1])[-kept:]
        history = [(instruction, round(100 * score)) for instruction, score in ranked]
        labels, most = bench.learner.labels, bench.learner.rules
        for _ in range(min(each, bench.left)):
            prompt = history_request(history, bench.draw(exemplars), labels, most=most)
            written = bench.learner.write(prompt)
            scores.setdefault(written, bench.score(written))
    # The paper's last choice is by the score on all training items.
    return bench.best(sorted(scores, key=lambda one: -scores[one])[:kept])


@dataclass(frozen=True)
class Gradients:
    """Sizes of ProTeGi, by its authors' code.

    Attributes:
        beam: Instructions kept.
        minibatch: Items looked at for errors.
        groups: Groups of errors for each instruction.
        errors: Errors in a group.
        paraphrases: Variations of each new instruction.
        successors: New instructions scored for each old one.
    """

    beam: int = 4
    minibatch: int = 64
    groups: int = 4
    errors: int = 4
    paraphrases: int = 2
    successors: int = 8


def protegi(bench: Bench, *, sizes: Gradients = Gradients(), first: int = 4) -> str:
    """ProTeGi: criticism of errors, edits after it, variations, and a beam (arXiv 2305.03495).

    Args:
        bench: Tools and budget.
        sizes: Of the search.
        first: Proposals from examples that begin the beam.
    """
    beam = [bench.learner.summarise(bench.draw(sizes.minibatch)) for _ in range(min(first, bench.budget))]
    while bench.left > 0:
        before = bench.left
        pool = list(beam)
        for instruction in beam:
            pool += _successors(instruction, bench, sizes)
        beam = sorted(dict.fromkeys(pool), key=bench.score, reverse=True)[: sizes.beam]
        if bench.left == before:
            break
    return bench.best(beam)


def _successors(instruction: str, bench: Bench, sizes: Gradients) -> list[str]:
    items = bench.draw(sizes.minibatch)
    said = bench.predict(instruction, [item.text for item in items])
    wrong = [item for item, label in zip(items, said, strict=True) if label != item.label]
    found: list[str] = []
    for number in range(sizes.groups):
        group = wrong[number * sizes.errors : (number + 1) * sizes.errors]
        # A criticism, an edit and the variations of the edit belong together.
        if not group or bench.left < 2 + sizes.paraphrases:
            break
        criticism = bench.learner.write(criticism_request(instruction, group))
        labels, most = bench.learner.labels, bench.learner.rules
        edited = bench.learner.write(edit_request(instruction, group, criticism, labels, most=most))
        found.append(edited)
        found += [bench.learner.write(paraphrase_request(edited)) for _ in range(sizes.paraphrases)]
    chosen = bench.rng.permutation(len(found))[: sizes.successors]
    return [found[place] for place in chosen]


def best_of(bench: Bench, *, shown: int = 64) -> str:
    """The best of as many proposals of RuleSum as the budget allows."""
    return bench.best([bench.learner.summarise(bench.draw(shown)) for _ in range(bench.budget)])


def ranked(bench: Bench, *, shown: int = 64) -> list[str]:
    """All different proposals of a whole budget, those that get most training items right first."""
    pool = dict.fromkeys(bench.learner.summarise(bench.draw(shown)) for _ in range(bench.budget))
    return sorted(pool, key=lambda one: accuracy(one, bench.items, bench.predict), reverse=True)


def vote(instructions: Sequence[str], texts: Sequence[str], predict: Predict) -> list[str | None]:
    """The label that most instructions give; of equals, the one named first; None if none names any."""
    answers = [predict(instruction, texts) for instruction in instructions]
    found: list[str | None] = []
    for place in range(len(texts)):
        labels = [row[place] for row in answers if row[place] is not None]
        found.append(max(dict.fromkeys(labels), key=labels.count, default=None))
    return found
