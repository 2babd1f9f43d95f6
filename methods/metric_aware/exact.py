"""What the papers prove, checked case by case against brute force or automatic differentiation."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from harness.method import Context, Method, Scores, Task, param

if TYPE_CHECKING:
    from methods.metric_aware.problem import Floats
    from methods.metric_aware.rules import Decide, Rule

GRID = (1.0, 2.0, 3.0, 4.0, 5.0)
TOLERANCE = 1e-9
"""Numbers of size 1 in double precision, with sums of a few terms; no case is worse conditioned."""
Row = tuple[str, float]
"""Name of a case and its error."""
Inputs = Mapping[str, "Floats"]
"""Numbers of all cases, by name."""


@dataclass(frozen=True)
class Cases:
    """Numbers to compute something from, by name."""

    family: str
    inputs: Inputs


Found = Mapping[str, "Floats"]
"""What a method computed, by name."""


@dataclass(frozen=True)
class Property(Task[Cases, Found]):
    """One family of cases, random ones and adversarial ones."""

    family: Literal["rules", "lemmas", "losses", "ends", "sets"] = param(
        "rules", source="card, section 8", doc="what is checked"
    )
    count: int = param(60, source="ours", doc="random cases")

    def problem(self, ctx: Context) -> Cases:
        """The inputs of all cases."""
        import numpy as np

        rng = ctx.rng("cases")
        if self.family == "rules":
            edges = np.array(
                [[1, 0, 0, 0, 0], [0, 0, 0, 0, 1], [0.5, 0, 0, 0, 0.5], [0.2] * 5, [0.45, 0, 0, 0, 0.55]]
            )
            law = np.vstack([rng.dirichlet(np.full(5, 0.7), self.count), edges])
            return Cases("rules", {"law": law})
        if self.family == "lemmas":
            size = np.repeat([5.0, 10.0, 100.0, 1000.0], 5)
            share = np.tile([0.5 - 1e-6, 0.49, 0.25, 0.1, 0.01], 4)
            return Cases("lemmas", {"size": size, "share": share})
        if self.family == "losses":
            logits = np.vstack([[0.2, -0.1, 0.4, 0.9, 0.3], rng.normal(0, 2, (self.count, 5))])
            return Cases("losses", {"logits": logits, "label": np.append(3.7, rng.uniform(1, 5, self.count))})
        if self.family == "ends":
            return Cases("ends", {"aim": np.linspace(1, 5, self.count)})
        return Cases("sets", {"joint": rng.dirichlet(np.full(16, 0.3), self.count)})

    def evaluate(self, result: Found, ctx: Context) -> Scores:
        """Errors beside their tolerance."""
        check = {
            "rules": _rule_errors,
            "lemmas": _lemma_errors,
            "losses": _loss_errors,
            "ends": _end_errors,
            "sets": _set_errors,
        }[self.family]
        rows = list(check(self.problem(ctx).inputs, result))
        errors = [error for _, error in rows]
        return Scores(
            {
                "main": {
                    "unit_id": [f"{number:04d}" for number in range(len(rows))],
                    "case": [name for name, _ in rows],
                    "error": errors,
                    "tolerance": [TOLERANCE] * len(rows),
                    # The errors are the oracle's own: what it finds too large is a counterexample.
                    "confirmed": [error > TOLERANCE for error in errors],
                }
            }
        )


@dataclass(frozen=True)
class ClosedForms(Method[Cases, Found]):
    """The closed forms of this package."""

    problem_type: ClassVar[type] = Cases

    def run(self, problem: Cases, ctx: Context) -> Found:
        """Compute what the family asks for."""
        forms = {
            "rules": self.rules,
            "lemmas": self.lemmas,
            "losses": self.losses,
            "ends": self.ends,
            "sets": self.sets,
        }
        return forms[problem.family](problem.inputs)

    def rules(self, inputs: Inputs) -> Found:
        """The decision of each rule."""
        return decisions({rule.metric: rule for rule in deciding()}, inputs)

    def lemmas(self, inputs: Inputs) -> Found:
        """Mean and mode of distributions on two numbers."""
        from methods.metric_aware import rules

        return two_decisions(rules.mean, rules.mode, inputs)

    def losses(self, inputs: Inputs) -> Found:
        """The values of both losses, and the gradient of RAFT's in the logits."""
        import numpy as np

        grid, law, mean, error = moments(inputs)
        variance = (law * np.square(grid - mean)).sum(axis=1)
        gradient = 2 * (mean - inputs["label"][:, None]) * law * (grid - mean)
        return {"RAFT": error, "MBR": error + variance, "gradient": gradient}

    def ends(self, inputs: Inputs) -> Found:
        """Means on the two ends of the grid."""
        return reached((GRID[0], GRID[-1]), inputs)

    def sets(self, inputs: Inputs) -> Found:
        """The set with the largest expected F1."""
        import numpy as np

        from methods.metric_aware.gfm import best_f1_set

        sets = all_sets()
        sizes, found = sets.sum(axis=1), []
        for joint in inputs["joint"]:
            table = [[joint[sets[:, i] & (sizes == s)].sum() for s in range(1, 5)] for i in range(4)]
            best, _ = best_f1_set(np.array(table), float(joint[sizes == 0].sum()))
            found.append(best.astype(float))
        return {"set": np.array(found)}


def deciding() -> tuple[Rule, ...]:
    """The rules that minimise an expected loss."""
    import numpy as np

    from methods.metric_aware.rules import best_rules

    return tuple(r for r in best_rules(np.full(5, 0.2), threshold=4.0) if r.loss is not None)


def decisions(used: Mapping[str, Rule], inputs: Inputs) -> Found:
    """What a rule decides for each metric."""
    import numpy as np

    return {metric: rule.decide(np.array(GRID), inputs["law"]) for metric, rule in used.items()}


def _rule_errors(inputs: Inputs, found: Found) -> Iterator[Row]:
    import numpy as np

    grid = np.array(GRID)
    # Any optimum is at a value, half-way between two, half a unit away, or inside: a fine grid has all.
    tried = np.linspace(0.5, 5.5, 1001)
    for rule in deciding():
        assert rule.loss is not None
        for number, (law, decision) in enumerate(zip(inputs["law"], found[rule.metric], strict=True)):
            best = (rule.loss(grid[:, None], tried[None, :]) * law[:, None]).sum(axis=0).min()
            here = float(law @ rule.loss(grid, np.full(len(grid), decision)))
            yield f"{rule.metric}, distribution {number}", max(0.0, here - float(best))


def two_decisions(mean: Decide, mode: Decide, inputs: Inputs) -> Found:
    """What is used as mean and mode of a distribution on 0 and N."""
    import numpy as np

    found: dict[str, list[float]] = {"mean": [], "mode": []}
    for size, share in zip(inputs["size"], inputs["share"], strict=True):
        grid, law = np.array([0.0, size]), np.array([[1 - share, share]])
        found["mean"].append(mean(grid, law)[0])
        found["mode"].append(mode(grid, law)[0])
    return {name: np.array(values) for name, values in found.items()}


def _lemma_errors(inputs: Inputs, found: Found) -> Iterator[Row]:
    """Squared distances to the Bayes decision, relative to what the lemmas say."""
    rows = zip(inputs["size"], inputs["share"], found["mean"], found["mode"], strict=True)
    for size, share, mean, mode in rows:
        # The truth is 0 for certain, and the model gives the share ε to N: it is 2ε away in L1.
        yield f"mean, N = {size:g}, ε = {share:g}", abs(mean**2 / (share * size) ** 2 - 1)
        # The truth gives the share ½ − δ to N; the model knows it, and its mode is 0.
        bayes = share * size
        yield f"mode, N = {size:g}, ½ − δ = {share:g}", abs((mode - bayes) ** 2 / bayes**2 - 1)


def moments(inputs: Inputs) -> tuple[Floats, Floats, Floats, Floats]:
    """The grid, the distributions (n, 5), their means (n, 1) and the squared errors of these (n,)."""
    import numpy as np
    from scipy.special import softmax

    grid, law = np.array(GRID), softmax(inputs["logits"], axis=1)
    mean = law @ grid[:, None]
    return grid, law, mean, np.square(inputs["label"][:, None] - mean)[:, 0]


def _loss_errors(inputs: Inputs, found: Found) -> Iterator[Row]:
    import torch

    from methods.metric_aware.raft import mbr_loss, raft_loss

    logits = torch.tensor(inputs["logits"], requires_grad=True)
    values, label = torch.tensor(GRID, dtype=logits.dtype), torch.tensor(inputs["label"])
    raft, mbr = raft_loss(logits, values, label), mbr_loss(logits, values, label)
    (gradient,) = torch.autograd.grad(raft.sum(), logits)
    oracle = {"RAFT": raft, "MBR": mbr, "gradient": gradient}
    for name, exact in oracle.items():
        gaps = (torch.from_numpy(found[name]) - exact.detach()).abs().reshape(len(logits), -1).amax(1)
        for number, gap in enumerate(gaps.tolist()):
            yield f"{name}, logits {number}", gap


def reached(digits: tuple[float, float], inputs: Inputs) -> Found:
    """The means on a grid of two digits that come nearest to the aims."""
    import numpy as np

    from methods.metric_aware import rules

    grid = np.array(digits)
    share = np.clip((inputs["aim"] - grid[0]) / (grid[1] - grid[0]), 0.0, 1.0)
    return {"reached": rules.mean(grid, np.stack([1 - share, share], axis=1))}


def _end_errors(inputs: Inputs, found: Found) -> Iterator[Row]:
    for aim, reached in zip(inputs["aim"], found["reached"], strict=True):
        yield f"{aim:.3f} on a grid of two digits", abs(float(aim - reached))


def all_sets() -> Any:
    """All 16 sets of four labels, shape (16, 4)."""
    import numpy as np

    return (np.arange(16)[:, None] >> np.arange(4)) & 1 == 1


def _set_errors(inputs: Inputs, found: Found) -> Iterator[Row]:
    from methods.metric_aware.gfm import instance_f1

    sets = all_sets()
    for number, (joint, chosen) in enumerate(zip(inputs["joint"], found["set"], strict=True)):
        expected = [sum(p * instance_f1(y, v) for p, y in zip(joint, sets, strict=True)) for v in sets]
        here = sum(p * instance_f1(y, chosen == 1) for p, y in zip(joint, sets, strict=True))
        yield f"joint distribution {number}", max(0.0, float(max(expected) - here))
