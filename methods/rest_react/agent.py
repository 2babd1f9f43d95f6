"""The search agent: a state machine whose steps are all chosen by a language model (card §3.1, §3.2).

    question → decide → (search → summarise → decide)* → answer → relevance → grounding → final answer

All trajectories of a roll-out advance together, so that the model sees large batches.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from math import isnan

from harness.method import ProblemError
from methods.common.language_model import Completion, Decoding, LanguageModel
from methods.rest_react.retrieval import SearchTool
from methods.rest_react.steps import (
    FALLBACKS,
    Action,
    Answer,
    Kind,
    Round,
    Search,
    Snippet,
    State,
    Summary,
    Verdict,
    read,
    write,
)
from methods.rest_react.world import Question


@dataclass(frozen=True)
class Settings:
    """How the agent acts.

    Attributes:
        searches: Searches of a trajectory, at most.
        samples: k, candidates for each step.
        temperature: Of the candidates.
        new_tokens: Tokens of an action, at most.

    Raises:
        ProblemError: If a number is too small.
    """

    searches: int = 4
    samples: int = 4
    temperature: float = 0.5
    new_tokens: int = 24

    def __post_init__(self) -> None:
        """Check the numbers."""
        if self.searches < 1 or self.samples < 1:
            raise ProblemError(
                f"{self.searches} searches and {self.samples} samples",
                where="Settings",
                fix="Set both to at least 1.",
            )


@dataclass(frozen=True)
class Candidate:
    """A sampled action.

    Attributes:
        text: As written.
        perplexity: Per token at temperature 1, the end included.
        action: What it means; None if it cannot be read.
    """

    text: str
    perplexity: float
    action: Action | None


@dataclass(frozen=True)
class Step:
    """One call: what the model read, what it proposed and what was done.

    Attributes:
        state: What it read.
        candidates: All samples.
        action: What the trajectory went on with.
        text: The action as text.
        failed: Whether no candidate could be read.
    """

    state: State
    candidates: tuple[Candidate, ...]
    action: Action
    text: str
    failed: bool


@dataclass(frozen=True)
class Trajectory:
    """All steps for one question.

    Attributes:
        question: The question.
        steps: In order.
        draft: The answer before the checks.
        final: The answer after them.
    """

    question: Question
    steps: tuple[Step, ...]
    draft: str
    final: str

    @property
    def searches(self) -> int:
        """Searches made."""
        return sum(step.state.kind is Kind.SUMMARY for step in self.steps)


def least_perplexity(candidates: Sequence[Candidate]) -> Candidate | None:
    """The readable candidate that the model finds likeliest per token; of equals, the first drawn."""
    readable = [one for one in candidates if one.action is not None]
    return min(readable, key=lambda one: one.perplexity) if readable else None


def check_told(model: LanguageModel, drawn: Sequence[Sequence[Completion]]) -> None:
    """Make sure that one of several texts can be chosen by its perplexity; scripts choose their first.

    Raises:
        ProblemError: If texts differ whose log-probabilities a server does not tell.
    """
    if model.surrogate:
        return
    if any(len({one.text for one in row}) > 1 and any(isnan(one.perplexity) for one in row) for row in drawn):
        raise ProblemError(
            "The server does not tell log-probabilities of its texts: the least perplexing one is not known",
            where=model.name,
            fix="Use a server that tells them, a local model (--bind), or one sample a step (samples = 1).",
        )


def roll_out(
    questions: Sequence[Question], model: LanguageModel, tool: SearchTool, settings: Settings, *, seed: int
) -> list[Trajectory]:
    """A trajectory for each question.

    Args:
        questions: Without answers.
        model: Chooses every step.
        tool: Answers the searches.
        settings: How to act.
        seed: Of the samples: a state gets other samples under another seed only.
    """
    walks = [_Walk(one, State(Kind.DECISION, one.text, left=settings.searches), tool) for one in questions]
    decoding = Decoding(settings.temperature, new_tokens=settings.new_tokens, stop=("\n",))
    while going := [walk for walk in walks if not walk.done]:
        prompts = [walk.state.prompt for walk in going]
        drawn = model.sample(prompts, decoding, count=settings.samples, seed=seed)
        check_told(model, drawn)
        for walk, completions in zip(going, drawn, strict=True):
            walk.advance(choose(walk.state, completions))
    return [Trajectory(walk.question, tuple(walk.steps), walk.draft, walk.final) for walk in walks]


def choose(state: State, completions: Sequence[Completion]) -> Step:
    """The step that follows from the samples at a state."""
    # Many samples are equal; each distinct one is read once.
    made = {
        one: Candidate(one.text.strip(), one.perplexity, read(state.kind, one.text))
        for one in dict.fromkeys(completions)
    }
    candidates = tuple(made[one] for one in completions)
    chosen = least_perplexity(candidates)
    if chosen is None or chosen.action is None:
        fallback = FALLBACKS[state.kind]
        return Step(state, candidates, fallback, write(fallback), failed=True)
    return Step(state, candidates, chosen.action, chosen.text, failed=False)


@dataclass
class _Walk:
    """A trajectory on its way."""

    question: Question
    state: State
    tool: SearchTool
    steps: list[Step] = field(default_factory=list)
    draft: str = ""
    final: str = ""
    links: int = 0
    done: bool = False

    def advance(self, step: Step) -> None:
        """Do what a step says."""
        self.steps.append(step)
        state, action = self.state, step.action
        match state.kind, action:
            # A search beyond the limit is a step like any other, and is refused.
            case Kind.DECISION, Search(query) if state.left > 0:
                results = self._search(query)
                left = state.left - 1
                self.state = State(Kind.SUMMARY, state.question, state.rounds, left, query, results)
            case Kind.DECISION, _:
                self.state = State(Kind.ANSWER, state.question, state.rounds)
            case Kind.SUMMARY, Summary(links, text):
                rounds = (*state.rounds, Round(state.query, links, text))
                self.state = State(Kind.DECISION, state.question, rounds, state.left)
            case Kind.ANSWER, Answer(text, _):
                self.draft = self.final = text
                self.state = State(Kind.RELEVANCE, state.question, state.rounds, draft=text)
            case Kind.RELEVANCE | Kind.GROUNDING, Verdict(revision):
                self.final = state.draft if revision is None else revision
                self.done = state.kind is Kind.GROUNDING
                self.state = replace(state, kind=Kind.GROUNDING, draft=self.final)

    def _search(self, query: str) -> tuple[Snippet, ...]:
        places = self.tool.search(query)
        start = self.links + 1
        self.links += len(places)
        return tuple(
            Snippet(start + number, self.tool.documents[place]) for number, place in enumerate(places)
        )
