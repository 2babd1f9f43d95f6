"""Which rule selects a token from the drafts: a hook for any.

A rule of one's own is a :class:`~methods.spectr.selection.Rule`, and joins an experiment as a method with
this hook, beside the paper's::

    class MyDecoding(BaseDrafting):
        def rule(self) -> Rule:
            return MyRule()

``BaseDrafting`` decodes with it, ``BaseSelect`` checks it exactly on small distributions;
``examples/own_selection`` is a whole package.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from methods.spectr.selection import Rule


class RuleHook(ABC):
    """A method that selects tokens by a rule that a subclass chooses."""

    @abstractmethod
    def rule(self) -> Rule:
        """The token-level selection rule."""
