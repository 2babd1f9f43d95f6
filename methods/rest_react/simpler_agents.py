"""Agents that do less than the search agent: no search, one search, no checks, or a vote (card §4).

All of them use the model of generation 0, with the same samples a step and the same choice among them.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

from methods.common.language_model import Decoding, LanguageModel
from methods.rest_react.agent import Settings, Step, Trajectory, check_told, choose, roll_out
from methods.rest_react.exams import Outcome
from methods.rest_react.retrieval import SearchTool
from methods.rest_react.steps import Answer, Kind, Round, Snippet, State, Summary
from methods.rest_react.world import Question


def closed_book(
    questions: Sequence[Question], model: LanguageModel, settings: Settings, *, seed: int
) -> list[Trajectory]:
    """Answers without a search: one step a question."""
    drafts = _step([State(Kind.ANSWER, one.text) for one in questions], model, settings, seed)
    return [_answered(question, draft) for question, draft in zip(questions, drafts, strict=True)]


def single_search(
    questions: Sequence[Question], model: LanguageModel, tool: SearchTool, settings: Settings, *, seed: int
) -> list[Trajectory]:
    """The question itself is the only query; what it finds is summarised and answered from."""
    summaries = _step([_found(question, tool) for question in questions], model, settings, seed)
    drafts = _step([_read(summary) for summary in summaries], model, settings, seed)
    return [_answered(*walk) for walk in zip(questions, summaries, drafts, strict=True)]


def without_checks(
    questions: Sequence[Question], model: LanguageModel, tool: SearchTool, settings: Settings, *, seed: int
) -> list[Trajectory]:
    """The search agent up to its draft (ReAct), on the same random numbers."""
    return [
        replace(walk, steps=walk.steps[:-2], final=walk.draft)
        for walk in roll_out(questions, model, tool, settings, seed=seed)
    ]


def majority(outcomes: Sequence[Outcome]) -> tuple[Outcome, ...]:
    """One outcome a question: a run that ended with the answer that most runs ended with.

    Of answers with equally many votes that of the earlier run wins.
    """
    runs: dict[str, list[Outcome]] = {}
    for one in sorted(outcomes, key=lambda outcome: outcome.run):
        runs.setdefault(one.question, []).append(one)
    elected = []
    for own in runs.values():
        winner = Counter(one.final for one in own).most_common(1)[0][0]
        elected.append(replace(next(one for one in own if one.final == winner), run=0))
    return tuple(elected)


def _found(question: Question, tool: SearchTool) -> State:
    places = tool.search(question.text)
    results = tuple(Snippet(number, tool.documents[place]) for number, place in enumerate(places, 1))
    return State(Kind.SUMMARY, question.text, query=question.text, results=results)


def _read(step: Step) -> State:
    """The state in which the answer is asked for, after the only search."""
    assert isinstance(step.action, Summary)
    past = Round(step.state.query, step.action.links, step.action.text)
    return State(Kind.ANSWER, step.state.question, (past,))


def _step(states: Sequence[State], model: LanguageModel, settings: Settings, seed: int) -> list[Step]:
    decoding = Decoding(settings.temperature, new_tokens=settings.new_tokens, stop=("\n",))
    drawn = model.sample([one.prompt for one in states], decoding, count=settings.samples, seed=seed)
    check_told(model, drawn)
    return [choose(state, completions) for state, completions in zip(states, drawn, strict=True)]


def _answered(question: Question, *steps: Step) -> Trajectory:
    """The trajectory that ends with a draft."""
    action = steps[-1].action
    assert isinstance(action, Answer)
    return Trajectory(question, steps, action.text, action.text)
