"""The methods that are compared, all within one budget of requests to the learner, and their names."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any

from harness.suite import Methods, arms
from methods.il_bench.classical import ClassicalLearner, EmbeddingLearner
from methods.il_bench.method import (
    LSP,
    Ape,
    BestOf,
    ChainOfThought,
    Ensemble,
    InContext,
    LongPrompt,
    Opro,
    ProTeGi,
    TreePrompting,
    ZeroShot,
)
from methods.il_bench.sabotage import Sabotaged

UNTAUGHT = arms(
    {
        "zero-shot": "zero-shot",
        "in-context": "32 examples in context",
        "reasoning": "8 examples in context, with reasoning",
    },
    "without learning",
)
OPTIMISERS = arms(
    {"best-of": "best of 32", "ape": "APE", "opro": "OPRO", "protegi": "ProTeGi"},
    "one instruction of three rules",
)
"""Searches for one instruction of three rules, as a module of a program has."""
_LENGTHS = (6, 12, 24)
LONG = arms(
    {f"long-{rules}": f"one instruction of {rules} rules" for rules in _LENGTHS},
    "one instruction of more rules",
)
LONG_FROM_ALL = arms({"long-24-all": "one instruction of 24 rules, from all items"}, LONG[0].group)
POOLED = arms({"vote": "vote of the 3 best", "tree-prompting": "Tree Prompting"}, "several instructions")
PROGRAMS = arms(
    {
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
    },
    "programs",
)
"""Programs, by how they are grown."""
SABOTAGED = arms(
    {
        "lsp-shuffled": "LSP shown exchanged labels",
        "lsp-crossed": "LSP with crossed branches",
        "lsp-fewest": "LSP, fewest errors first",
        "lsp-half-vain": "LSP, half of T in vain",
        "lsp-worded": "LSP that knows one wording",
    },
    "sabotaged programs",
)
"""LSP with one mechanism broken."""
CLASSICAL = arms(
    {
        "majority": "majority",
        "cart": "CART (upper line)",
        "forest": "random forest",
        "boosting": "gradient boosting",
        "knn": "5 nearest neighbours",
        "logistic": "logistic regression",
    },
    "asking nobody",
)
"""Learners over symbols, which ask no language model."""
EMBEDDED = arms({"minilm-knn": "5 nearest neighbours, MiniLM embeddings"}, CLASSICAL[0].group)

ARMS = {
    arm.method: arm
    for kind in (UNTAUGHT, OPTIMISERS, LONG, LONG_FROM_ALL, POOLED, PROGRAMS, SABOTAGED, CLASSICAL, EMBEDDED)
    for arm in kind
}
"""All methods as reports call them, by id, in the order of their rows."""
SINGLES = tuple(arm.method for arm in (*OPTIMISERS, *LONG))
"""Single instructions to beat, short and long."""


@dataclass(frozen=True)
class Sizes:
    """Sizes of all searches.

    Attributes:
        expansions: T of LSP.
        proposals: m of LSP.
        batch: Examples shown for an instruction.
        rules: Rules of a module, and of a short instruction.
    """

    expansions: int = 8
    proposals: int = 4
    batch: int = 64
    rules: int = 3

    @property
    def budget(self) -> int:
        """Requests to the learner: m for each of T modules."""
        return self.expansions * self.proposals


def chosen(names: Iterable[str], sizes: Sizes) -> Methods:
    """Some of the methods, in the order of their names."""
    found = {**_instructions(sizes), **_programs(sizes), **_asking_nobody()}
    return {name: found[name] for name in names}


def _programs(sizes: Sizes) -> Methods:
    """LSP and its variants, whole and broken."""
    same: dict[str, Any] = {
        "expansions": sizes.expansions,
        "proposals": sizes.proposals,
        "batch": sizes.batch,
        "rules": sizes.rules,
        "early": False,
    }
    lsp, half = LSP(**same), max(1, sizes.expansions // 2)
    return {
        "lsp": lsp,
        "lsp-rate": replace(lsp, select="rate"),
        "lsp-random": replace(lsp, select="random"),
        "lsp-any": replace(lsp, select="any"),
        "lsp-early": replace(lsp, early=True),
        "lsp-one": replace(lsp, expansions=1),
        "lsp-two": replace(lsp, expansions=2),
        "lsp-half": replace(lsp, expansions=half),
        # A beam of three asks for three times as many proposals in each step but the first.
        "lsp-beam": replace(lsp, beam=3, expansions=1 + (sizes.expansions - 1) // 3),
        "lsp-pruned": replace(lsp, pruned=True),
        "lsp-paraphrase": replace(lsp, learner="paraphrase"),
        "lsp-shuffled": Sabotaged(**same, bug="shuffled-labels"),
        "lsp-crossed": Sabotaged(**same, bug="crossed-switch"),
        "lsp-fewest": Sabotaged(**same, bug="fewest-errors"),
        "lsp-half-vain": Sabotaged(**same | {"expansions": half}, bug="vain-growth"),
        "lsp-worded": Sabotaged(**same, bug="one-wording"),
    }


def _instructions(sizes: Sizes) -> Methods:
    """Searches for one instruction, short or long, and votes over several."""
    rules, batch = sizes.rules, sizes.batch
    return {
        "zero-shot": ZeroShot(),
        "in-context": InContext(),
        "reasoning": ChainOfThought(),
        "best-of": BestOf(rules=rules, batch=batch),
        "ape": Ape(rules=rules, batch=batch),
        "opro": Opro(rules=rules),
        "protegi": ProTeGi(rules=rules, batch=batch),
        **{f"long-{length}": LongPrompt(rules=length, batch=batch) for length in _LENGTHS},
        "long-24-all": LongPrompt(rules=24, batch=100_000),
        "vote": Ensemble(rules=rules, batch=batch),
        "tree-prompting": TreePrompting(rules=rules, batch=batch),
    }


def _asking_nobody() -> Methods:
    """Learners over symbols and over sentence embeddings."""
    return {
        "majority": ClassicalLearner(learner="majority"),
        "cart": ClassicalLearner(learner="cart"),
        "forest": ClassicalLearner(learner="forest"),
        "boosting": ClassicalLearner(learner="boosting"),
        "knn": ClassicalLearner(learner="knn"),
        "logistic": ClassicalLearner(learner="logistic"),
        "minilm-knn": EmbeddingLearner(learner="knn"),
    }
