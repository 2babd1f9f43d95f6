"""What is right at a step, as far as the state shows it; no answer key is needed or taken.

The demonstrator deviates from it and the ranker approximates it; both are surrogates for large
language models, and results that depend on them say so.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from harness.method import ProblemError
from methods.rest_react.judge import normalised
from methods.rest_react.steps import Action, Answer, Kind, Search, Snippet, State, Stop, Summary, Verdict

UNKNOWN = "unknown"
"""The honest answer where the searches did not find it."""

_QUESTION = re.compile(r"What is the (?P<chain>.+) of (?P<subject>.+)\?")
_FACT = re.compile(r"The (?P<relation>.+?) of (?P<subject>.+) is (?P<value>.+?)\.?")


@dataclass(frozen=True)
class Reading:
    """What a state says about its question.

    Attributes:
        relations: Hops in the order in which they are followed.
        reached: The subject, and the entities found so far along the chain.
    """

    relations: tuple[str, ...]
    reached: tuple[str, ...]

    @property
    def answer(self) -> str:
        """The end of the chain, or :data:`UNKNOWN`."""
        return self.reached[-1] if self.complete else UNKNOWN

    @property
    def complete(self) -> bool:
        """Whether all hops are known."""
        return len(self.reached) == len(self.relations) + 1

    @property
    def query(self) -> str:
        """What has to be asked next."""
        return f"{self.relations[len(self.reached) - 1]} of {self.reached[-1]}"


def read_state(state: State) -> Reading:
    """Follow the chain of a question through the summaries of a state.

    Raises:
        ProblemError: If the question is not of the form "What is the … of the … of …?".
    """
    match = _QUESTION.fullmatch(state.question)
    if match is None:
        raise ProblemError(
            "The question has a form that the surrogates do not read",
            where=state.question,
            fix="Use a language model for free questions.",
        )
    relations = tuple(reversed(match["chain"].split(" of the ")))
    facts = dict(one for past in state.rounds if (one := read_fact(past.summary)) is not None)
    reached = [match["subject"]]
    for relation in relations:
        value = facts.get((normalised(relation), normalised(reached[-1])))
        if value is None:
            break
        reached.append(value)
    return Reading(relations, tuple(reached))


def read_fact(text: str) -> tuple[tuple[str, str], str] | None:
    """Relation and subject of a sentence, and its value; None if it states no fact."""
    match = _FACT.fullmatch(text.strip())
    if match is None:
        return None
    return (normalised(match["relation"]), normalised(match["subject"])), match["value"]


def right_action(state: State) -> Action:
    """What should be done at a state."""
    reading = read_state(state)
    match state.kind:
        case Kind.DECISION:
            return Stop() if reading.complete or state.left == 0 else Search(reading.query)
        case Kind.SUMMARY:
            snippet = supporting(state)
            return Summary((), "") if snippet is None else Summary((snippet.link,), snippet.text)
        case Kind.ANSWER:
            links = state.rounds[-1].links if reading.complete and state.rounds else ()
            return Answer(reading.answer, links)
        case Kind.RELEVANCE | Kind.GROUNDING:
            right = normalised(state.draft) == normalised(reading.answer)
            return Verdict(None if right else reading.answer)


def supporting(state: State) -> Snippet | None:
    """The result that states what was asked for."""
    relation, _, subject = state.query.partition(" of ")
    asked = (normalised(relation), normalised(subject))
    for snippet in state.results:
        fact = read_fact(snippet.text)
        if fact is not None and fact[0] == asked:
            return snippet
    return None
