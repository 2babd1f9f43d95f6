"""The methods that are compared, all within one budget of requests to the learner."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from harness.method import Method
from methods.il_bench.classical import ClassicalLearner, EmbeddingLearner
from methods.il_bench.method import (
    LSP,
    Ape,
    BestOf,
    Ensemble,
    InContext,
    LongPrompt,
    Opro,
    ProTeGi,
    Sabotaged,
    TreePrompting,
    ZeroShot,
)
from methods.il_bench.sabotage import Backwards

Methods = dict[str, Method[Any, Any]]


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


def programs(sizes: Sizes) -> Methods:
    """LSP and its variants, whole and broken."""
    same: dict[str, Any] = {
        "expansions": sizes.expansions,
        "proposals": sizes.proposals,
        "batch": sizes.batch,
        "rules": sizes.rules,
        "early": False,
    }
    lsp = LSP(**same)
    return {
        "lsp": lsp,
        "lsp-rate": replace(lsp, select="rate"),
        "lsp-random": replace(lsp, select="random"),
        "lsp-any": replace(lsp, select="any"),
        "lsp-early": replace(lsp, early=True),
        "lsp-one": replace(lsp, expansions=1),
        "lsp-two": replace(lsp, expansions=2),
        "lsp-half": replace(lsp, expansions=max(1, sizes.expansions // 2)),
        # A beam of three asks for three times as many proposals in each step but the first.
        "lsp-beam": replace(lsp, beam=3, expansions=1 + (sizes.expansions - 1) // 3),
        "lsp-pruned": replace(lsp, pruned=True),
        "lsp-paraphrase": replace(lsp, learner="paraphrase"),
        "lsp-shuffled": Sabotaged(**same, bug="shuffled-labels"),
        "lsp-crossed": Sabotaged(**same, bug="crossed-switch"),
        "lsp-backwards": Backwards(**same),
    }


def instructions(sizes: Sizes) -> Methods:
    """Searches for one instruction, short or long, and votes over several."""
    rules, batch = sizes.rules, sizes.batch
    return {
        "zero-shot": ZeroShot(),
        "in-context": InContext(),
        "best-of": BestOf(rules=rules, batch=batch),
        "ape": Ape(rules=rules, batch=batch),
        "opro": Opro(rules=rules),
        "protegi": ProTeGi(rules=rules, batch=batch),
        "long-6": LongPrompt(rules=6, batch=batch),
        "long-12": LongPrompt(rules=12, batch=batch),
        "long-24": LongPrompt(rules=24, batch=batch),
        "long-24-all": LongPrompt(rules=24, batch=100_000),
        "vote": Ensemble(rules=rules, batch=batch),
        "tree-prompting": TreePrompting(rules=rules, batch=batch),
    }


def classical() -> Methods:
    """Learners that ask nobody."""
    return {
        "majority": ClassicalLearner(learner="majority"),
        "cart": ClassicalLearner(learner="cart"),
        "forest": ClassicalLearner(learner="forest"),
        "boosting": ClassicalLearner(learner="boosting"),
        "knn": ClassicalLearner(learner="knn"),
        "logistic": ClassicalLearner(learner="logistic"),
    }


def embedded() -> Methods:
    """Learners over sentence embeddings."""
    return {"minilm-knn": EmbeddingLearner(learner="knn")}


def some(methods: Mapping[str, Method[Any, Any]], names: Iterable[str]) -> Methods:
    """Some of the methods, in the order of their names."""
    return {name: methods[name] for name in names}
