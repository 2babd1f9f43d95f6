"""The text tasks of the profiles that run real language models."""

from __future__ import annotations

from dataclasses import replace

from harness.claims import Profile
from harness.method import HubSource, Resource
from methods.common import datasets
from methods.common.gemma import SafeWeights
from methods.promot.text_task import TextWorld
from methods.promot.texts import TextSource
from methods.promot.written import WrittenSet

_LOADER = "methods.promot.checkpoint:load_language_model"

SICK = TextSource("sick", datasets.SICK, "entailment")
SICK_NEITHER = TextSource("sick neither", datasets.SICK, "entailment or neither")
TO_FRENCH = TextSource("en-fr", datasets.MULTI30K, "to french")
TO_ENGLISH = TextSource("fr-en", datasets.MULTI30K, "to english")
NQ_OPEN = TextSource("nq-open", datasets.NQ_OPEN, "open question", train="validation", test="validation")
BOOLQ = TextSource("boolq", datasets.BOOLQ, "yes or no", test="validation")
ARC_EASY = TextSource("arc-easy", datasets.ARC_EASY, "multiple choice")
ARC_CHALLENGE = TextSource("arc-challenge", datasets.ARC_CHALLENGE, "multiple choice")
OPENBOOKQA = TextSource("openbookqa", datasets.OPENBOOKQA, "multiple choice")
MAWPS = TextSource("mawps", datasets.MAWPS, "number")

ELSEWHERE = (NQ_OPEN, BOOLQ, ARC_EASY, ARC_CHALLENGE, OPENBOOKQA, MAWPS)
"""Tasks of other formats than both targets."""

TASKS = "suites/promot/tasks"
"""Task files of the Language Model Evaluation Harness, one for each held-out task."""


def _model(name: str, repo: str) -> Resource:
    return Resource(
        name=name,
        kind="model",
        licence="Apache-2.0",
        version="as released",
        sources=(HubSource(repo),),
        loader=_LOADER,
    )


def _data(name: str, loader: str, repo: str, config: str = "") -> Resource:
    own = "load_translations" not in loader
    module = "methods.promot.paper_data" if own else "methods.common.datasets"
    return Resource(
        name=name,
        kind="dataset",
        licence="",
        version="as of the source",
        sources=(HubSource(repo, repo_type="dataset", config=config),),
        loader=f"{module}:{loader}",
    )


def _superglue(name: str, loader: str) -> Resource:
    return _data(name, loader, "aps/super_glue", name)


MT5_XXL = _model("mt5-xxl", "google/mt5-xxl")
MT5_XL = _model("mt5-xl", "google/mt5-xl")
T5_XXL = _model("t5-v1-1-xxl", "google/t5-v1_1-xxl")
SHAPES = {MT5_XXL.name: (12.9, 4096), MT5_XL.name: (3.7, 2048), T5_XXL.name: (11.1, 4096)}
"""Billions of parameters, and width, of each model."""
GPUS = {MT5_XXL.name: 3, T5_XXL.name: 2}
"""GPUs of 80 GB that hold each model in training, where one does not: what `plan --gpu h100-80` says."""

RTE = TextSource("rte", _data("rte", "load_rte", "nyu-mll/glue", "rte"), "entailment", test="validation")
CB = TextSource("cb", _superglue("cb", "load_cb"), "entailment or neither", test="validation")
WIC = TextSource("wic", _superglue("wic", "load_word_senses"), "word sense", test="validation")
TRIVIAQA = TextSource("triviaqa", datasets.TRIVIAQA, "open question", test="validation")
WEB_QUESTIONS = TextSource("web-questions", datasets.WEB_QUESTIONS, "open question")
EN_FR = TextSource("en-fr", datasets.WMT14_EN_FR, "to french")
EN_DE = TextSource("en-de", _data("wmt16-en-de", "load_translations", "wmt/wmt16", "de-en"), "to german")
EN_RO = TextSource("en-ro", _data("wmt16-en-ro", "load_translations", "wmt/wmt16", "ro-en"), "to romanian")
XSUM = TextSource("xsum", datasets.XSUM, "summary")
WIKILINGUA = TextSource(
    "wikilingua", _data("wikilingua-en", "load_wikilingua", "esdurmus/wiki_lingua", "english"), "summary"
)
PAPER_HELD_OUT = (CB, WIC, TRIVIAQA, WEB_QUESTIONS, EN_DE, EN_RO, XSUM, WIKILINGUA)
"""The paper's eight tasks."""


def worlds(profile: Profile) -> tuple[TextWorld, TextWorld]:
    """The true-or-false and the translation task: Gemma-3-270M on small sets, or the paper's."""
    return _gpu() if profile is Profile.GPU else (_paper(), _paper_translation())


STATEMENTS = TextSource("statements", WrittenSet(kind="statements"), "entailment")
WRITTEN = (
    TextSource("opposites", WrittenSet(kind="opposites"), "open question"),
    TextSource("capitals", WrittenSet(kind="capitals"), "open question"),
    TextSource("plurals", WrittenSet(kind="plurals"), "open question"),
    TextSource("copies", WrittenSet(kind="copies"), "open question"),
    TextSource("sums", WrittenSet(kind="sums"), "number"),
)
"""Other formats than true or false, which Gemma-3-270M can answer after one demonstration."""


def written_world() -> TextWorld:
    """Gemma-3-270M without a hub: short questions written for this suite."""
    return TextWorld(
        model=SafeWeights(),
        targets=(STATEMENTS,),
        held_out=WRITTEN,
        train=80,
        validation=16,
        test=60,
        items=14,
        shots=(1,),
        limit=96,
        new_tokens=6,
        batch=16,
    )


def both() -> TextWorld:
    """Both of the paper's targets at once."""
    return replace(_paper(), targets=(RTE, EN_FR), related=())


def elsewhere() -> dict[str, TextWorld]:
    """The paper's other models and targets."""
    return {
        "mt5-xl-en-fr": replace(_paper_translation(), model=MT5_XL),
        "t5-rte": replace(_paper(), model=T5_XXL),
        "openbookqa": replace(_paper(), targets=(OPENBOOKQA,)),
    }


def _gpu() -> tuple[TextWorld, TextWorld]:
    entailment = TextWorld(
        model=SafeWeights(),
        targets=(SICK,),
        held_out=(*ELSEWHERE, TO_FRENCH, TO_ENGLISH, SICK_NEITHER),
        related=("sick neither",),
        validation=64,
        test=128,
        items=20,
        batch=128,
        tasks=TASKS,
    )
    translation = replace(
        entailment, targets=(TO_FRENCH,), held_out=(*ELSEWHERE, SICK_NEITHER, TO_ENGLISH), related=("fr-en",)
    )
    return entailment, translation


def _paper() -> TextWorld:
    return TextWorld(
        model=MT5_XXL,
        targets=(RTE,),
        held_out=PAPER_HELD_OUT,
        related=("xsum", "wikilingua"),
        train=100_000,
        validation=277,
        test=3000,
        items=1000,
        limit=1024,
        new_tokens=128,
        batch=16,
    )


def _paper_translation() -> TextWorld:
    return replace(_paper(), targets=(EN_FR,), related=("en-de", "en-ro"))
