"""What a large model will be asked as agent, ranker and judge, before it is asked."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from harness.method import Asks, Resource
from methods.rest_react.judging import Judging, LanguageJudge
from methods.rest_react.method import AgentMethod, Pilot, Prompted, SelfImprove
from methods.rest_react.public_questions import BAMBOOGLE, BAMTWOOGLE
from methods.rest_react.public_task import PublicAgents

_QUESTIONS = {BAMBOOGLE.name: 125, BAMTWOOGLE.name: 100}
"""Of the exams, where they are not on this machine."""
_CHARACTERS = 4
"""Of a token, about."""
_ACTION, _VERDICT = 96, 64
"""New tokens of a step and of a judge's answer, at most."""


def expected(item: Any, method: Any, load: Callable[[Resource], Any]) -> Iterator[Asks]:
    """What is asked of models that a user names; see :class:`harness.suite.Served`.

    Trajectories are taken to search as often as they may, and all candidates of a step to differ.
    """
    if isinstance(item, Judging) and isinstance(method, LanguageJudge) and isinstance(method.model, Resource):
        yield _asked(method.model, len(item.errors) * item.questions, _verdict(), _VERDICT)
    elif isinstance(item, PublicAgents) and isinstance(method, AgentMethod):
        model = item.generation_0.model
        if isinstance(model, Resource):
            yield from _of_agents(item, method, model, load)


def _asked(model: Resource, requests: int, characters: int, new: int) -> Asks:
    tokens = characters // _CHARACTERS + 1
    return Asks(resource=model.name, requests=requests, prompt_tokens=tokens, new_tokens=new)


def _of_agents(
    task: PublicAgents, method: AgentMethod, model: Resource, load: Callable[[Resource], Any]
) -> Iterator[Asks]:
    # A decision before each search and after the last, what was found, an answer and two checks of it.
    steps = 2 * task.generation_0.searches + 4
    exams = task.runs * sum(_count(one, load) for one in (task.first, task.second))
    grown, ranked = _grown(task, method)
    acts = grown + (exams if isinstance(method, Prompted) else 0)
    if acts:
        yield _asked(model, acts * steps * method.samples, _step(), _ACTION)
    if ranked:
        yield _asked(model, ranked * steps * method.samples, _ranking(method.samples), 1)
    # Of each answer its draft is judged, too.
    yield _asked(model, 2 * _agents(method) * exams, _verdict(), _VERDICT)


def _grown(task: PublicAgents, method: AgentMethod) -> tuple[int, int]:
    """Trajectories of the large model, and those whose steps it ranks."""
    if isinstance(method, Pilot):
        return method.trajectories, 0
    if not isinstance(method, SelfImprove):
        return 0, 0
    passes = method.passes[: method.generations]
    return task.questions * passes[0], task.questions * sum(passes) * (method.ranker == "model")


def _agents(method: AgentMethod) -> int:
    """Agents that take the exams."""
    if isinstance(method, SelfImprove):
        return method.start + method.generations * len(method.sizes) + len(method.subsets)
    named: tuple[str, ...] = getattr(method, "sizes", ()) or getattr(method, "names", ())
    return max(1, len(named))


def _count(exam: Any, load: Callable[[Resource], Any]) -> int:
    found = load(exam) if isinstance(exam, Resource) else None
    return _QUESTIONS.get(getattr(exam, "name", ""), 0) if found is None else len(found.questions)


def _step() -> int:
    """Characters of a state with its task and the solved examples before it: the mean over kinds of steps.

    Each example is a state with a right action; a state that has grown is as long as all of them, about.
    """
    from methods.rest_react.language import TASKS, shots

    sizes = [len(task) + 2 * len(shots(kind)) for kind, task in TASKS.items()]
    return sum(sizes) // len(sizes)


def _ranking(samples: int) -> int:
    """Characters of a question for the best of some candidates, about."""
    from methods.rest_react.language import TASKS, shots

    sizes = [len(task) + (1 + samples) * len(shots(kind)) // 3 for kind, task in TASKS.items()]
    return sum(sizes) // len(sizes)


def _verdict() -> int:
    from methods.rest_react.language import judging_prompt

    return len(judging_prompt("Where was the author of Ulysses born?", "In Dublin.", "Dublin"))
