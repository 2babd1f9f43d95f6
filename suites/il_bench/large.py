"""Experiments with language models: local ones under ``gpu``, served ones under ``paper``."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from harness.claims import Profile
from harness.method import HubSource, Resource
from harness.suite import Experiment, Scale, on_cpu
from methods.common.gemma import SafeWeights
from methods.common.language_model.endpoint import Server
from methods.il_bench.method import ChainOfThought
from methods.il_bench.models import LocalWeights, Served
from methods.il_bench.task import SynTreeTask
from suites.il_bench.arms import Methods, Sizes, instructions, programs, some
from suites.il_bench.cells import ERRING, tree
from suites.il_bench.experiments import erring, following, only, seeds, shifted, syntrees, untaught
from suites.il_bench.rules import SINGLES

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
ADDRESS = "https://api.openai.com/v1"
WEAKER, STRONGER = "gpt-3.5-turbo-1106", "gpt-4-1106-preview"
"""The paper's language models behind one address, by their names there."""

_SEARCHED = (
    "lsp",
    "lsp-random",
    "lsp-any",
    "lsp-one",
    "lsp-half",
    "lsp-backwards",
    "lsp-shuffled",
    "lsp-crossed",
)
_PLAIN = ("zero-shot", "best-of", "long-12", "lsp", "lsp-shuffled")
_DEEP = (tree(2), tree(3))


def large_experiments(scale: Scale) -> Sequence[Experiment]:
    """The experiments of ``gpu`` and ``paper``."""
    if scale.profile is Profile.PAPER:
        return on_cpu(_served(scale))  # The models run elsewhere.
    return _local(scale)


def _local(scale: Scale) -> Sequence[Experiment]:
    gemma = LocalWeights(weights=SafeWeights(), name="Gemma-3-270M", batch=256)
    instruct = LocalWeights(weights=INSTRUCT_MODEL, name="instruction-tuned model", batch=128)
    sizes = Sizes(expansions=8, proposals=4) if scale.full else Sizes(expansions=4, proposals=2, batch=32)
    train, test = (200, 200) if scale.full else (80, 100)
    asked: dict[str, Any] = {"train": train, "validation": 20, "test": test, "budget": sizes.budget}
    count = 8 if scale.full else 5
    # A base model continues texts as it likes, so it chooses among the labels.
    followed = syntrees(reader=gemma, other=instruct, options=True, proxy=True, **asked)
    followed[ERRING] = erring(followed[tree(2)])
    both = SynTreeTask(writer=instruct, reader=instruct, other=gemma, drawn=True, **asked)
    written = {tree(2): both, ERRING: erring(both)}
    methods = some({**instructions(sizes), **programs(sizes)}, (*_PLAIN, "lsp-paraphrase"))
    return (
        _trees("gemma", "Hidden trees; surrogates write, Gemma-3-270M follows", followed, sizes, count=count),
        shifted(gemma, count, sizes, options=True, **asked),
        untaught(syntrees(reader=gemma, options=True, **asked), sizes, 12),
        Experiment(
            id="instruct",
            title="Hidden trees of depth 2; one instruction-tuned model writes and follows",
            tasks=written,
            methods=methods,
            seeds=seeds(count),
            only=only(written, methods, {}),
            unit="input",
            minutes=20.0,
            memory_gb=40.0,
        ),
        following({"gemma": (gemma, True), "instruct": (instruct, False)}, 5),
    )


def _served(scale: Scale) -> Sequence[Experiment]:
    weaker, stronger = (Served(server=_server(name)) for name in (WEAKER, STRONGER))
    sizes = Sizes()
    asked: dict[str, Any] = {"train": 200, "validation": 50, "test": 200, "budget": sizes.budget}
    count = 10 if scale.full else 5
    strong = syntrees(writer=stronger, reader=stronger, other=weaker, drawn=True, proxy=True, **asked)
    strong[ERRING] = erring(strong[tree(2)])
    weak = syntrees(writer=weaker, reader=weaker, other=stronger, **asked)
    title = "Hidden trees; the stronger model writes and follows"
    beside: Methods = {
        **some(instructions(sizes), ("in-context", "vote", "tree-prompting")),
        "reasoning": ChainOfThought(),
        "lsp-paraphrase": programs(sizes)["lsp-paraphrase"],
    }
    tasks = {name: weak[name] for name in _DEEP} | {ERRING: erring(weak[tree(2)])}
    methods = some({**instructions(sizes), **programs(sizes)}, (*_PLAIN, "lsp-crossed"))
    small = Experiment(
        id="served-weaker",
        title="The same with the weaker model",
        tasks=tasks,
        methods=methods,
        seeds=seeds(count),
        unit="input",
        minutes=240.0,
        only=only(tasks, methods, {}),
    )
    return (
        _trees("served", title, strong, sizes, count=count, beside=beside, minutes=240.0),
        small,
        replace(following({"served": (stronger, False), "served-weaker": (weaker, False)}, 5), minutes=240.0),
        shifted(stronger, count, sizes, minutes=240.0, **asked),
        untaught(syntrees(writer=stronger, reader=stronger, **asked), sizes, 10, minutes=240.0),
    )


def _server(model: str) -> Server:
    return Server(ADDRESS, model, protocol="chat", scoring="listed", listed=20)


def _trees(
    name: str,
    title: str,
    tasks: dict[str, SynTreeTask],
    sizes: Sizes,
    *,
    count: int,
    beside: Methods | None = None,
    minutes: float = 20.0,
) -> Experiment:
    """All searches on trees of rising depth."""
    methods = some({**instructions(sizes), **programs(sizes)}, ("zero-shot", *SINGLES, *_SEARCHED))
    methods |= beside or {}
    few = dict.fromkeys(
        ("lsp-random", "lsp-any", "lsp-one", "lsp-half", "lsp-shuffled", "lsp-crossed"), _DEEP
    )
    pairs = only(tasks, methods, few)
    return Experiment(
        id=name, title=title, tasks=tasks, methods=methods, seeds=seeds(count), only=pairs, minutes=minutes
    )
