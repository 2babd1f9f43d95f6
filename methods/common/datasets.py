"""Public data sets for fine-tuning and evaluation, as plain rows.

Each resource loads as a :class:`DataSet`: rows of one of the types below, by split, whatever the
source calls its fields. Nothing is read before it is asked for.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from harness.method import HubSource, MirrorSource, Resource
from methods.common.data_set import DataSet as DataSet  # noqa: PLC0414 - where readers look for it
from methods.common.numbers import read_number, write_number

ClassT = TypeVar("ClassT")


@dataclass(frozen=True)
class Choice:
    """A question with options, one of which is right.

    Attributes:
        id: Unique within its split.
        question: The question, or the text to be completed.
        labels: Of the options, usually A, B, C ….
        options: The options.
        answer: Index of the right one.
    """

    id: str
    question: str
    labels: tuple[str, ...]
    options: tuple[str, ...]
    answer: int


@dataclass(frozen=True)
class YesNo:
    """A question that is answered by yes or no."""

    id: str
    question: str
    answer: bool


@dataclass(frozen=True)
class Sum:
    """A word problem whose answer is a number.

    Attributes:
        id: Unique within its split.
        question: The problem.
        answer: The number in plain digits, as :mod:`methods.common.numbers` writes it.
    """

    id: str
    question: str
    answer: str


@dataclass(frozen=True)
class Translation:
    """A sentence in two languages; ``source`` is English."""

    id: str
    source: str
    target: str


@dataclass(frozen=True)
class Inference:
    """Two sentences, and what the first says about the second.

    Attributes:
        id: Unique within its split.
        premise: First sentence.
        hypothesis: Second sentence.
        label: ``entailment``, ``neutral`` or ``contradiction``; for two-way sets
            ``entailment`` or ``not_entailment``.
        relatedness: Rated from 1 to 5 where the set has it.
    """

    id: str
    premise: str
    hypothesis: str
    label: str
    relatedness: float | None = None


@dataclass(frozen=True)
class Question:
    """A question with all answers that count as right."""

    id: str
    question: str
    answers: tuple[str, ...]


@dataclass(frozen=True)
class Summary:
    """A text and its summary."""

    id: str
    text: str
    summary: str


def load_choices(folder: Path) -> DataSet[Choice]:
    """ARC, OpenBookQA: fields ``question`` or ``question_stem``, ``choices``, ``answerKey``."""
    return DataSet(folder, _choice)


def load_endings(folder: Path) -> DataSet[Choice]:
    """HellaSwag: fields ``ctx``, ``endings``, ``label``; rows without a label are left out."""
    return DataSet(folder, _ending)


def load_yes_no(folder: Path) -> DataSet[YesNo]:
    """BoolQ without its passages: fields ``question``, ``answer``."""
    return DataSet(
        folder, lambda n, raw: YesNo(_id(n, raw), raw["question"], labelled((False, True), raw["answer"]))
    )


def load_sums(folder: Path) -> DataSet[Sum]:
    """GSM8K, MAWPS: fields ``question``, ``answer`` (a number, or a solution that ends in one)."""
    return DataSet(folder, lambda n, raw: Sum(_id(n, raw), raw["question"], _number(raw["answer"])))


def load_translations(folder: Path) -> DataSet[Translation]:
    """Multi30k, WMT: fields ``en`` and one other language, possibly nested under ``translation``."""
    return DataSet(folder, _translation)


def load_inferences(folder: Path) -> DataSet[Inference]:
    """SICK: fields ``sentence_A``, ``sentence_B``, ``entailment_judgment``, ``relatedness_score``."""
    return DataSet(folder, _inference)


def load_questions(folder: Path) -> DataSet[Question]:
    """NQ-open, TriviaQA, WebQuestions: fields ``question``, ``answer`` or ``answers``."""
    return DataSet(folder, _question)


def load_summaries(folder: Path) -> DataSet[Summary]:
    """XSum: fields ``document``, ``summary``."""
    return DataSet(folder, lambda n, raw: Summary(_id(n, raw), raw["document"], raw["summary"]))


def labelled(classes: Sequence[ClassT], label: int) -> ClassT:
    """The class that a label counted from 0 stands for.

    Some files hold labels that name no class, such as -1 for rows without a label; as an index, Python
    would take -1 for the last class.

    Raises:
        ValueError: If it stands for none.
    """
    if not 0 <= label < len(classes):
        raise ValueError(f"the label {label} is none of 0 to {len(classes) - 1}")
    return classes[label]


def _id(number: int, raw: dict[str, Any]) -> str:
    return str(raw.get("id", number))


def _choice(number: int, raw: dict[str, Any]) -> Choice:
    labels = tuple(raw["choices"]["label"])
    return Choice(
        id=_id(number, raw),
        question=raw["question"] if "question" in raw else raw["question_stem"],
        labels=labels,
        options=tuple(raw["choices"]["text"]),
        answer=labels.index(raw["answerKey"]),
    )


def _ending(number: int, raw: dict[str, Any]) -> Choice | None:
    if raw["label"] == "":
        return None
    endings = tuple(raw["endings"])
    name = str(raw.get("ind", number))
    answer = labelled(range(len(endings)), int(raw["label"]))
    return Choice(name, raw["ctx"], tuple("ABCDEFGH"[: len(endings)]), endings, answer)


def _number(value: Any) -> str:
    if isinstance(value, int | float):
        return write_number(value)
    text = str(value).rpartition("####")[2].strip()
    # Some answers of GSM8K have their separators at odd places.
    return write_number(text if read_number(text) is not None else text.replace(",", ""))


def _translation(number: int, raw: dict[str, Any]) -> Translation:
    pair: dict[str, str] = raw.get("translation", raw)
    (other,) = (name for name in pair if name not in ("en", "id"))
    return Translation(_id(number, raw), pair["en"], pair[other])


_JUDGMENTS = ("entailment", "neutral", "contradiction")


def _inference(number: int, raw: dict[str, Any]) -> Inference:
    judgment = raw["entailment_judgment"] if "entailment_judgment" in raw else raw["label"]
    label = labelled(_JUDGMENTS, judgment) if isinstance(judgment, int) else str(judgment).lower()
    if label not in _JUDGMENTS:
        raise ValueError(f"unknown judgment '{judgment}'")
    return Inference(
        _id(number, raw), raw["sentence_A"], raw["sentence_B"], label, float(raw["relatedness_score"])
    )


def _question(number: int, raw: dict[str, Any]) -> Question:
    answer = raw["answer"] if "answer" in raw else raw["answers"]
    if isinstance(answer, dict):  # TriviaQA
        answer = [answer["value"], *(alias for alias in answer["aliases"] if alias != answer["value"])]
    name = str(raw["question_id"] if "question_id" in raw else _id(number, raw))
    return Question(name, raw["question"], tuple(answer))


def _public(
    name: str, licence: str, loader: str, *sources: MirrorSource | HubSource, size_mb: int
) -> Resource:
    return Resource(
        name=name,
        kind="dataset",
        licence=licence,
        version="as of the source",
        sources=sources,
        loader=f"methods.common.datasets:{loader}",
        size_mb=size_mb,
    )


def _hub(repo: str, config: str = "") -> HubSource:
    return HubSource(repo, repo_type="dataset", config=config)


# Commits, files, columns and licences on the hub stand in suites/hub.toml, and so does a licence that
# is left empty here.
ARC_EASY = _public(
    "arc-easy",
    "CC BY-SA 4.0",
    "load_choices",
    MirrorSource("arc_easy"),
    _hub("allenai/ai2_arc", "ARC-Easy"),
    size_mb=1,
)
ARC_CHALLENGE = _public(
    "arc-challenge",
    "CC BY-SA 4.0",
    "load_choices",
    MirrorSource("arc_challenge"),
    _hub("allenai/ai2_arc", "ARC-Challenge"),
    size_mb=1,
)
OPENBOOKQA = _public(
    "openbookqa",
    "Apache-2.0",
    "load_choices",
    MirrorSource("openbookqa"),
    _hub("allenai/openbookqa", "main"),
    size_mb=1,
)
HELLASWAG = _public(
    "hellaswag", "MIT", "load_endings", MirrorSource("hellaswag"), _hub("Rowan/hellaswag"), size_mb=40
)
BOOLQ = _public(
    "boolq", "CC BY-SA 3.0", "load_yes_no", MirrorSource("boolq"), _hub("google/boolq"), size_mb=4
)
GSM8K = _public("gsm8k", "MIT", "load_sums", MirrorSource("gsm8k"), _hub("openai/gsm8k", "main"), size_mb=3)
MAWPS = _public("mawps", "", "load_sums", MirrorSource("mawps"), _hub("MU-NLPC/Calc-mawps"), size_mb=1)
"""Arithmetic word problems. The hub's copy has fewer to train on, and others to test on."""
MULTI30K = _public(
    "multi30k-en-fr",
    "",
    "load_translations",
    MirrorSource("multi30k_en_fr"),
    _hub("romrawinjp/multi30k"),
    size_mb=2,
)
"""English-French; the hub's copy holds the images, too, which are not fetched."""
WMT14_EN_FR = _public(
    "wmt14-en-fr",
    "",
    "load_translations",
    MirrorSource("wmt14_en_fr"),
    _hub("wmt/wmt14", "fr-en"),
    size_mb=8000,
)
SICK = _public(
    "sick", "CC BY-NC-SA 3.0", "load_inferences", MirrorSource("sick"), _hub("RobZamp/sick"), size_mb=1
)
NQ_OPEN = _public(
    "nq-open",
    "CC BY-SA 3.0",
    "load_questions",
    MirrorSource("nq_open"),
    _hub("google-research-datasets/nq_open"),
    size_mb=9,
)
TRIVIAQA = _public(
    "triviaqa",
    "",
    "load_questions",
    MirrorSource("triviaqa"),
    _hub("mandarjoshi/trivia_qa", "rc.nocontext"),
    size_mb=300,
)
WEB_QUESTIONS = _public(
    "web-questions",
    "CC BY 4.0",
    "load_questions",
    MirrorSource("web_questions"),
    _hub("stanfordnlp/web_questions"),
    size_mb=1,
)
XSUM = _public("xsum", "", "load_summaries", MirrorSource("xsum"), _hub("EdinburghNLP/xsum"), size_mb=250)
