"""A small suite with synthetic records and labels chosen to break renderers."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from harness.claims import (
    Cell,
    Claim,
    Control,
    Direction,
    Exact,
    NotComparable,
    NotRun,
    Profile,
    Replication,
    difference,
)
from harness.method import Context, MirrorSource, PackageSource, Resource, Scores
from harness.method.contract import Method, Task, param
from harness.method.metric import mean_of
from harness.store.memory import MemoryRun
from harness.store.records import (
    AssayRecord,
    ControlRecord,
    Cost,
    Interval,
    Provenance,
    RunRecord,
    TestRecord,
    TrialRecord,
    VerdictRecord,
    VerdictsRecord,
)
from harness.store.view import trial_id, trials_sha256
from harness.suite import (
    Deviation,
    Experiment,
    Paper,
    PaperFigure,
    PaperTable,
    Reported,
    ReportedRef,
    SampleView,
    Scale,
    Series,
    Standing,
    Suite,
    TableRow,
    Tuned,
)

SCRIPT = "<script>alert('x')</script>"
WRITE18 = r"\write18{rm -rf /} & 100 % of $x_1^2$ #1 ~ \end{tabular}"
EMOJI = "thumbs 👍🏽 up"
HEBREW = "תווית בעברית"
ARABIC = "نص عربي"
CHINESE = "标签"
MARKDOWN = "a|b *bold* `code` [x](javascript:alert(1)) _u_"
CONTROL_CHARACTERS = "bell\x07 and override \u202eabc"
NASTY = (SCRIPT, WRITE18, EMOJI, HEBREW, ARABIC, CHINESE, MARKDOWN, CONTROL_CHARACTERS)

SEEDS = (100, 101, 102, 103, 104)
SCALE = Scale(profile=Profile.SMALL)
ACCURACY = mean_of("correct", name="accuracy", better="higher")
LOSS = mean_of("loss", name="validation loss", better="lower", unit="nats")
DATA = Resource(
    name="toy-ratings",
    kind="dataset",
    licence="MIT",
    version="1.0",
    sources=(MirrorSource("toy"), PackageSource("toy-data", "1.0", "toy:fill")),
    terms="https://example.org/licence",
)


@dataclass(frozen=True)
class Problem:
    items: int = 0


@dataclass(frozen=True)
class ToyTask(Task[Problem, float]):
    """Guess labels."""

    data: Resource = DATA

    def problem(self, ctx: Context) -> Problem:
        raise NotImplementedError

    def evaluate(self, result: float, ctx: Context) -> Scores:
        raise NotImplementedError


@dataclass(frozen=True)
class Proposed(Method[Problem, float]):
    """Chooses with ``rate`` and the rule of section 3.

    A second paragraph, with maths: α₁ ≥ ρ* and Σ q − p.

    Attributes:
        rate: Not part of the description.
    """

    problem_type: ClassVar[type] = Problem
    cites: ClassVar[str] = "Doe & Roe (2023), arXiv:2300.00001"
    rate: float = param(0.1, source="section 3", doc="step size, in 1/steps")
    label: str = param(SCRIPT, source="ours", doc=MARKDOWN)

    def run(self, problem: Problem, ctx: Context) -> float:
        raise NotImplementedError


@dataclass(frozen=True)
class Baseline(Method[Problem, float]):
    """Chooses at random."""

    problem_type: ClassVar[type] = Problem
    width: int = param(8, source="official code")

    def run(self, problem: Problem, ctx: Context) -> float:
        raise NotImplementedError


def cell(method: str, experiment: str = "main", **kwargs: Any) -> Cell:
    return Cell(experiment=experiment, method=method, metric=ACCURACY, **kwargs)


PAPER = Paper(
    slug="toy",
    title="Toys: 100 % of <labels> & more",
    authors=("Jane Doe", "Łukasz Müller-Straße", "דנה כהן"),
    arxiv="2300.00001",
    year=2023,
    venue="NeurIPS 2023",
    bibtex="@article{doe2023, title={Toys}, note={100\\% <b>}}",
    summary="It proposes a way to label things. It is better than chance.",
    reported={
        row.id: row
        for row in (
            Reported(id="acc-new", value=0.81, where="Table 1", row="new", standing=Standing.VERIFIED),
            Reported(
                id="acc-old",
                value=0.7,
                where="Table 1",
                row="old",
                standing=Standing.SECONDARY,
                note="a survey",
            ),
            Reported(id="gain", value=11.0, unit="points", where="abstract", standing=Standing.UNVERIFIED),
            Reported(
                id="words", value=None, where="section 5", standing=Standing.VERIFIED, note="clearly better"
            ),
        )
    },
)


def experiments(scale: Scale) -> list[Experiment]:
    new = Tuned(method=Proposed(), grid={"rate": (0.03, 0.1, 0.3)}, select=LOSS, seeds=(1, 2))
    return [
        Experiment(
            id="main",
            title=f"Accuracy {EMOJI}",
            tasks={"toy": ToyTask()},
            methods={"new": new, "old": Baseline(), "broken": Proposed(rate=0.0)},
            seeds=SEEDS,
        ),
        Experiment(
            id="licensed",
            title="On a model with terms",
            tasks={"toy": ToyTask()},
            methods={"new": Proposed()},
            seeds=SEEDS,
        ),
    ]


def rows() -> list[TableRow]:
    return [
        TableRow(
            label=SCRIPT, group=HEBREW, entries={"paper": ReportedRef(id="acc-new"), "ours": cell("new")}
        ),
        TableRow(
            label=WRITE18, group=HEBREW, entries={"paper": ReportedRef(id="acc-old"), "ours": cell("old")}
        ),
        TableRow(
            label=EMOJI,
            group=CHINESE,
            entries={"ours": cell("new", "licensed"), "paper": ReportedRef(id="words")},
        ),
        TableRow(label=ARABIC, group=CHINESE, entries={"ours": difference(cell("new"), cell("old"))}),
    ]


def lines() -> list[Series]:
    return [
        Series(
            label=f"new {HEBREW} {EMOJI}",
            points=((1.0, cell("new", where=(("depth", 1),))), (2.0, cell("new", where=(("depth", 2),)))),
            reported=((2.0, ReportedRef(id="acc-new")),),
        ),
        Series(label=f"old {SCRIPT} $x$ %", points=((1.0, cell("old")), (2.0, cell("old")))),
        Series(label="licensed", points=((1.0, cell("new", "licensed")),)),
    ]


def bars() -> list[Series]:
    return [
        Series(
            label="new", points=((WRITE18[:9], cell("new")), (CHINESE, cell("new", where=(("depth", 2),))))
        ),
        Series(
            label="old",
            points=((WRITE18[:9], cell("old")),),
            reported=((CHINESE, ReportedRef(id="acc-old")),),
        ),
    ]


def direction(delta: float = 0.02) -> Direction:
    return Direction(
        theta=difference(cell("new"), cell("old")),
        delta=delta,
        delta_reason="Half of the gain that the paper prints.",
        replication=Replication.SEEDS,
    )


CLAIMS = (
    Claim(
        id="C1a",
        parent="C1",
        statement=f"New beats old on {EMOJI}",
        source="abstract",
        reported=("acc-new", "acc-old"),
        forms={Profile.SMALL: direction()},
        note="Read with ``care``.",
    ),
    Claim(
        id="C1b",
        parent="C1",
        statement="New beats old on average",
        source="Table 2",
        reported=("gain",),
        forms={Profile.SMALL: direction(0.5)},
        essential=False,
    ),
    Claim(
        id="C2",
        statement=f"The law is exact {SCRIPT}",
        source="Theorem 1",
        forms={Profile.SMALL: Exact(cells=(cell("new"),), oracle="brute force")},
    ),
    Claim(
        id="C3",
        statement=f"Closed models agree {HEBREW}",
        source="Table 3",
        reported=("words",),
        forms={Profile.SMALL: NotRun(reason=f"needs a closed model, 100 % of it {ARABIC}")},
    ),
    Claim(
        id="C4",
        statement=f"Cheaper {WRITE18}",
        source="section 6",
        forms={Profile.SMALL: NotComparable(theta=difference(cell("new"), cell("old")), reason="a proxy")},
        relies_on=("C2",),
    ),
)

SUITE = Suite(
    paper=PAPER,
    experiments=experiments,
    claims=CLAIMS,
    deviations=(
        Deviation(
            id="D1", field="data", paper="1M items", here="40 items", effect="wider intervals", claims=("C1",)
        ),
        Deviation(id="D2", field="model", paper=MARKDOWN, here=WRITE18, effect=SCRIPT),
        Deviation(id="D3", field="model", paper="a", here="b", effect="none", profiles=(Profile.GPU,)),
    ),
    folder=Path(),
    controls=(
        Control(
            id="no-rate",
            title=f"Rate set to zero {SCRIPT}",
            replaces={"new": "broken"},
            predicts={"C1a": "kill", "C2": "keep", "C4": "kill"},
        ),
    ),
    tables=(
        PaperTable(
            id="main_1",
            title=f"Accuracy by method: {WRITE18}",
            columns={"paper": "Paper", "ours": "Ours, 100 %"},
            rows=rows(),
            source="Table 1",
            bold=("ours",),
        ),
    ),
    figures=(
        PaperFigure(
            id="by-depth",
            title="Accuracy by depth",
            x="depth (L)",
            y="accuracy ↑",
            series=lines(),
            log_x=True,
        ),
        PaperFigure(id="bars", title="Accuracy by data", x="data", y="accuracy", series=bars(), kind="bar"),
    ),
    sample_views=(
        SampleView(
            id="walks",
            title=f"Trajectories {SCRIPT}",
            experiment="main",
            method="new",
            part="walks",
            kind="steps",
            most=4,
        ),
        SampleView(
            id="program", title="A program", experiment="main", method="new", part="program", kind="tree"
        ),
        SampleView(
            id="absent", title="Not here", experiment="licensed", method="new", part="program", kind="tree"
        ),
        SampleView(
            id="elsewhere",
            title="On a GPU",
            experiment="main",
            method="new",
            part="none",
            kind="tree",
            profiles=(Profile.GPU,),
        ),
    ),
)

WALKS: dict[str, list[Any]] = {
    "unit_id": ["a", "a", "b", "c", "d", "e", "f"],
    "heading": [WRITE18, WRITE18, HEBREW, EMOJI, MARKDOWN, "e", "f"],
    "mark": ["right", "right", "right", "right", "right", "wrong", "right"],
    "step": [1, 0, 0, 0, 0, 0, 0],
    "kind": ["answer", "search", SCRIPT, "search", "search", "search", "search"],
    "text": ["second of a", "first of a", SCRIPT, f"two\nlines {WRITE18}", CONTROL_CHARACTERS, "", MARKDOWN],
}
PROGRAM: dict[str, list[Any]] = {
    "unit_id": ["leaf", "root", "last"],
    "parent": ["root", "", "leaf"],
    "edge": [f"foo {SCRIPT}", "", WRITE18],
    "text": [HEBREW, f"If x1 is A, say foo.\nIf x2 is B, say {MARKDOWN}.", EMOJI],
    "note": ["4 examples", "", SCRIPT],
}


def record() -> RunRecord:
    planned = [trial_id("main", "toy", method, seed) for method in ("new", "old", "broken") for seed in SEEDS]
    made = Provenance(
        created="2024-05-01T10:00:00+00:00",
        command=["/opt/env/bin/corroborate", "run", "toy", "--set", "new.rate=0.1"],
        corroborate="0.1.0",
        commit="0123456789abcdef0123456789abcdef01234567",
        dirty=True,
        lock_sha256="d" * 64,
        python="3.11.9",
        packages={"numpy": "2.0.0", "torch": "2.7.0"},
        platform="Linux",
        cpu="A 2-core processor",
        cores=2,
        memory_gb=7.8,
    )
    return RunRecord(
        run="toy-small-1",
        suite="toy",
        profile="small",
        claims_sha256="c" * 64,
        settings={"new.rate": "0.1"},
        provenance=made,
        planned=planned,
        blocked={"licensed": "Needs the licence 'toy'; give --accept-licence toy"},
    )


def run() -> MemoryRun:
    view = MemoryRun(record())
    rng = np.random.default_rng(0)
    for method, rate in (("new", 0.82), ("old", 0.7), ("broken", 0.7)):
        for seed in SEEDS:
            add(view, method, seed, rng.random(40) < rate + 0.02 * rng.standard_normal())
    for rate, loss in ((0.03, 0.9), (0.1, 0.6), (0.3, 1.2)):
        for seed in (1, 2):
            tune(view, rate, seed, loss + 0.01 * seed)
    artifact = TrialRecord(
        trial="artifact/toy draft/abcdef",
        kind="artifact",
        status="ok",
        fingerprint="f",
        environment="env",
        cost=Cost(wall_s=12.5, cpu_s=12.0, peak_memory_mb=300),
        reused_from="toy-small-0",
    )
    view.add(artifact)
    return view


def add(view: MemoryRun, method: str, seed: int, correct: np.ndarray) -> None:
    trial = TrialRecord(
        trial=trial_id("main", "toy", method, seed),
        status="ok",
        experiment="main",
        task="toy",
        method=method,
        seed=seed,
        fingerprint="f",
        environment="env",
        cost=Cost(wall_s=1.5, cpu_s=1.4, peak_memory_mb=120),
        params={"rate": 0.1},
        tuned={"rate": 0.1} if method == "new" else {},
    )
    units = [f"item-{at}" for at in range(len(correct))]
    depth = [1 + at % 2 for at in range(len(correct))]
    shown: dict[str, Any] = {"walks": WALKS, "program": PROGRAM} if method == "new" else {}
    view.add(trial, main={"unit_id": units, "correct": correct.astype(float), "depth": depth}, **shown)


def tune(view: MemoryRun, rate: float, seed: int, loss: float) -> None:
    trial = TrialRecord(
        trial=f"main/toy/new/tune/rate={rate}/{seed}",
        status="ok",
        experiment="main",
        task="toy",
        method="new",
        seed=seed,
        stage="tune",
        params={"rate": rate},
        fingerprint="f",
        environment="env",
    )
    view.add(trial, validation={"unit_id": ["a", "b"], "loss": [loss, loss]})


SCOPE = "held at this scale: small profile, toy data, this machine"


def gain() -> TestRecord:
    return TestRecord(
        label="accuracy: new − old",
        effect=Interval(value=0.115, low=0.062, high=0.168),
        test="paired t (4 df)",
        p_plus=0.0004,
        p_minus=0.99,
        p_plus_adjusted=0.0012,
        p_minus_adjusted=1.0,
        seeds=5,
        units=40,
        cells=[Interval(value=0.815, low=0.79, high=0.84), Interval(value=0.7, low=0.66, high=0.74)],
        cell_labels=["accuracy of new", f"accuracy of old {EMOJI}"],
        replicates=[0.1, 0.12, 0.11, 0.13, 0.115],
    )


def parts(trials: list[str]) -> list[VerdictRecord]:
    headroom = AssayRecord(
        name="headroom",
        passed=True,
        effect=Interval(value=0.3, low=0.2, high=0.4),
        rule="interval above 0.05",
        reason="no ceiling",
    )
    held = VerdictRecord(
        claim="C1a",
        parent="C1",
        form="Direction",
        verdict="reproduced",
        reason="θ is at least δ.",
        scope=SCOPE,
        delta=0.02,
        delta_reason="Half of the gain that the paper prints.",
        replication="seeds",
        tests=[gain()],
        assays=[headroom],
        trials=trials,
    )
    unclear = {
        "claim": "C1b",
        "verdict": "inconclusive",
        "cause": "power",
        "reason": "The interval holds both 0 and δ.",
        "delta": 0.5,
        "delta_reason": "",
        "tests": [gain().model_copy(update={"effect": Interval(value=-0.1, low=-0.5, high=0.3)})],
        "assays": [],
        "needed_seeds": {"θ = 2δ": 12, "θ = 0": None},
    }
    return [held, held.model_copy(update=unclear)]


def singles(trials: list[str]) -> list[VerdictRecord]:
    error = TestRecord(
        label="largest error / tolerance", effect=Interval(value=3.25e-9), test="exact, 400 cases", units=400
    )
    return [
        VerdictRecord(
            claim="C2",
            form="Exact",
            verdict="not reproduced",
            reason=f"A counterexample: {WRITE18}.",
            scope=SCOPE,
            tests=[error],
            trials=trials[:5],
        ),
        VerdictRecord(
            claim="C3",
            form="NotRun",
            verdict="not run",
            reason=f"Needs a closed model {ARABIC}.",
            scope="not run",
        ),
        VerdictRecord(
            claim="C4",
            form="NotComparable",
            verdict="not comparable",
            reason="A proxy.",
            scope=SCOPE,
            tests=[gain()],
            trials=trials,
            exploratory=True,
            primary=True,
        ),
    ]


def verdicts(view: MemoryRun) -> VerdictsRecord:
    trials = [trial_id("main", "toy", method, seed) for method in ("new", "old") for seed in SEEDS]
    whole = VerdictRecord(
        claim="C1",
        form="Compound",
        verdict="inconclusive",
        cause="power",
        reason="1 of 2 parts reproduced.",
        scope=SCOPE,
        trials=trials,
    )
    killed = ControlRecord(
        control="no-rate", claim="C1a", predicted="kill", outcome="kill", detail="θ fell by 0.11."
    )
    unsure = ControlRecord(
        control="no-rate", claim="C2", predicted="keep", outcome="undecided", detail=SCRIPT
    )
    return VerdictsRecord(
        run="toy-small-1",
        suite="toy",
        profile="small",
        verdicts=[*parts(trials), *singles(trials)],
        wholes=[whole],
        controls=[killed, unsure],
        trials_sha256=trials_sha256(view),
    )
