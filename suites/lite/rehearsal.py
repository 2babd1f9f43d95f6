"""The large profiles at toy size."""

from __future__ import annotations

from harness.suite import Rehearsal
from methods.common.stand_ins import COMMON, Collection, Rows, TinyModel
from methods.lite.ir_sets import BEIR_SETS

_RANKED = ("msmarco-passage-train", "msmarco-passage-dev", "trec-dl-2019", "trec-dl-2020")
_JUDGED = ("nq-passages-train", "nq-passages-dev")

REHEARSAL = Rehearsal(
    stand_ins={
        **COMMON,
        **{name: Collection(given=True) for name in (*_RANKED, *_JUDGED)},
        **{data.name: Collection(documents=30, queries=4) for data in BEIR_SETS},
        "cranfield": Collection(),
        "six-layer-bert": TinyModel("distilbert"),
        "teacher": TinyModel("cross-encoder"),
        "trecqa": Rows("trecqa", {"train": 80, "validation": 40, "test": 40}),
    },
    sizes={
        "CollectionPassages.depth": 20,
        "DocstringPassages.most": 120,
        "DocstringPassages.test": 20,
        "DocstringPassages.train": 60,
        "DocstringPassages.validation": 20,
        "DocstringPassages.fold": 10,
        "DocstringPassages.held_out": 1,
        "DocstringPassages.in_domain": 1,
        "DocstringPassages.fold_queries": 10,
        "FitEmbeddings.steps": 5,
        "FitScorer.steps": 5,
        "FitTarget.test": 50,
        "LearnOrder.batch": 8,
        "LearnOrder.steps": 3,
        "Regress.steps": 3,
        "StoredVectors.documents": 20,
        "TrainRanker.batch": 8,
        "TrainRanker.steps": 2,
        "WordOrder.test": 20,
    },
)
