"""Rule lists in controlled English: what learners print and interpreters follow.

    If x1 is A and x3 is not B, then foo.
    Otherwise bar.

The first rule whose conditions all hold decides.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

_RULE = re.compile(
    r"^\s*(?:[-*\d.)]+\s*)?if\s+(?P<conditions>.+?),?\s+then\s+(?P<label>\w+)\.?\s*$", re.IGNORECASE
)
_OTHERWISE = re.compile(r"^\s*(?:[-*\d.)]+\s*)?otherwise,?\s+(?P<label>\w+)\.?\s*$", re.IGNORECASE)
_CONDITION = re.compile(r"^\s*(?P<name>\w+)\s+is\s+(?P<negated>not\s+)?(?P<value>\w+)\s*$", re.IGNORECASE)
_PAIR = re.compile(r'"?(\w+)"?\s*(?:=|:|\bis\b)\s*"?(\w+)"?')


@dataclass(frozen=True)
class Condition:
    """``name`` is ``value``, or is not."""

    name: str
    value: str
    negated: bool = False

    def holds(self, values: Mapping[str, str]) -> bool:
        """Whether an assignment meets it; an unknown variable meets negations only."""
        return (values.get(self.name) == self.value) != self.negated

    def __str__(self) -> str:
        """As text."""
        return f"{self.name} is {'not ' if self.negated else ''}{self.value}"


@dataclass(frozen=True)
class Rule:
    """Conditions, all of which must hold, and a label; without conditions it always applies."""

    conditions: tuple[Condition, ...]
    label: str

    def __str__(self) -> str:
        """As text."""
        if not self.conditions:
            return f"Otherwise {self.label}."
        return f"If {' and '.join(map(str, self.conditions))}, then {self.label}."


def print_rules(rules: Sequence[Rule]) -> str:
    """One rule a line."""
    return "\n".join(map(str, rules))


def parse_rules(text: str) -> list[Rule]:
    """The rules in a text; lines that are not rules are skipped."""
    found = []
    for line in text.splitlines():
        if otherwise := _OTHERWISE.match(line):
            found.append(Rule((), otherwise["label"]))
        elif rule := _RULE.match(line):
            conditions = [_CONDITION.match(part) for part in re.split(r"\s+and\s+", rule["conditions"])]
            if all(conditions):
                found.append(Rule(tuple(_read(one) for one in conditions if one), rule["label"]))
    return found


def _read(match: re.Match[str]) -> Condition:
    return Condition(match["name"], match["value"], bool(match["negated"]))


def apply_rules(rules: Sequence[Rule], values: Mapping[str, str]) -> str | None:
    """The label of the first rule that applies, or None."""
    for rule in rules:
        if all(condition.holds(values) for condition in rule.conditions):
            return rule.label
    return None


def read_values(text: str) -> dict[str, str]:
    """The assignment that a rendered input states, whatever the template (see ``templates``)."""
    return dict(_PAIR.findall(text))
