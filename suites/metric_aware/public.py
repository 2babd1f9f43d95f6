"""Pretrained language models on public data, under ``gpu`` and ``paper``."""

from __future__ import annotations

from dataclasses import replace

from harness.method.footprint import Use
from harness.method.sizes import model_gb
from harness.suite import Experiment, Scale
from methods.common.datasets import NQ_OPEN, SICK
from methods.common.gemma import SafeWeights
from methods.metric_aware.corpora import Corpus
from methods.metric_aware.open_answers import OpenTask, Questions, SampledAnswers
from methods.metric_aware.prepare import PromptedGrades
from methods.metric_aware.public_sets import AMAZON, FLAN, STS, STS_B
from methods.metric_aware.task import PromptedTask
from suites.metric_aware.arms import read_outs, text_methods
from suites.metric_aware.cells import PAPER_MODELS, PAPER_SETS, PUBLIC
from suites.metric_aware.seeds import PROMPT_SEEDS

_PAIR = "First: {first}\nSecond: {second}\nSimilarity:"
_SIMILARITY = "Pairs of sentences, with how similar in meaning they are, from 0 (not) to 5 (the same)."
_RELATED = "Pairs of sentences, with how related in meaning they are, from 1 (not) to 5 (the same)."
_STARS = "Reviews, each with the number of stars that its author gave, from 1 to 5."
_FIVE = tuple(map(float, range(1, 6)))
_SIX = tuple(map(float, range(6)))

BILLIONS = {"base": 0.25, "large": 0.78, "xl": 2.85}
"""Parameters of FLAN-T5."""
READ_OUT_GB = 1.0
"""A trial reads out what an artifact has asked the model: many of them share a GPU."""


def corpora() -> dict[str, Corpus]:
    """The public sets, by id."""
    similar = Corpus(
        data=STS, kind="sts", part="test", values=_SIX, threshold=3.0, instruction=_SIMILARITY, item=_PAIR
    )
    return {
        "sts": similar,
        "sick": replace(similar, data=SICK, kind="sick", values=_FIVE, threshold=4.0, instruction=_RELATED),
        "sts-b": replace(similar, data=STS_B, part="validation"),
        "amazon-us": Corpus(
            data=AMAZON,
            kind="stars",
            part="test",
            values=_FIVE,
            threshold=4.0,
            instruction=_STARS,
            item="Review: {text}\nRating:",
            longest=600,
        ),
    }


def public(scale: Scale) -> Experiment:
    """Gemma-3-270M on similarity and relatedness.

    Planned for ten minutes on one large GPU: ten draws of 530 prompts a set, one pass each.
    """
    tasks = {}
    for name in PUBLIC:
        corpus = corpora()[name]
        answers = PromptedGrades(
            source=SafeWeights(),
            corpus=corpus,
            draws=PROMPT_SEEDS,
            test=2000 if scale.full else 500,
            batch=128,
        )
        tasks[name] = PromptedTask(answers=answers, corpus=corpus)
    return Experiment(
        id="public",
        title="Read-outs of Gemma-3-270M after six solved examples, similarity of sentences",
        tasks=dict(tasks),
        methods=read_outs(),
        seeds=PROMPT_SEEDS,
        unit="pair",
        minutes=30.0,
        device_gb=READ_OUT_GB,
    )


def open_questions(scale: Scale) -> Experiment:
    """Gemma-3-270M on NQ-open."""
    questions = Questions(
        data=NQ_OPEN,
        kind="qa",
        split="validation",
        instruction="Questions with short answers.",
        item="Question: {question}\nAnswer:",
    )
    answers = SampledAnswers(
        questions=questions,
        draws=PROMPT_SEEDS[:1],
        test=2000 if scale.full else 500,
        count=16,
        tokens=16,
        batch=256,
    )
    return Experiment(
        id="open",
        title="Answers of Gemma-3-270M to the questions of NQ-open",
        tasks={"nq-open": OpenTask(answers=answers, questions=questions)},
        methods=text_methods(),
        seeds=PROMPT_SEEDS[:1],
        unit="question",
        minutes=30.0,
        device_gb=READ_OUT_GB,
    )


def flan() -> Experiment:
    """FLAN-T5 in three sizes on STS-B and American Amazon reviews, after six solved examples."""
    methods = read_outs()
    tasks: dict[str, PromptedTask] = {}
    uses: dict[tuple[str, str], Use] = {}
    for name in PAPER_SETS:
        corpus = corpora()[name]
        for size in PAPER_MODELS:
            answers = PromptedGrades(
                source=FLAN[size],
                corpus=corpus,
                draws=PROMPT_SEEDS,
                held=100,
                test=1000,
                space_in="answer",
                dtype="bfloat16",
                minutes=240.0,
                memory_gb=24.0,
                device_gb=model_gb(BILLIONS[size], beside_gb=6.0),
            )
            tasks[f"{name}-{size}"] = PromptedTask(answers=answers, corpus=corpus)
            use = Use(model=FLAN[size], rows=answers.batch, tokens=1024)
            uses |= {(f"{name}-{size}", method): use for method in methods}
    return Experiment(
        id="flan",
        title="Read-outs of FLAN-T5 on the paper's sets",
        tasks=dict(tasks),
        methods=methods,
        seeds=PROMPT_SEEDS,
        unit="item",
        minutes=240.0,
        memory_gb=64.0,
        device_gb=READ_OUT_GB,
        uses=uses,
    )
