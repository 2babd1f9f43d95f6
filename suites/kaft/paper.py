"""The paper's own scale: T5 on public data. ``--bind model=PATH`` puts another model in its place."""

from __future__ import annotations

from dataclasses import replace

from harness.method import HubSource, Resource
from harness.method.footprint import Use
from harness.method.sizes import activations_gb, model_gb
from harness.suite import Experiment, Methods
from methods.kaft.method import Pretrained
from methods.kaft.open_task import OpenKnowledge, OpenReading
from suites.kaft.arms import FINETUNED, SABOTAGES, UNSEEN, changed, foreign, paired, tuned

T5 = Resource(
    name="kaft-t5",
    kind="model",
    licence="Apache-2.0",
    version="1.1",
    sources=(HubSource("google/t5-xl-lm-adapt"),),
    size_mb=11_000,
)
"""T5 XL, adapted to language modelling; bind T5 XXL or FLAN-T5 for the paper's other rows."""
BILLIONS = 2.85
"""Parameters of T5 XL."""
TRAINING = {"steps": 5000, "batch": 64, "rate": 2e-4, "rank": 16}
"""Settings of all finetuned methods; the rate is the middle one of those that are tried."""


def open_experiment() -> Experiment:
    """Every mixture on SQuAD 2.0, TriviaQA, T-REx and QASC."""
    asking = activations_gb(64 * 512, width=2048, layers=1)
    knowledge = OpenKnowledge(model=T5, memory_gb=32.0, device_gb=model_gb(BILLIONS, beside_gb=asking))
    task = OpenReading(model=T5, knowledge=knowledge, prompt=512, batch=64, dtype="bfloat16")
    use = Use(model=T5, rows=64, tokens=512 + 16)
    trained = replace(use, kind="adapter", rank=16, rows=8, targets=24)
    methods: Methods = {
        "pretrained": Pretrained(),
        **tuned(changed(FINETUNED, **TRAINING), (5e-5, 2e-4, 8e-4)),
        **changed(SABOTAGES, **TRAINING),
        **changed({**paired("lower"), **foreign("lower")}, **TRAINING, every=0),
    }
    return Experiment(
        id="open",
        title="T5 finetuned on public question-answering sets",
        tasks={"t5": task},
        methods=methods,
        seeds=UNSEEN.take(5),
        unit="question",
        minutes=720.0,
        memory_gb=120.0,
        uses={("t5", name): use if name == "pretrained" else trained for name in methods},
    )
