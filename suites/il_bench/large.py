"""Experiments with language models: local ones under ``gpu``, served ones under ``paper``."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from harness.method import HubSource, Resource
from harness.suite import Experiment, Role
from methods.common.gemma import SafeWeights
from methods.il_bench.models import LocalWeights, Named
from suites.il_bench.arms import Sizes
from suites.il_bench.cells import FOLLOWING, GEMMA, INSTRUCT, QUESTIONED, SERVED, SERVED_WEAKER, SHIFTED
from suites.il_bench.trees import following, on_trees, shifted, untaught

INSTRUCT_MODEL = Resource(
    name="instruct-model",
    kind="model",
    licence="Apache-2.0",
    version="as released",
    sources=(HubSource("Qwen/Qwen2.5-1.5B-Instruct"),),
    loader="methods.common.causal_lm:load_checkpoint",
    size_mb=3100,
)
"""Writes and follows instructions; bind any instruction-tuned model in its place."""
_MINUTES = 240.0
"""Hard limit of a trial with a served model."""


def _named(name: str) -> Resource:
    """A model that only the user can name."""
    return Resource(name=name, kind="model", licence="", version="the user's", sources=(), served=True)


STRONGER, WEAKER = _named("stronger-model"), _named("weaker-model")
"""Two language models, which write and follow; the paper's were served."""
_TEXTS = ("sample", "greedy", "stop")
"""What is asked of a server: probabilities are in none of these experiments."""
ROLES = {
    "stronger": Role(
        paper="gpt-4-1106-preview",
        needs={place.experiment: _TEXTS for place in (SERVED, SERVED_WEAKER, FOLLOWING, SHIFTED, QUESTIONED)},
    ),
    "weaker": Role(
        paper="gpt-3.5-turbo-1106",
        needs={place.experiment: _TEXTS for place in (SERVED, SERVED_WEAKER, FOLLOWING)},
    ),
}
"""By the names of ``--endpoint``."""


def local(*, full: bool) -> Sequence[Experiment]:
    """The experiments of ``gpu``."""
    gemma = LocalWeights(weights=SafeWeights(), name="Gemma-3-270M", batch=256)
    instruct = LocalWeights(weights=INSTRUCT_MODEL, name="instruction-tuned model", batch=128)
    sizes = Sizes() if full else Sizes(expansions=4, proposals=2, batch=32)
    train, test = (200, 200) if full else (80, 100)
    asked: dict[str, Any] = {"train": train, "validation": 20, "test": test, "budget": sizes.budget}
    # A base model continues texts as it likes, so it chooses among the labels.
    choosing = asked | {"options": True}
    count = 8 if full else 5
    written = on_trees(
        INSTRUCT,
        "Hidden trees of depth 2; one instruction-tuned model writes and follows",
        sizes,
        count,
        minutes=20.0,
        writer=instruct,
        reader=instruct,
        other=gemma,
        drawn=True,
        **asked,
    )
    return (
        on_trees(
            GEMMA,
            "Hidden trees; surrogates write, Gemma-3-270M follows",
            sizes,
            count,
            minutes=20.0,
            reader=gemma,
            other=instruct,
            proxy=True,
            **choosing,
        ),
        shifted(gemma, sizes, count, **choosing),
        untaught(gemma, sizes, 12, **choosing),
        replace(written, memory_gb=40.0),
        following({"gemma": (gemma, True), "instruct": (instruct, False)}),
    )


def served(*, full: bool) -> Sequence[Experiment]:
    """The experiments of ``paper``, but for what needs no model."""
    weaker, stronger = (Named(model=model) for model in (WEAKER, STRONGER))
    sizes = Sizes()
    asked: dict[str, Any] = {"train": 200, "validation": 50, "test": 200, "budget": sizes.budget}
    count = 10 if full else 5
    return (
        on_trees(
            SERVED,
            "Hidden trees; the stronger model writes and follows",
            sizes,
            count,
            minutes=_MINUTES,
            writer=stronger,
            reader=stronger,
            other=weaker,
            drawn=True,
            proxy=True,
            **asked,
        ),
        on_trees(
            SERVED_WEAKER,
            "The same with the weaker model",
            sizes,
            count,
            minutes=_MINUTES,
            writer=weaker,
            reader=weaker,
            other=stronger,
            **asked,
        ),
        following({"served": (stronger, False), "served-weaker": (weaker, False)}, minutes=_MINUTES),
        shifted(stronger, sizes, count, minutes=_MINUTES, **asked),
        untaught(stronger, sizes, 10, minutes=_MINUTES, writer=stronger, **asked),
    )
