"""States of the search agent, its five kinds of actions, and their grammar (card §3.1).

A state is what the model reads, an action what it writes. Nothing that a model wrote is ever
evaluated as code: each kind of action has a regular expression of its own.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache

from harness.method import ProblemError


class Kind(StrEnum):
    """What is asked of the model."""

    DECISION = "decide"
    SUMMARY = "summarise"
    ANSWER = "answer"
    RELEVANCE = "check relevance"
    GROUNDING = "check grounding"


@dataclass(frozen=True)
class Snippet:
    """A result of a search: its number in the trajectory, and its text."""

    link: int
    text: str


@dataclass(frozen=True)
class Search:
    """Ask the tool."""

    query: str


@dataclass(frozen=True)
class Stop:
    """Search no more."""


@dataclass(frozen=True)
class Summary:
    """What the chosen snippets say; nothing if none was chosen."""

    links: tuple[int, ...]
    text: str


@dataclass(frozen=True)
class Answer:
    """The draft, with the snippets that it rests on."""

    text: str
    links: tuple[int, ...]


@dataclass(frozen=True)
class Verdict:
    """A self-check: the draft passes, or is replaced."""

    revision: str | None = None


Action = Search | Stop | Summary | Answer | Verdict


@dataclass(frozen=True)
class Round:
    """One search with what came of it."""

    query: str
    links: tuple[int, ...]
    summary: str


@dataclass(frozen=True)
class State:
    """All that the model may know at a step.

    Attributes:
        kind: What it is asked.
        question: The question's text.
        rounds: Past searches.
        left: Searches that remain.
        query: What was asked just now, where it has to be summarised.
        results: What was found just now.
        draft: The answer under review.
    """

    kind: Kind
    question: str
    rounds: tuple[Round, ...] = ()
    left: int = 0
    query: str = ""
    results: tuple[Snippet, ...] = ()
    draft: str = ""

    @property
    def prompt(self) -> str:
        """The state as text; the question stands before and after the history."""
        lines = [f"question: {self.question}"]
        for past in self.rounds:
            links = " ".join(f"[{link}]" for link in past.links) or "[]"
            lines.append(f"searched: {past.query} => {links} {past.summary}".rstrip())
        if self.kind is Kind.DECISION:
            lines.append(f"left: {self.left}")
        if self.kind is Kind.SUMMARY:
            lines.append(f"now: {self.query}")
            lines += [f"[{one.link}] {one.text}" for one in self.results]
        if self.draft:
            lines.append(f"draft: {self.draft}")
        return "\n".join([*lines, f"{self.kind.value}: {self.question}", ">"])

    @classmethod
    def parse(cls, prompt: str) -> State:
        """The state behind a prompt.

        Raises:
            ProblemError: If the text is no prompt of a state.
        """
        first, *lines, task, _ = prompt.split("\n")
        kind, _, question = task.partition(": ")
        if first != f"question: {question}" or kind not in set(Kind):
            raise ProblemError("The text is no state of the agent", where=task, fix="Use State.prompt.")
        fields = dict(line.split(": ", 1) for line in lines if not line.startswith(("[", "searched: ")))
        return cls(
            Kind(kind),
            question,
            tuple(_round(line) for line in lines if line.startswith("searched: ")),
            int(fields.get("left", 0)),
            fields.get("now", ""),
            tuple(_snippet(line) for line in lines if line.startswith("[")),
            fields.get("draft", ""),
        )


def _round(line: str) -> Round:
    query, _, rest = line.removeprefix("searched: ").rpartition(" => ")
    links = _LEADING_LINKS.match(rest)
    found = links.group() if links else ""
    return Round(query, _numbers(found), rest[len(found) :].strip())


def _snippet(line: str) -> Snippet:
    number, _, text = line.removeprefix("[").partition("] ")
    return Snippet(int(number), text)


_LEADING_LINKS = re.compile(r"(?:\[\d*\]\s*)+")
_LINKS = re.compile(r"\[(\d+)\]")
_FORMS: dict[Kind, re.Pattern[str]] = {
    Kind.DECISION: re.compile(r"\s*(?:search:\s*(?P<query>\S.*?)|(?P<stop>stop))\s*"),
    Kind.SUMMARY: re.compile(r"\s*(?P<links>(?:\[\d+\]\s*)*|none\s*)=>\s*(?P<text>.*?)\s*"),
    Kind.ANSWER: re.compile(r"\s*(?P<text>\S.*?)\s*(?P<links>(?:\[\d+\]\s*)*)"),
    Kind.RELEVANCE: re.compile(r"\s*(?:(?P<passed>pass)|revise:\s*(?P<revision>\S.*?))\s*"),
    Kind.GROUNDING: re.compile(r"\s*(?:(?P<passed>pass)|revise:\s*(?P<revision>\S.*?))\s*"),
}


def write(action: Action) -> str:
    """An action as the model should write it."""
    match action:
        case Search(query):
            return f"search: {query}"
        case Stop():
            return "stop"
        case Summary(links, text):
            return " ".join([*(f"[{link}]" for link in links), "=>", text]).rstrip()
        case Answer(text, links):
            return " ".join([text, *(f"[{link}]" for link in links)])
        case Verdict(revision):
            return "pass" if revision is None else f"revise: {revision}"


@lru_cache(maxsize=1 << 16)
def read(kind: Kind, text: str) -> Action | None:
    """The action that a model wrote, or None if it wrote none of this kind."""
    match = _FORMS[kind].fullmatch(text)
    if match is None:
        return None
    found = match.groupdict()
    if kind is Kind.DECISION:
        return Stop() if found["stop"] else Search(found["query"])
    if kind is Kind.SUMMARY:
        return Summary(_numbers(found["links"]), found["text"])
    if kind is Kind.ANSWER:
        return Answer(found["text"], _numbers(found["links"]))
    return Verdict(found["revision"])


def _numbers(text: str) -> tuple[int, ...]:
    return tuple(int(number) for number in _LINKS.findall(text))


FALLBACKS: dict[Kind, Action] = {
    Kind.DECISION: Stop(),
    Kind.SUMMARY: Summary((), ""),
    Kind.ANSWER: Answer("unknown", ()),
    Kind.RELEVANCE: Verdict(),
    Kind.GROUNDING: Verdict(),
}
"""What happens where no candidate can be read."""
