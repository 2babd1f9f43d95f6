"""At which scale a suite runs, what is drawn again there, and rules by profile."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from enum import StrEnum
from typing import TypeVar

T = TypeVar("T")
A = TypeVar("A")


class Profile(StrEnum):
    """At which scale a suite runs."""

    SMOKE = "smoke"
    SMALL = "small"
    GPU = "gpu"
    PAPER = "paper"


EVERY = tuple(Profile)
"""All profiles, for what is judged exactly."""
MEASURED = (Profile.SMALL, Profile.GPU, Profile.PAPER)
"""Those in which more than exact claims are judged."""
SCALED = (Profile.SMALL, Profile.GPU)
"""Those that run the paper's experiments at a smaller scale than its own."""


class Replication(StrEnum):
    """What is drawn again between replicates, and so carries the uncertainty of θ."""

    SEEDS = "seeds"
    """Each seed (or generated world) redraws everything: t with n - 1 degrees of freedom."""
    UNITS = "units"
    """A deterministic method over sampled units: paired BCa bootstrap and sign-flip."""
    CROSSED = "crossed"
    """Units crossed with seeds: the max-rule of ``docs/evidence.md``."""


def at(profiles: Profile | Iterable[Profile], rule: T) -> dict[Profile, T]:
    """One rule for several profiles.

    ``at(SCALED, form) | at(Profile.PAPER, NotRun(...))`` adds another one.
    """
    return dict.fromkeys((profiles,) if isinstance(profiles, Profile) else profiles, rule)


def by_profile(places: Mapping[Profile, A], make: Callable[[A], T]) -> dict[Profile, T]:
    """The rule that ``make`` gives for each profile's own place (or whatever else differs there)."""
    return {profile: make(place) for profile, place in places.items()}
