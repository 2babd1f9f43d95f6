"""Trajectories as rows that a reader can follow step by step."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from harness.method import Table
from methods.rest_react.agent import Step, Trajectory
from methods.rest_react.steps import Kind, Search, Stop, Verdict

_NAMES = {
    Kind.DECISION: "decision",
    Kind.SUMMARY: "summary",
    Kind.ANSWER: "draft",
    Kind.RELEVANCE: "relevance check",
    Kind.GROUNDING: "grounding check",
}
Row = tuple[str, str]
"""Kind of a row, and its text."""


def steps_table(trajectories: Sequence[Trajectory], right: Sequence[bool], *, most: int = 12) -> Table:
    """A few trajectories, half of them wrong where there are such, one row a step.

    Args:
        trajectories: Of one agent, each about another question.
        right: Whether the final answer of each is right.
        most: Trajectories that are kept, at most.

    Returns:
        Columns ``unit_id`` (the question's id), ``heading`` (the question), ``mark`` (``right`` or
        ``wrong``), ``step`` (from 0), ``kind`` and ``text``.
    """
    columns: dict[str, list[str | int]] = {
        name: [] for name in ("unit_id", "heading", "mark", "step", "kind", "text")
    }
    for place in sample(right, most):
        trajectory = trajectories[place]
        mark = "right" if right[place] else "wrong"
        for step, (kind, text) in enumerate(_rows(trajectory)):
            question = trajectory.question
            row: tuple[str | int, ...] = (question.id, question.text, mark, step, kind, text)
            for column, value in zip(columns.values(), row, strict=True):
                column.append(value)
    return columns


def sample(right: Sequence[bool], most: int) -> list[int]:
    """Places of the first right and wrong ones, as many of both as possible, in their order."""
    places: Mapping[bool, list[int]] = {
        value: [place for place, one in enumerate(right) if bool(one) is value] for value in (True, False)
    }
    wrong = min(len(places[False]), max(most // 2, most - len(places[True])))
    return sorted(places[False][:wrong] + places[True][: most - wrong])


def _rows(trajectory: Trajectory) -> Iterator[Row]:
    for step in trajectory.steps:
        state = step.state
        if state.kind is Kind.SUMMARY:
            found = "\n".join(f"[{one.link}] {one.text}" for one in state.results)
            yield "search result", found or "nothing was found"
        yield _NAMES[state.kind], f"{_said(step)}{_votes(step)}"
    yield "final answer", trajectory.final


def _said(step: Step) -> str:
    if step.failed:
        tried = step.candidates[0].text if step.candidates else ""
        return f"{_worded(step)} (no sample could be read, such as: {tried})"
    return _worded(step)


def _worded(step: Step) -> str:
    match step.action:
        case Search(query) if step.state.left <= 0:
            return f"search: {query} (refused: no search is left)"
        case Stop():
            return "stop searching"
        case Verdict(None):
            return "passes"
        case _:
            return step.text


def _votes(step: Step) -> str:
    if len(step.candidates) < 2 or step.failed:
        return ""
    alike = sum(one.text == step.text for one in step.candidates)
    return f" — {alike} of {len(step.candidates)} samples"
