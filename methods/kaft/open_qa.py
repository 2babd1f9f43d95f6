"""Public question-answering sets as questions with contexts of every kind.

SQuAD 2.0 gives relevant and annotated irrelevant passages, TriviaQA (Wikipedia) documents that are
cut to the passage around the answer, T-REx sentences that state a triple, QASC pairs of facts.
Fake answers come from other questions of the same set whose answers look alike (corpus
substitution, Longpre et al., 2021).
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from harness.method import HubSource, Resource
from methods.common.datasets import DataSet
from methods.kaft.questions import Question, with_counterfactual
from methods.kaft.relations import question_for
from methods.kaft.substitution import mentions_any
from methods.kaft.words import avoids, unigrams

WINDOW = 120
"""Words of a passage that is cut from a document."""
_TRIES = 20


@dataclass(frozen=True)
class Passage:
    """A question with a text.

    Attributes:
        id: Unique within its set.
        entity: The article, page, subject or fact that it is about.
        question: The question; empty if it cannot be put into words.
        aliases: All names of the answer; empty if the text does not answer the question.
        context: The text that supports the answer, or seems to.
        beside: Another text on the same topic without the answer, or empty.
    """

    id: str
    entity: str
    question: str
    aliases: tuple[str, ...]
    context: str
    beside: str = ""


def load_squad(folder: Path) -> DataSet[Passage]:
    """SQuAD 2.0: fields ``id, title, context, question, answers``."""
    return DataSet(folder, _squad)


def load_trivia(folder: Path) -> DataSet[Passage]:
    """TriviaQA with Wikipedia documents: ``question_id, question, answer, entity_pages``."""
    return DataSet(folder, _trivia)


def load_trex(folder: Path) -> DataSet[Passage]:
    """T-REx: fields ``head, relation, tail, text``; a relation that nothing names gives no question."""
    return DataSet(folder, _trex)


def load_qasc(folder: Path) -> DataSet[Passage]:
    """QASC: fields ``id, question, choices, answerKey, fact1, fact2, combinedfact``.

    Rows without an answer key are left out: the test split has none.
    """
    return DataSet(folder, _qasc)


def _resource(name: str, licence: str, loader: str, *, repo: str, config: str = "", size_mb: int) -> Resource:
    return Resource(
        name=name,
        kind="dataset",
        licence=licence,
        version="as of the source",
        sources=(HubSource(repo, repo_type="dataset", config=config),),
        loader=f"methods.kaft.open_qa:{loader}",
        size_mb=size_mb,
    )


SQUAD = _resource("squad-v2", "CC BY-SA 4.0", "load_squad", repo="rajpurkar/squad_v2", size_mb=45)
TRIVIA = _resource(
    "triviaqa-wikipedia", "", "load_trivia", repo="mandarjoshi/trivia_qa", config="rc.wikipedia", size_mb=8000
)
TREX = _resource("t-rex", "", "load_trex", repo="relbert/t_rex", size_mb=700)
QASC = _resource("qasc", "CC BY 4.0", "load_qasc", repo="allenai/qasc", size_mb=2)


def as_questions(
    passages: Sequence[Passage], rng: np.random.Generator, *, kind: str
) -> tuple[list[Question], Counter[str]]:
    """Questions with contexts of every kind that the passages allow.

    Args:
        passages: Of one set and split.
        rng: Draws fakes and easy contexts.
        kind: Name of the set, put before the ids.

    Returns:
        The questions, and how many were left out or lack a context, by reason.
    """
    dropped: Counter[str] = Counter()
    questions = []
    for passage in passages:
        question = Question(
            id=f"{kind}:{passage.id}",
            entity=f"{kind}:{passage.entity}",
            subject=passage.entity,
            relation="",
            text=passage.question,
            aliases=passage.aliases or ("unanswerable",),
        )
        if not passage.question:
            dropped["relation without a name"] += 1
            continue
        if not passage.aliases:
            questions.append(replace(question, hard=passage.context))
            continue
        if not mentions_any(passage.context, passage.aliases):
            dropped["answer not in context"] += 1
            continue
        easy = _elsewhere(passage, passages, rng)
        hard = passage.beside if _is_beside(passage.beside, passage.aliases) else ""
        dropped["answer in hard context"] += hard != passage.beside
        if not (hard or easy):
            dropped["no irrelevant context"] += 1
            continue
        question = replace(question, relevant=passage.context, hard=hard, easy=easy)
        question, reason = with_counterfactual(question, _fake(passage, passages, rng))
        dropped[reason] += bool(reason)
        questions.append(question)
    return questions, +dropped


def looks(answer: str) -> tuple[bool, bool, int]:
    """What an answer looks like: whether it has digits, begins in upper case, and its length."""
    return bool(re.search(r"\d", answer)), answer[:1].isupper(), min(len(answer.split()), 3)


def _fake(passage: Passage, passages: Sequence[Passage], rng: np.random.Generator) -> str:
    """The answer of another question that looks alike; empty if a few tries find none."""
    for index in rng.integers(len(passages), size=_TRIES * 5).tolist():
        other: Passage = passages[index]
        if not other.aliases or other.entity == passage.entity:
            continue
        fake = other.aliases[0]
        if (
            unigrams(fake)
            and looks(fake) == looks(passage.aliases[0])
            and not mentions_any(fake, passage.aliases)
        ):
            return fake
    return ""


def _elsewhere(passage: Passage, passages: Sequence[Passage], rng: np.random.Generator) -> str:
    """The text of a question about something else that does not hold the answer."""
    for index in rng.integers(len(passages), size=_TRIES).tolist():
        other: Passage = passages[index]
        if other.entity != passage.entity and not mentions_any(other.context, passage.aliases):
            return other.context
    return ""


def _is_beside(text: str, aliases: Sequence[str]) -> bool:
    """Whether the answer, said from memory, would count as taken from neither this text nor a part of it."""
    return not mentions_any(text, aliases) and all(avoids(alias, text) for alias in aliases)


def _squad(number: int, raw: dict[str, Any]) -> Passage:
    answers = tuple(dict.fromkeys(text for text in raw["answers"]["text"] if unigrams(text)))
    return Passage(str(raw["id"]), raw["title"], raw["question"].strip(), answers, raw["context"])


def _trivia(number: int, raw: dict[str, Any]) -> Passage | None:
    aliases = tuple(
        name for name in dict.fromkeys([raw["answer"]["value"], *raw["answer"]["aliases"]]) if unigrams(name)
    )
    pages = raw["entity_pages"]
    for title, text in zip(pages["title"], pages["wiki_context"], strict=True):
        found, beside = windows(text, aliases)
        if found:
            return Passage(str(raw["question_id"]), title, raw["question"], aliases, found, beside)
    return None


def windows(text: str, aliases: Sequence[str], size: int = WINDOW) -> tuple[str, str]:
    """Of the passages of ``size`` words of a text, the first with an answer and the first without."""
    words = text.split()
    cuts = [" ".join(words[start : start + size]) for start in range(0, len(words), size)]
    with_answer = next((cut for cut in cuts if aliases and mentions_any(cut, aliases)), "")
    return with_answer, next((cut for cut in cuts if not mentions_any(cut, aliases)), "")


def _trex(number: int, raw: dict[str, Any]) -> Passage | None:
    if not unigrams(raw["tail"]):
        return None
    question = question_for(raw["relation"], raw["head"])
    return Passage(str(number), raw["head"], question, (raw["tail"],), raw["text"])


def _qasc(number: int, raw: dict[str, Any]) -> Passage | None:
    options = dict(zip(raw["choices"]["label"], raw["choices"]["text"], strict=True))
    answer = options.get(raw["answerKey"], "")
    if not unigrams(answer):
        return None
    # Each fact alone is on the topic and entails no answer, but one of them usually names it.
    facts = [fact for fact in (raw["fact2"], raw["fact1"]) if _is_beside(fact, [answer])]
    beside = facts[0] if facts else ""
    return Passage(str(raw["id"]), raw["fact1"], raw["question"], (answer,), raw["combinedfact"], beside)
