"""Names of experiments, tasks and methods, and the cells that claims and displays read."""

from __future__ import annotations

from collections.abc import Sequence

from harness.claims import Cell, Contrast, Replication
from harness.method import Metric
from methods.il_bench.following import FOLLOWED
from methods.il_bench.method import ACCURACY

DEPTHS = (1, 2, 3)
"""Depths of the hidden trees."""
DEEP = (2, 3)
"""Those on which the claim on prompt optimisation rests."""
SIZES = {1: (4, 2), 2: (6, 3), 3: (8, 3)}
"""Variables and labels by depth."""
ERRING = "depth-2-erring"
"""Task of depth 2 whose other executor errs often."""
SHIFTS = {
    "margin": "one value of the root's variable at a tenth of its weight",
    "nuisance": "unseen values of variables that no label needs",
    "order": "variables in another order",
    "json": "JSON in place of equations",
    "sentence": "sentences in place of equations",
}
"""Shifted test sets, by the part that they are scored in."""
COVARIATES = ("margin", "nuisance")
"""Shifts of what is said."""
TEMPLATES = ("json", "sentence")
"""Other ways to say it."""
COUNTS = (1, 2, 3, 4, 6, 8, 12, 16, 24)
"""Rules of the lists by which rule following is measured."""

OPTIMISERS = {"best-of": "best of 32", "ape": "APE", "opro": "OPRO", "protegi": "ProTeGi"}
"""Searches for one instruction of three rules, as a module of a program has."""
LONG = {6: "long-6", 12: "long-12", 24: "long-24"}
"""Single instructions of more rules, by their number."""
PROGRAMS = {
    "lsp": "LSP, error count",
    "lsp-rate": "LSP, error rate",
    "lsp-random": "LSP, random leaf with errors",
    "lsp-any": "LSP, any leaf",
    "lsp-early": "LSP, ends with the first vain expansion",
    "lsp-one": "LSP, T = 1",
    "lsp-two": "LSP, T = 2",
    "lsp-half": "LSP, half of T",
    "lsp-beam": "LSP, beam of 3",
    "lsp-pruned": "LSP, pruned on validation items",
    "lsp-paraphrase": "LSP, modules by paraphrase",
}
"""Programs, by how they are grown."""
UNTAUGHT = {"zero-shot": "zero-shot", "in-context": "32 examples in context"}
POOLED = {"vote": "vote of the 3 best", "tree-prompting": "Tree Prompting"}
CLASSICAL = {
    "majority": "majority",
    "cart": "CART (upper line)",
    "forest": "random forest",
    "boosting": "gradient boosting",
    "knn": "5 nearest neighbours",
    "logistic": "logistic regression",
}
"""Learners over symbols, which ask nobody."""
EMBEDDED = {"minilm-knn": "5 nearest neighbours, MiniLM embeddings"}
LABELS = {
    **UNTAUGHT,
    **OPTIMISERS,
    **{name: f"one instruction of {rules} rules" for rules, name in LONG.items()},
    "long-24-all": "one instruction of 24 rules, from all items",
    "reasoning": "8 examples in context, with reasoning",
    **POOLED,
    **PROGRAMS,
    **CLASSICAL,
    **EMBEDDED,
}
"""How methods are called in the report."""
SABOTAGED = {
    "lsp-shuffled": "LSP shown exchanged labels",
    "lsp-crossed": "LSP with crossed branches",
    "lsp-backwards": "LSP that undoes its expansions",
}
"""LSP with one mechanism broken."""

SEEDS = Replication.SEEDS
"""Each seed draws a tree of its own."""


def tree(depth: int) -> str:
    """Id of the task of a depth."""
    return f"depth-{depth}"


def followed(executor: str, rules: int) -> Cell:
    """How well an executor follows lists of so many rules."""
    return Cell("following", "follow", FOLLOWED, task=executor, where=(("rules", rules),))


class Place:
    """The cells of one experiment on trees of rising depth.

    Attributes:
        experiment: Its id.
    """

    def __init__(self, experiment: str) -> None:
        self.experiment = experiment

    def of(self, method: str, depth: int, part: str = "test", metric: Metric = ACCURACY) -> Cell:
        """A metric on trees of one depth."""
        return Cell(self.experiment, method, metric, task=tree(depth), part=part)

    def over(self, method: str, baseline: str, depths: Sequence[int] = DEEP, part: str = "test") -> Contrast:
        """Mean difference between two methods over some depths."""
        share = 1 / len(depths)
        return Contrast(
            tuple(
                (sign * share, self.of(name, depth, part))
                for depth in depths
                for sign, name in ((1.0, method), (-1.0, baseline))
            )
        )

    def mean(self, method: str, depths: Sequence[int] = DEEP, part: str = "test") -> Contrast:
        """Mean accuracy of a method over some depths."""
        return Contrast(tuple((1 / len(depths), self.of(method, depth, part)) for depth in depths))


SURROGATE = Place("surrogate")
"""Surrogate learner and interpreter."""
SEARCHES = Place("search")
"""The same models; programs grown in different ways, on more seeds."""
NEURAL = Place("neural")
"""Surrogate learner, a small transformer that follows rules; a wider one runs its programs, too."""
LARGER = Place("larger")
"""The same with the two transformers exchanged."""
SHIFTED = Place("shifted")
"""Shifted test sets, with the executor that most claims rest on."""
QUESTIONED = Place("untaught")
"""The question alone, on more seeds, with the executor that most claims rest on."""
GEMMA = Place("gemma")
"""Surrogate learner, Gemma-3-270M as executor."""
INSTRUCT = Place("instruct")
"""One instruction-tuned model as learner and executor."""
SERVED_WEAKER = Place("served-weaker")
"""The weaker of two models behind an endpoint, as learner and executor."""
SERVED = Place("served")
"""The stronger one."""
