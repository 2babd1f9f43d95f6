"""The exact tier: token-level rules on small distributions p and q, against linear programs.

A method here returns a selection rule; the task checks it by enumeration and against oracles. Distributions
are random (Dirichlet) and adversarial: near-disjoint, point masses, uniform on subsets, and the
worst pairs that are known.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from harness.method import Context, Method, ProblemError, Scores, Task, param
from methods.spectr.hook import RuleHook
from methods.spectr.method import LEVIATHAN, SUN

if TYPE_CHECKING:
    from methods.spectr.selection import Rule

Floats = NDArray[np.float64]

SOLVER = 1e-6
"""Error that HiGHS may leave: its feasibility tolerance is 1e-7, and sums add up."""
ROUNDING = 1e-12
"""Error that float64 may leave after enumerating up to a thousand tuples."""
STRICT = 0.02
"""A difference that no tolerance explains."""


@dataclass(frozen=True)
class Case:
    """One pair of distributions."""

    name: str
    p: Floats
    q: Floats


@dataclass(frozen=True)
class SelectionProblem:
    """Pairs of distributions, and the largest number of candidates."""

    cases: tuple[Case, ...]
    most: int


@dataclass(frozen=True)
class Pairs(Task[SelectionProblem, "Rule"]):
    """Random and adversarial pairs of distributions on 2 to 5 tokens, with up to ``most`` candidates."""

    random: int = param(60, source="ours", doc="random pairs")
    most: int = param(3, source="card, section 8", doc="largest k")

    def problem(self, ctx: Context) -> SelectionProblem:
        """The pairs of this seed."""
        cases = (*adversarial(), *sampled(ctx.rng("pairs"), self.random))
        return SelectionProblem(cases, self.most)

    def evaluate(self, result: Rule, ctx: Context) -> Scores:
        """Exact properties of the rule, one part each.

        - ``law``: the largest deviation of the emitted distribution from q, over k;
        - ``single``: at k = 1, membership against Σ min(p, q) and the full linear program;
        - ``bound``: how far membership falls short of (1 − (1 − 1/k)^k) α_k;
        - ``monotone``: the largest fall of membership as k grows;
        - ``below``, ``gain``: pairs whose membership is well below α_k; that gain from k > 1.
        """
        cases = self.problem(ctx).cases
        studies = [study(result, case, self.most) for case in cases]
        names = [case.name for case in cases]
        return Scores(
            {
                "law": _exact(
                    names, [s.law for s in studies], ROUNDING, [s.slow > ROUNDING for s in studies]
                ),
                "single": _exact(names, [s.single for s in studies], SOLVER),
                "bound": _exact(names, [s.short for s in studies], SOLVER),
                "monotone": _exact(names, [s.fall for s in studies], ROUNDING),
                "below": _witnesses(
                    names, [s.below > STRICT for s in studies], [s.flow_gap for s in studies]
                ),
                "gain": _witnesses(names, [s.gain > STRICT for s in studies], [s.gain for s in studies]),
            }
        )


@dataclass(frozen=True)
class Study:
    """What enumeration and oracles say about a rule on one pair.

    Attributes:
        law: Largest |P(Y = y) − q(y)|, over k.
        slow: The same by a loop over tuples in plain Python, at the first k where it is not rounding.
        single: Deviation from the optimum at k = 1.
        short: Shortfall from the guarantee, over k.
        fall: Largest fall of membership from k to k + 1.
        below: Largest distance below α_k by the sorted-prefix form.
        flow_gap: The same distance by the flow program, at the same k.
        gain: Largest rise of membership over k = 1.
    """

    law: float
    slow: float
    single: float
    short: float
    fall: float
    below: float
    flow_gap: float
    gain: float


def study(rule: Rule, case: Case, most: int) -> Study:
    """Check a rule on one pair of distributions for k = 1 … ``most``."""
    import torch

    from methods.spectr.kseq import guarantee
    from methods.spectr.law import token_law
    from methods.spectr.otm import full_program, optimal_acceptance, optimal_flow

    p, q = torch.from_numpy(case.p), torch.from_numpy(case.q)
    tries = range(1, most + 1)
    laws = [token_law(rule, p, q, k) for k in tries]
    errors = [float((law - q).abs().max()) for law, _ in laws]
    member = [value for _, value in laws]
    optima = [optimal_flow(case.p, case.q, k).value for k in tries]
    prefix = [float(optimal_acceptance(p[None], q[None], k)) for k in tries]
    below = [best - value for best, value in zip(prefix, member, strict=True)]
    wrong = next((k for k, error in zip(tries, errors, strict=True) if error > ROUNDING), 0)
    overlap = float(np.minimum(case.p, case.q).sum())
    return Study(
        law=max(errors),
        slow=slow_law_error(rule, case, wrong) if wrong else 0.0,
        single=max(abs(member[0] - overlap), abs(member[0] - full_program(case.p, case.q, 1)[0])),
        short=max(guarantee(k) * optima[k - 1] - member[k - 1] for k in tries),
        fall=max(0.0, *(left - right for left, right in pairwise(member))),
        below=max(below),
        flow_gap=optima[int(np.argmax(below))] - member[int(np.argmax(below))],
        gain=max(member) - member[0],
    )


def slow_law_error(rule: Rule, case: Case, k: int) -> float:
    """The distribution's error by a plain loop over candidate tuples, one plan at a time."""
    from itertools import product
    from math import fsum, prod

    import torch

    terms: list[list[float]] = [[] for _ in case.q]
    p, q = torch.from_numpy(case.p)[None], torch.from_numpy(case.q)[None]
    for candidates in product(range(len(case.p)), repeat=k):
        weight = prod(float(case.p[x]) for x in candidates)
        if weight == 0.0:
            continue
        active = torch.ones((1, k), dtype=torch.bool)
        plan = rule.plan(p, q, torch.tensor([candidates]), active)
        left = weight
        for token, accept in zip(candidates, plan.accept[0].tolist(), strict=True):
            terms[token].append(left * accept)
            left *= 1.0 - accept
        for token, share in enumerate(plan.residual(torch.tensor([0]))[0].tolist()):
            terms[token].append(left * share)
    return max(abs(fsum(term) - float(mass)) for term, mass in zip(terms, case.q, strict=True))


def adversarial() -> Iterator[Case]:
    """Edge cases, and the pairs of the golden tables."""
    third, unit = 1.0 / 3.0, np.eye(3)
    pairs: list[tuple[str, Any, Any]] = [
        ("table A", (0.5, 0.3, 0.2), (0.2, 0.3, 0.5)),
        ("table B", (0.25,) * 4, (0.5, 0.5, 0, 0)),
        ("table C", (0.75, 0.25), (0.25, 0.75)),
        ("table D", (third, 2 * third), (5 / 9, 4 / 9)),
        ("table E", (0.1, 0.6, 0.3), (1, 0, 0)),
        ("equal laws", (0.3, 0.7), (0.3, 0.7)),
        ("disjoint", (1, 0), (0, 1)),
        ("nearly disjoint", (1 - 1e-9, 1e-9), (1e-9, 1 - 1e-9)),
        ("one common token", (0.5, 0.5, 0), (0, 0.5, 0.5)),
        ("draft is a point", unit[0], (0.4, 0.3, 0.3)),
        ("tiny probabilities", (1e-12, 0.5, 0.5 - 1e-12), (0.5, 1e-12, 0.5 - 1e-12)),
        ("peaked draft", (0.49, 0.11, 0.06, 0.14, 0.2), (0.04, 0.25, 0.31, 0.22, 0.18)),
        ("tied ratios", (0.4, 0.4, 0.2), (0.2, 0.2, 0.6)),
    ]
    for name, p, q in pairs:
        yield Case(name, np.array(p, dtype=np.float64), np.array(q, dtype=np.float64))


def sampled(rng: np.random.Generator, count: int) -> Iterator[Case]:
    """Dirichlet pairs with concentration .2 to 3 on 2 to 5 tokens."""
    for index in range(count):
        size = int(rng.integers(2, 6))
        p, q = rng.dirichlet(np.full(size, rng.uniform(0.2, 3.0)), size=2)
        yield Case(f"random {index}", p, q)


@dataclass(frozen=True)
class BaseSelect(RuleHook, Method[SelectionProblem, "Rule"]):
    """The token-level selection rule of a subclass."""

    problem_type: ClassVar[type] = SelectionProblem

    def run(self, problem: SelectionProblem, ctx: Context) -> Rule:
        """The rule; it needs no fitting."""
        return self.rule()


@dataclass(frozen=True)
class SelectWith(BaseSelect):
    """A token-level selection rule.

    ``k-seq`` is the paper's; ``single`` tests one candidate as in speculative decoding;
    ``recursive`` is SpecInfer's; ``optimal`` the transport plan; ``target-first`` draws from q.
    """

    cites: ClassVar[str] = f"{SUN}; {LEVIATHAN}"

    name: str = param("k-seq", source="paper, section 'K-SEQ'", doc="the rule")
    slack: float = param(0.0, source="paper, Theorem 1", doc="of K-SEQ: ρ = ρ* + slack (k − ρ*)")

    def rule(self) -> Rule:
        """The rule of that name.

        Raises:
            ProblemError: If there is none.
        """
        from methods.spectr import selection

        rules: dict[str, Rule] = {
            "k-seq": selection.KSeq(self.slack),
            "single": selection.FirstOnly(),
            "recursive": selection.Recursive(),
            "optimal": selection.OptimalTransport(),
            "target-first": selection.TargetFirst(),
        }
        if self.name not in rules:
            raise ProblemError(
                f"There is no selection rule '{self.name}'",
                where="SelectWith.name",
                fix=f"Choose one of {', '.join(rules)}.",
            )
        return rules[self.name]


def _exact(
    names: list[str], errors: list[float], tolerance: float, confirmed: list[bool] | None = None
) -> dict[str, list[Any]]:
    return {
        "unit_id": names,
        "case": names,
        "error": [max(0.0, error) for error in errors],
        "tolerance": [tolerance] * len(names),
        "confirmed": confirmed or [error > tolerance for error in errors],
    }


def _witnesses(names: list[str], found: list[bool], checked: list[float]) -> dict[str, list[Any]]:
    return {
        "unit_id": names,
        "case": names,
        "witness": found,
        "confirmed": [value > STRICT for value in checked],
    }
