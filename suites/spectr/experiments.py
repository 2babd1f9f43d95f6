"""What runs under each profile.

The same experiment ids are used everywhere: ``pairs``, ``chains`` and ``simulation`` need no
models; ``grid``, ``law`` and ``time`` use the pair of the profile (trained from scratch under
``small``, Gemma-3-270M under ``gpu``, the user's under ``paper``); ``gemma`` and ``gemma-time`` add
Gemma-3-270M under ``small``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from harness.claims import Profile
from harness.method import Method, Resource
from harness.suite import Experiment, Scale, Timed, on_cpu
from methods.common.ratings import RATINGS
from methods.spectr.chains import TinyChains
from methods.spectr.method import (
    Assisted,
    Autoregressive,
    Bug,
    NaiveMultiPath,
    RecursiveRejection,
    Sabotaged,
    SpecTr,
    Speculative,
)
from methods.spectr.pairs import Pairs, SelectWith
from methods.spectr.prepare import GEMMA_DRAFT, GEMMA_TARGET, SCRATCH_DRAFT, SCRATCH_TARGET
from methods.spectr.speed import SelectOnce, Speed
from methods.spectr.task import Chain, Continue
from suites.spectr.cells import (
    DRAFTS,
    LAW,
    LENGTHS,
    NOISES,
    PROGRAM_TRIES,
    SIZES,
    SMALL_SIZES,
    TEMPERATURES,
    name,
)

_LOADER = "methods.common.causal_lm:load_checkpoint"
TARGET = Resource(
    name="spectr-target", kind="model", licence="", version="the user's", sources=(), loader=_LOADER
)
"""The paper's target is closed; ``--bind target=PATH`` puts a model in its place."""
DRAFT = Resource(
    name="spectr-draft", kind="model", licence="", version="the user's", sources=(), loader=_LOADER
)
"""As :data:`TARGET`, for ``--bind draft=PATH``."""

BUGS: tuple[Bug, ...] = ("undivided", "deduplicated", "stale-count", "plain-residual")
SILENT: tuple[Bug, ...] = ("undivided", "plain-residual")
"""Those that leave block efficiency looking fine."""


def experiments(scale: Scale) -> Sequence[Experiment]:
    """The experiments of a profile."""
    if scale.profile is Profile.SMOKE:
        return (_pairs(seeds=1, random=4), _chains(worlds=1, most=2), _smoke_simulation())
    worlds = (_simulation(5), _limits(5))
    exact = (_pairs(seeds=5, random=20), _chains(worlds=4, most=3))
    if scale.profile is Profile.SMALL:
        # Gemma's trials are the longest: started first, they leave no worker idle at the end.
        return (*_gemma(), *exact, *_selection(), *worlds, *_scratch(full=scale.full))
    pair = _pair(scale.profile)
    seeds = _seeds(10 if scale.full else 5)
    return (
        *on_cpu(exact),
        *_selection(),
        *on_cpu(worlds),
        _grid(replace(pair, prompts=200, measure="overlap", contexts=4), seeds, rivals=True, minutes=30.0),
        _law(replace(pair, prompts=700, tokens=120, measure="law"), all_bugs=scale.full, minutes=30.0),
        _time(replace(pair, prompts=200, tokens=64), length=8, threads=1),
    )


def _seeds(count: int) -> tuple[int, ...]:
    return tuple(range(100, 100 + count))


def _pair(profile: Profile) -> Continue:
    if profile is Profile.SMALL:
        return Continue(target=SCRATCH_TARGET, draft=SCRATCH_DRAFT, texts=RATINGS)
    if profile is Profile.GPU:
        return Continue(
            target=GEMMA_TARGET, draft=GEMMA_DRAFT, texts=RATINGS, prompt_tokens=8, dtype="bfloat16"
        )
    return Continue(target=TARGET, draft=DRAFT, texts=RATINGS, prompt_tokens=8, dtype="bfloat16")


def _pairs(*, seeds: int, random: int) -> Experiment:
    rules = {
        "k-seq": SelectWith(),
        "k-seq-half": SelectWith(slack=0.5),
        "k-seq-k": SelectWith(slack=1.0),
        "single": SelectWith(name="single"),
        "recursive": SelectWith(name="recursive"),
        "optimal": SelectWith(name="optimal"),
        "target-first": SelectWith(name="target-first"),
        "undivided": SelectWith(name="undivided"),
        "half-divided": SelectWith(name="half-divided"),
        "one-try": SelectWith(name="one-try"),
    }
    apart = {("disjoint", "k-seq"), ("disjoint", "optimal")}
    return Experiment(
        id="pairs",
        title="Selection rules on small laws, against linear programs",
        tasks={"pairs": Pairs(random=random), "disjoint": Pairs(random=0, most=2, disjoint=True)},
        methods=rules,
        seeds=_seeds(seeds),
        unit="pair of laws",
        only=frozenset({("pairs", rule) for rule in rules} | apart),
    )


def _chains(*, worlds: int, most: int) -> Experiment:
    rules = {"spectr": SelectWith(), "recursive": SelectWith(name="recursive")}
    rules |= {"naive": SelectWith(name="single"), "optimal": SelectWith(name="optimal")}
    rules |= {bug: SelectWith(name=bug) for bug in BUGS}
    return Experiment(
        id="chains",
        title="The law of whole blocks, enumerated for chains of three states",
        tasks={"chains": TinyChains(worlds=worlds, most=most)},
        methods=rules,
        seeds=_seeds(1),
        unit="chain and K",
    )


def _selection() -> tuple[Experiment, ...]:
    sizes: dict[str, Method[Any, Any]] = {
        f"v{size}": SelectOnce(vocabulary=size, repeats=4) for size in SIZES
    }
    sizes |= {
        f"program-v{size}": SelectOnce(vocabulary=size, candidates=2, program=True) for size in SMALL_SIZES
    }
    tries: dict[str, Method[Any, Any]] = {}
    for k in PROGRAM_TRIES:
        tries[f"program-k{k}"] = SelectOnce(vocabulary=6, candidates=k, program=True)
        tries[f"k-seq-k{k}"] = SelectOnce(vocabulary=6, candidates=k, repeats=10)
    return (
        Experiment(
            id="size",
            title="Time of one selection by vocabulary size",
            tasks={"laws": Speed(sizes=(*SIZES, *SMALL_SIZES))},
            methods=sizes,
            seeds=_seeds(1),
            unit="block",
            timed=Timed(blocks=12, warmup=2),
        ),
        Experiment(
            id="tries",
            title="Time of the linear program by number of candidates",
            tasks={"laws": Speed(sizes=(6,))},
            methods=tries,
            seeds=_seeds(1),
            unit="block",
            timed=Timed(blocks=12, warmup=2),
        ),
    )


def _grid_methods() -> dict[str, Method[Any, Any]]:
    """Plain sampling, the K × L grid, and what replaces its cells in controls."""
    methods: dict[str, Method[Any, Any]] = {"ar": Autoregressive()}
    for length in LENGTHS:
        for drafts in DRAFTS:
            kind = Speculative if drafts == 1 else SpecTr
            methods[name(drafts, length)] = kind(drafts=drafts, length=length)
    return methods


def _sabotage_methods() -> dict[str, Method[Any, Any]]:
    bugs: tuple[Bug, ...] = ("undivided", "plain-residual", "copied-drafts")
    return {bug: Sabotaged(drafts=8, length=8, bug=bug) for bug in bugs}


def _rivals(drafts: int, length: int) -> dict[str, Method[Any, Any]]:
    return {
        "recursive": RecursiveRejection(drafts=drafts, length=length),
        "naive": NaiveMultiPath(drafts=drafts, length=length),
        "rho-k": SpecTr(drafts=drafts, length=length, slack=1.0),
    }


def _simulation(seeds: int, *, prompts: int = 64, tokens: int = 40) -> Experiment:
    task = Chain(prompts=prompts, tokens=tokens, measure="overlap")
    methods: dict[str, Any] = {**_grid_methods(), **_rivals(8, 8), **_sabotage_methods()}
    methods["shuffled-draft"] = Sabotaged(drafts=8, length=8, bug="shuffled-draft")
    return Experiment(
        id="simulation",
        title="Block efficiency of random Markov chains with 40 states",
        tasks={"chain": task},
        # A chain costs no memory, so all requests are decoded together.
        methods={key: replace(method, batch=prompts) for key, method in methods.items()},
        seeds=_seeds(seeds),
        unit="request",
    )


def _limits(seeds: int) -> Experiment:
    """What the gain comes to as the draft nears the target, and as sampling turns greedy."""
    base = Chain(prompts=64, measure="overlap")
    tasks = {key: replace(base, noise=noise) for key, noise in NOISES.items()}
    tasks |= {key: replace(base, temperature=value) for key, value in TEMPERATURES.items()}
    methods = {
        name(1, 8): Speculative(length=8, batch=64),
        name(8, 8): SpecTr(length=8, batch=64),
    }
    return Experiment(
        id="limits",
        title="The gain from eight drafts by quality of the draft and by temperature",
        tasks=dict(tasks),
        methods=dict(methods),
        seeds=_seeds(seeds),
        unit="request",
    )


def _smoke_simulation() -> Experiment:
    """Two decoders of the simulation, on one world, so that the loop itself is run."""
    whole = _simulation(1, prompts=10, tokens=8)
    kept = ("ar", name(1, 8), name(8, 8))
    return replace(whole, methods={key: whole.methods[key] for key in kept})


def _grid(task: Continue, seeds: tuple[int, ...], *, rivals: bool, minutes: float = 15.0) -> Experiment:
    methods = {**_grid_methods(), "copied-drafts": Sabotaged(drafts=8, length=8, bug="copied-drafts")}
    return Experiment(
        id="grid",
        title="Block efficiency by number and length of drafts",
        tasks={"pair": task},
        methods={**methods, **_rivals(8, 8)} if rivals else methods,
        seeds=seeds,
        unit="prompt",
        minutes=minutes,
    )


def _law(task: Continue, *, all_bugs: bool, minutes: float = 15.0) -> Experiment:
    drafts, length = LAW
    methods: dict[str, Method[Any, Any]] = {"spectr": SpecTr(drafts=drafts, length=length)}
    methods["stale-cache"] = Sabotaged(drafts=drafts, length=length, bug="stale-cache")
    for bug in BUGS if all_bugs else SILENT:
        methods[bug] = Sabotaged(drafts=drafts, length=length, bug=bug)
    return Experiment(
        id="law",
        title="Ranks of emitted tokens under the target's law",
        tasks={"pair": task},
        methods=methods,
        seeds=_seeds(1),
        unit="prompt",
        minutes=minutes,
    )


def _arms(length: int, only: int) -> Mapping[str, Method[Any, Any]]:
    return {
        "ar": Autoregressive(batch=1, only=only),
        "k1": Speculative(length=length, batch=1, only=only),
        "k8": SpecTr(length=length, batch=1, only=only),
        "assisted": Assisted(length=length, batch=1, only=only),
        "no-cache": Sabotaged(length=length, batch=1, only=only, bug="no-cache"),
    }


def _time(
    task: Continue, *, length: int, threads: int, experiment: str = "time", only: int = 2
) -> Experiment:
    return Experiment(
        id=experiment,
        title="Seconds for the same prompts, one request at a time",
        tasks={"pair": task},
        methods=_arms(length, only),
        seeds=_seeds(1),
        unit="prompt",
        timed=Timed(blocks=8, warmup=1),
        threads=threads,
        minutes=30.0,
    )


def _scratch(*, full: bool) -> tuple[Experiment, ...]:
    pair = _pair(Profile.SMALL)
    prompts, tokens, seeds = (100, 64, 10) if full else (40, 32, 7)
    return (
        _grid(replace(pair, prompts=prompts, tokens=tokens, measure="overlap"), _seeds(seeds), rivals=full),
        _law(replace(pair, prompts=650, tokens=64, measure="law"), all_bugs=full),
        _time(replace(pair, prompts=200, tokens=24), length=8, threads=1),
    )


def _gemma() -> tuple[Experiment, ...]:
    """Gemma-3-270M on a CPU: 30 prompts of 8 tokens, 32 new tokens, L = 4."""
    task = Continue(
        target=GEMMA_TARGET, draft=GEMMA_DRAFT, texts=RATINGS, prompts=30, prompt_tokens=8, tokens=32
    )
    methods: dict[str, Method[Any, Any]] = {
        "ar": Autoregressive(batch=30),
        "k1": Speculative(length=4, batch=30),
        "k8": SpecTr(length=4, batch=15),
        "assisted": Assisted(length=4, batch=1),
    }
    shown = Experiment(
        id="gemma",
        title="Block efficiency of Gemma-3-270M with a trigram draft",
        tasks={"pair": replace(task, measure="overlap", contexts=2)},
        methods=methods,
        seeds=_seeds(1),
        unit="prompt",
        minutes=30.0,
    )
    timed = _time(replace(task, prompts=200, tokens=8), length=4, threads=1, experiment="gemma-time", only=1)
    return shown, timed
