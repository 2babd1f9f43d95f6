"""What runs under each profile.

The same experiment ids are used everywhere: ``pairs``, ``chains`` and ``simulation`` need no
models; ``grid``, ``law`` and ``time`` use the pair of the profile (trained from scratch under
``small``, Gemma-3-270M under ``gpu``, the user's under ``paper``); ``gemma`` and ``gemma-time`` add
Gemma-3-270M under ``small``.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any

from harness.claims import Profile
from harness.method import Resource
from harness.suite import Experiment, FirstSeed, Methods, Scale, Timed, on_cpu
from methods.common.ratings import RATINGS
from methods.spectr.chains import TinyChains
from methods.spectr.method import (
    Assisted,
    Autoregressive,
    NaiveMultiPath,
    RecursiveRejection,
    SpecTr,
    Speculative,
)
from methods.spectr.pairs import Pairs, SelectWith
from methods.spectr.prepare import GEMMA_COUNTED, GEMMA_TARGET, GEMMA_TRAINED, SCRATCH_DRAFT, SCRATCH_TARGET
from methods.spectr.sabotage import BrokenRule, Bug, DisjointPairs, RuleBug, Sabotaged, SelectBroken
from methods.spectr.speed import SelectOnce, Speed
from methods.spectr.task import Chain, Continue
from suites.spectr import cells

FIRST = FirstSeed()

_LOADER = "methods.common.causal_lm:load_checkpoint"
TARGET, DRAFT = (
    Resource(name=name, kind="model", licence="", version="the user's", sources=(), loader=_LOADER)
    for name in ("spectr-target", "spectr-draft")
)
"""The paper's pair is closed; ``--bind target=PATH`` and ``--bind draft=PATH`` put another in its place."""

_GEMMA = Continue(target=GEMMA_TARGET, draft=GEMMA_TRAINED, texts=RATINGS, prompt_tokens=8)
_PAIRS = {
    Profile.SMALL: Continue(target=SCRATCH_TARGET, draft=SCRATCH_DRAFT, texts=RATINGS),
    Profile.GPU: replace(_GEMMA, dtype="bfloat16"),
    Profile.PAPER: replace(_GEMMA, target=TARGET, draft=DRAFT, dtype="bfloat16"),
}
"""The pair of the profile."""

BUGS: tuple[RuleBug, ...] = ("undivided", "deduplicated", "stale-count", "plain-residual")
SILENT: tuple[RuleBug, ...] = ("undivided", "plain-residual")
"""Those that leave block efficiency looking fine."""


def experiments(scale: Scale) -> Sequence[Experiment]:
    """The experiments of a profile."""
    if scale.profile is Profile.SMOKE:
        return (_pairs(seeds=1, random=4), _chains(worlds=1, most=2), _smoke_simulation())
    worlds = (_simulation(5), _limits(5))
    exact = (_pairs(seeds=5, random=20), _chains(worlds=4, most=3))
    if scale.profile is Profile.SMALL:
        # Gemma's trials are the longest: started first, they leave no worker idle at the end.
        return (*_gemma(full=scale.full), *exact, *_selection(), *worlds, *_scratch(full=scale.full))
    return (*on_cpu(exact), *_selection(), *on_cpu(worlds), *_large(_PAIRS[scale.profile], full=scale.full))


def _scratch(*, full: bool) -> tuple[Experiment, ...]:
    pair = _PAIRS[Profile.SMALL]
    prompts, tokens, seeds = (100, 64, 12) if full else (40, 32, 10)
    return (
        _grid(replace(pair, prompts=prompts, tokens=tokens), seeds, rivals=full),
        _law(replace(pair, prompts=650, tokens=64), all_bugs=full),
        _time(replace(pair, prompts=200, tokens=24)),
    )


def _large(pair: Continue, *, full: bool) -> tuple[Experiment, ...]:
    grid = _grid(replace(pair, prompts=200, contexts=4), 10 if full else 5, rivals=True)
    law = _law(replace(pair, prompts=700, tokens=120), all_bugs=full)
    longer = (replace(experiment, minutes=30.0) for experiment in (grid, law))
    return (*longer, _time(replace(pair, prompts=200, tokens=64)))


def _rules(names: Iterable[str]) -> Methods:
    return {rule: SelectWith(name=rule) for rule in names}


def _broken(names: Iterable[BrokenRule]) -> Methods:
    return {rule: SelectBroken(name=rule) for rule in names}


def _pairs(*, seeds: int, random: int) -> Experiment:
    rules: Methods = {
        "k-seq": SelectWith(),
        "k-seq-half": SelectWith(slack=0.5),
        "k-seq-k": SelectWith(slack=1.0),
        **_rules(("single", "recursive", "optimal")),
        **_broken(("undivided", "half-divided", "one-try")),
    }
    apart = {("disjoint", "k-seq"), ("disjoint", "optimal")}
    return Experiment(
        id="pairs",
        title="Selection rules on small laws, against linear programs",
        tasks={"pairs": Pairs(random=random), "disjoint": DisjointPairs(random=0, most=2)},
        methods=rules,
        seeds=FIRST.take(seeds),
        unit="pair of laws",
        only=frozenset({("pairs", rule) for rule in rules} | apart),
    )


def _chains(*, worlds: int, most: int) -> Experiment:
    return Experiment(
        id="chains",
        title="The law of whole blocks, enumerated for chains of three states",
        tasks={"chains": TinyChains(worlds=worlds, most=most)},
        methods={
            "spectr": SelectWith(),
            "recursive": SelectWith(name="recursive"),
            "naive": SelectWith(name="single"),
            **_rules(("optimal",)),
            **_broken(BUGS),
        },
        seeds=FIRST.take(1),
        unit="chain and K",
    )


def _selection() -> tuple[Experiment, ...]:
    """K-SEQ and the linear program, timed."""
    sizes: Methods = {f"v{size}": SelectOnce(vocabulary=size, repeats=2) for size in cells.SIZES}
    tries: Methods = {}
    for size in cells.SMALL_SIZES:
        sizes[f"program-v{size}"] = SelectOnce(vocabulary=size, candidates=2, program=True)
    for k in cells.PROGRAM_TRIES:
        tries[f"program-k{k}"] = SelectOnce(vocabulary=6, candidates=k, program=True)
        tries[f"k-seq-k{k}"] = SelectOnce(vocabulary=6, candidates=k, repeats=10)
    by_size = Experiment(
        id="size",
        title="Time of one selection by vocabulary size",
        tasks={"laws": Speed(sizes=(*cells.SIZES, *cells.SMALL_SIZES))},
        methods=sizes,
        seeds=FIRST.take(1),
        unit="block",
        timed=Timed(blocks=12, warmup=2),
    )
    title = "Time of the linear program by number of candidates"
    tasks = {"laws": Speed(sizes=(6,))}
    return by_size, replace(by_size, id="tries", title=title, tasks=tasks, methods=tries)


def _grid_methods() -> Methods:
    """Plain sampling, and the K × L grid."""
    methods: Methods = {"ar": Autoregressive()}
    for length in cells.LENGTHS:
        for drafts in cells.DRAFTS:
            kind = Speculative if drafts == 1 else SpecTr
            methods[cells.name(drafts, length)] = kind(drafts=drafts, length=length)
    return methods


def _rivals() -> Methods:
    """Other rules with the same drafts: K = L = 8, as by default."""
    return {"recursive": RecursiveRejection(), "naive": NaiveMultiPath(), "rho-k": SpecTr(slack=1.0)}


def _simulation(seeds: int) -> Experiment:
    bugs: tuple[Bug, ...] = ("undivided", "plain-residual", "copied-drafts", "shuffled-draft")
    methods: dict[str, Any] = {**_grid_methods(), **_rivals(), **{bug: Sabotaged(bug=bug) for bug in bugs}}
    return Experiment(
        id="simulation",
        title="Block efficiency of random Markov chains with 40 states",
        tasks={"chain": Chain(prompts=64, measure="overlap")},
        methods=_together(methods, 64),
        seeds=FIRST.take(seeds),
        unit="request",
    )


def _together(methods: dict[str, Any], requests: int) -> Methods:
    """The methods, decoding all requests at once: a chain costs no memory."""
    return {key: replace(method, batch=requests) for key, method in methods.items()}


def _smoke_simulation() -> Experiment:
    """Three decoders of the simulation, on one world, so that the loop itself is run."""
    whole = _simulation(1)
    methods = _together({key: whole.methods[key] for key in ("ar", cells.ONE, cells.EIGHT)}, 10)
    return replace(whole, tasks={"chain": Chain(prompts=10, tokens=8, measure="overlap")}, methods=methods)


def _limits(seeds: int) -> Experiment:
    """What the gain comes to as the draft nears the target, and as sampling turns greedy."""
    base = Chain(prompts=64, measure="overlap")
    tasks = {key: replace(base, noise=noise) for key, noise in cells.NOISES.items()}
    tasks |= {key: replace(base, temperature=value) for key, value in cells.TEMPERATURES.items()}
    return Experiment(
        id="limits",
        title="The gain from eight drafts by quality of the draft and by temperature",
        tasks=tasks,
        methods=_together({cells.ONE: Speculative(), cells.EIGHT: SpecTr()}, 64),
        seeds=FIRST.take(seeds),
        unit="request",
    )


def _grid(task: Continue, seeds: int, *, rivals: bool) -> Experiment:
    methods: Methods = {**_grid_methods(), "copied-drafts": Sabotaged(bug="copied-drafts")}
    return Experiment(
        id="grid",
        title="Block efficiency by number and length of drafts",
        tasks={"pair": replace(task, measure="overlap")},
        methods={**methods, **_rivals()} if rivals else methods,
        seeds=FIRST.take(seeds),
        unit="prompt",
        minutes=15.0,
    )


def _law(task: Continue, *, all_bugs: bool) -> Experiment:
    drafts, length = cells.LAW_SIZE
    bugs: tuple[Bug, ...] = ("stale-cache", *(BUGS if all_bugs else SILENT))
    methods: Methods = {"spectr": SpecTr(drafts=drafts, length=length)}
    methods |= {bug: Sabotaged(drafts=drafts, length=length, bug=bug) for bug in bugs}
    return Experiment(
        id="law",
        title="Ranks of emitted tokens under the target's law",
        tasks={"pair": replace(task, measure="law")},
        methods=methods,
        seeds=FIRST.take(1),
        unit="prompt",
        minutes=15.0,
    )


def _time(task: Continue) -> Experiment:
    """Decoders in turn, each on ten prompts a block: prompts differ in how much is accepted."""
    return Experiment(
        id="time",
        title="Seconds for the same prompts, one request at a time",
        tasks={"pair": task},
        methods=_timed(
            {
                "ar": Autoregressive(),
                "k1": Speculative(),
                "k8": SpecTr(),
                "assisted": Assisted(),
                "no-cache": Sabotaged(bug="no-cache"),
            }
        ),
        seeds=FIRST.take(1),
        unit="prompt",
        timed=Timed(blocks=8, warmup=1),
        minutes=30.0,
    )


def _timed(methods: dict[str, Any]) -> Methods:
    """The methods on ten of the prompts, drawn anew in each block, one request at a time."""
    return {key: replace(method, batch=1, only=10) for key, method in methods.items()}


def _gemma(*, full: bool) -> tuple[Experiment, ...]:
    """Gemma-3-270M on a CPU, with two drafts: prompts of 8 tokens.

    Block efficiency is that of L = 4. Times are those of the K and L that are fastest on the machine at
    hand, by the same procedure for all; beside them, under ``--full``, the paper's.
    """
    pair = replace(_GEMMA, prompts=30, tokens=16, measure="overlap", contexts=2)
    shown = Experiment(
        id="gemma",
        title="Block efficiency of Gemma-3-270M by draft, L = 4",
        tasks={"trained": pair, "counted": replace(pair, draft=GEMMA_COUNTED)},
        methods={"k1": Speculative(length=4, batch=30), "k8": SpecTr(length=4, batch=15)},
        seeds=FIRST.take(1),
        unit="prompt",
        minutes=30.0,
    )
    methods: dict[str, Any] = {
        "ar": Autoregressive(),
        "k1": Speculative(fastest=True),
        "k8": SpecTr(fastest=True),
        "no-cache": Sabotaged(fastest=True, bug="no-cache"),
    }
    long = {"assisted": Assisted(fastest=True), "k1-l8": Speculative(), "k8-l8": SpecTr()}
    tasks = {"trained": replace(_GEMMA, prompts=200, tokens=24 if full else 8, pilots=4)}
    if full:
        tasks["counted"] = replace(tasks["trained"], draft=GEMMA_COUNTED)
    timed = Experiment(
        id="gemma-time",
        title="Seconds for the same prompts, one request at a time, K and L by measured time",
        tasks=tasks,
        methods=_timed({**methods, **long} if full else methods),
        seeds=FIRST.take(1),
        unit="prompt",
        timed=Timed(blocks=8, warmup=1),
        minutes=60.0 if full else 30.0,
    )
    return shown, timed
