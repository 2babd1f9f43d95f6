"""K-SEQ on a few candidates in two experiments of SpecTr: one hook, and a base class for each of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from harness.method import param
from methods.spectr.hook import RuleHook
from methods.spectr.method import BaseDrafting
from methods.spectr.pairs import BaseSelect

if TYPE_CHECKING:
    from own_selection.first import FirstTries


@dataclass(frozen=True)
class _WithFirstTries(RuleHook):
    tries: int = param(2, source="ours", doc="candidates that are tested, the first ones")

    def rule(self) -> FirstTries:
        from own_selection.first import FirstTries

        return FirstTries(self.tries)


@dataclass(frozen=True)
class FirstTriesDecoding(_WithFirstTries, BaseDrafting):
    """Decoding that tests a few of the drafts."""


@dataclass(frozen=True)
class FirstTriesSelect(_WithFirstTries, BaseSelect):
    """The rule by itself: does its output have the target's law?"""
