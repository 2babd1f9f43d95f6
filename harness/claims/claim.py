"""A claim with its rules, and a sabotage with its predictions."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from harness.claims.forms.base import Form
from harness.claims.profiles import Profile

Rule = Mapping[Profile, Form]
"""The form that decides a claim under each profile; one that is missing gives ``not run``."""
Rules = Mapping[str, Rule]
"""By claim id."""


@dataclass(frozen=True, kw_only=True)
class Claim:
    """A statement of the paper, and how each profile decides it.

    Attributes:
        id: ``"C3"``, or ``"C3a"`` for a part of C3.
        statement: What the paper says, in our words.
        source: Where it says so: "abstract", "Table 1".
        forms: The deciding rule for each profile. A profile that is missing gives ``not run``.
        reported: Ids of the reported numbers that belong to it.
        parent: For a part, the id of the whole.
        essential: Whether the whole falls with this part.
        relies_on: Ids of exact claims that must hold before this one is judged.
        otherwise: How the verdict could have come out otherwise here: what in our world, script or filter
            might have decided it, and why it did not.
        note: What a reader must know to read the verdict.
        threshold: Numbers that the statement names, each of which the rule must hold θ to.
        same_as: Id of a claim that asks the same: its verdict is this one's too, and the two count as one
            in the family wherever their rules are equal.
        primary: Whether it is among the few that the paper stands for (its abstract and headline tables), to
            which half of the error rate is given; all others are secondary. A suite without any corrects all
            its claims alike.
    """

    id: str
    statement: str
    source: str
    forms: Rule
    reported: tuple[str, ...] = ()
    parent: str = ""
    essential: bool = True
    relies_on: tuple[str, ...] = ()
    otherwise: str = ""
    note: str = ""
    threshold: tuple[float, ...] = ()
    same_as: str = ""
    primary: bool = False


Prediction = Literal["kill", "keep"]


def kills(*claims: str) -> dict[str, Prediction]:
    """Predictions of a control that breaks what these claims rest on; ``kills("C1") | keeps("C2")``."""
    return dict.fromkeys(claims, "kill")


def keeps(*claims: str) -> dict[str, Prediction]:
    """Predictions that these claims hold in spite of a control."""
    return dict.fromkeys(claims, "keep")


@dataclass(frozen=True, kw_only=True)
class Control:
    """A sabotage with a predicted effect on claims.

    Attributes:
        id: ``"rho-one"``.
        title: What is broken.
        experiment: Where both the real and the sabotaged methods run (empty: any).
        replaces: Real method id to sabotaged method id.
        predicts: What should happen to each claim: :func:`kills` and :func:`keeps`.
    """

    id: str
    title: str
    replaces: Mapping[str, str]
    predicts: Mapping[str, Prediction]
    experiment: str = ""
    extra: Mapping[str, str] = field(default_factory=dict)
    """Task ids replaced by sabotaged tasks (shuffled labels), where the input is what is broken."""
