"""Negative controls: nothing new, no judgement, another world's facts. No real method imports this."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from harness.method import Context, ProblemError, Reference, param
from methods.rest_react.judging import Judge, Judgement
from methods.rest_react.method import AgentMethod, SelfImprove
from methods.rest_react.task import AgentProblem, WorldAgents

if TYPE_CHECKING:
    import numpy as np

    from methods.rest_react.exams import AgentResult, Agents, Outcome
    from methods.rest_react.retrieval import SearchTool


@dataclass(frozen=True)
class StandIn(AgentMethod):
    """Generation 0 under the names of agents that should have learnt something."""

    names: tuple[str, ...] = param((), source="ours", doc="agents that it stands in for")
    checks: bool = param(default=True, source="ours", doc="whether the two checks are heeded")
    astray: tuple[str, ...] = param(
        (), source="ours", doc="agents among them whose answers are given to other questions"
    )
    sat: Reference | None = None

    def run(self, problem: AgentProblem, ctx: Context) -> Agents:
        """Take the exams once, and hand in the result under every name.

        Raises:
            ProblemError: If there are no names.
        """
        from methods.rest_react.exams import Agents

        if not self.names:
            raise ProblemError("There is nobody to stand in for", where="StandIn", fix="Name agents.")
        found = self.began(problem, self.sat, ctx)
        if not self.checks:
            found = replace(found, outcomes={name: _unchecked(rows) for name, rows in found.outcomes.items()})
        agents = [
            replace(self._strayed(found, ctx) if n in self.astray else found, name=n) for n in self.names
        ]
        return Agents(tuple(agents), main=self.names[-1])

    def _strayed(self, found: AgentResult, ctx: Context) -> AgentResult:
        """Each question of each run with what was answered to another one, drawn at random."""
        exchanged = {}
        for exam, outcomes in found.outcomes.items():
            given = [outcomes[place] for place in ctx.rng("astray").permutation(len(outcomes))]
            exchanged[exam] = tuple(
                replace(other, question=own.question, run=own.run)
                for own, other in zip(outcomes, given, strict=True)
            )
        return replace(found, outcomes=exchanged, shown=())


def _unchecked(outcomes: Sequence[Outcome]) -> tuple[Outcome, ...]:
    return tuple(replace(one, final=one.draft) for one in outcomes)


@dataclass(frozen=True)
class CopiedTrajectories(SelfImprove):
    """The smallest agent from 1, 2 … trajectories a question, each further one a copy of the first.

    Copies have its targets, too. Generation 0 walks the first one, so that nothing before it need be trained.
    Agents: for each number n in ``subsets`` one by the name that self-improvement gives to its own.
    """

    def run(self, problem: AgentProblem, ctx: Context) -> Agents:
        """Roll out once, and train on so many copies."""
        from methods.rest_react.exams import Agents
        from methods.rest_react.generations import grow, improve

        model, seed = problem.teacher.speaker(problem.lexicon), int(ctx.rng("grow 1 pass 0").integers(2**31))
        settings = self.settings(problem, "L")
        (walks,) = grow(model, problem.train, problem.tool, settings, seeds=[seed])
        # Ranked once: a second look at the same candidates would be worth something.
        once = improve("copies", walks, self.chooser(problem), ctx.rng("ranker of copies"))
        found, data = [], []
        for number in self.subsets:
            name, examples = f"gen{self.generations}-{number}x", once.examples * number
            trained = problem.students.train(examples, problem.lexicon, "XS", f"{name}-XS", ctx)
            found.append(self.examined(problem, f"{name}-XS", trained))
            data.append(
                replace(once.about, name=name, trajectories=number * len(walks), examples=len(examples))
            )
        return Agents(tuple(found), found[-1].name, tuple(data))


@dataclass(frozen=True)
class LenientJudge(Judge):
    """Says yes to everything."""

    def judge(self, items: Sequence[Judgement], names: frozenset[str]) -> list[bool]:
        """Always right."""
        return [True] * len(items)


@dataclass(frozen=True, kw_only=True)
class SwappedWorlds(WorldAgents):
    """Searches find the same names and relations with other values: nothing that is found is true."""

    def searched(self, name: str, tool: SearchTool, rng: np.random.Generator) -> SearchTool:
        """Documents whose values are exchanged at random; training questions keep theirs."""
        from methods.rest_react.retrieval import SearchTool

        if name == "train":
            return tool
        parts = [text.rpartition(" is ") for text in tool.documents]
        values = [parts[place][2] for place in rng.permutation(len(parts))]
        texts = [f"{start} is {value}" for (start, _, _), value in zip(parts, values, strict=True)]
        return SearchTool(texts, mixed=True)
