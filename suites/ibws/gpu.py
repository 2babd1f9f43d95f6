"""Experiments that need a GPU: fine-tuned encoders, and a language model as annotator."""

from __future__ import annotations

from harness.claims import Profile
from harness.method import Resource
from harness.method.sizes import model_gb
from harness.suite import Experiment, Methods, Scale
from methods.common.minilm import MINILM
from methods.common.ratings import RATINGS
from methods.ibws.encoder_method import ROBERTA, EncoderRanker
from methods.ibws.method import BestWorst, DirectAssessment, IteratedBestWorst
from methods.ibws.ranking_method import LexiconRanker
from methods.ibws.sabotage import ShuffledEncoderLabels
from methods.ibws.tasks import FIRST_MAIN_SEED, AnnotationTask, Items, RankingTask

ENCODER_SEEDS = tuple(range(FIRST_MAIN_SEED, FIRST_MAIN_SEED + 5))
"""As many as there are pieces: with more, a piece would be too small."""
READER_SEEDS = tuple(range(FIRST_MAIN_SEED, FIRST_MAIN_SEED + 15))
"""Likewise, for 150 items a seed; the model reads what options share once."""
ENCODER_SIZES = {"amazon": (608, 200), "movie": (1760, 500)}
"""Texts a seed, and how many of them are for testing."""


def encoder_task(domain: str) -> RankingTask:
    """Learning to rank on one domain, in five disjoint pieces."""
    raters = {"gold": 5, "comparative": 5, "direct": 5} if domain == "movie" else {}
    count, test = ENCODER_SIZES[domain]
    items = Items(domain=domain, data=RATINGS, count=count, folds=len(ENCODER_SEEDS), **raters)
    return RankingTask(items=items, test=test)


def encoder_experiment(scale: Scale) -> Experiment:
    """Fine-tuned encoders on slider labels, gold labels and shuffled labels.

    RoBERTa under ``paper``; under ``gpu`` a smaller encoder that arrives as a package.
    """
    encoder: Resource = ROBERTA if scale.profile is Profile.PAPER else MINILM
    methods: Methods = {
        "encoder-slider-2": EncoderRanker(encoder=encoder),
        "encoder-slider-2-mse": EncoderRanker(encoder=encoder, loss="mse"),
        "encoder-slider-2-margin": EncoderRanker(encoder=encoder, loss="margin"),
        "encoder-slider-2-listnet": EncoderRanker(encoder=encoder, loss="listnet"),
        "encoder-bws-8": EncoderRanker(encoder=encoder, labels="bws", amount=8),
        "encoder-gold": EncoderRanker(encoder=encoder, labels="gold", amount=0),
        "encoder-slider-2-shuffled": ShuffledEncoderLabels(encoder=encoder),
        "lexicon": LexiconRanker(),
    }
    # Weights, gradients and moments in float32; batches of short texts take little beside them.
    billions = 0.125 if encoder is ROBERTA else 0.023
    return Experiment(
        id="encoder",
        title="Fine-tuned encoders on cheap labels",
        tasks={domain: encoder_task(domain) for domain in ENCODER_SIZES},
        methods=methods,
        seeds=ENCODER_SEEDS,
        most_seeds=len(ENCODER_SEEDS),
        unit="test text",
        device_gb=model_gb(billions, "full", weight_bytes=4, beside_gb=8.0),
        tf32="encoders of this kind are fine-tuned in 16 bits elsewhere, and TF32 keeps more",
    )


def reader_experiment() -> Experiment:
    """A language model as annotator, beside people."""
    from methods.ibws.reader_method import LanguageModelAnnotator

    items = Items(domain="amazon", data=RATINGS, count=150, folds=len(READER_SEEDS))

    return Experiment(
        id="reader",
        title="A language model as annotator",
        tasks={"amazon": AnnotationTask(items=items)},
        methods={
            "lm-slider": LanguageModelAnnotator(protocol="slider"),
            "lm-bws-8": LanguageModelAnnotator(protocol="bws", appearances=8),
            "lm-ibws-2": LanguageModelAnnotator(protocol="ibws", appearances=2),
            "slider-4": DirectAssessment(raters=4),
            "bws-bt-8": BestWorst(appearances=8),
            "ibws-2-bt": IteratedBestWorst(appearances=2, final="bt_all"),
        },
        seeds=READER_SEEDS,
        most_seeds=len(READER_SEEDS),
    )
