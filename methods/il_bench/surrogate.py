"""Stand-ins for language models that write and follow rules in controlled English (card §9).

They read the same requests and answer in the same form as language models, so that everything else is
the real code. Their limits are declared: the learner finds so many rules and no more, and the
interpreter errs at a known rate. What rests on these limits is not evidence about language models.
"""

from __future__ import annotations

import hashlib
import math
import re
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import Any

import numpy as np

from harness.method import ProblemError
from methods.common.language_model import Completion, Decoding, LanguageModel, NextToken
from methods.common.language_model.interface import check_texts
from methods.il_bench.asking import ARROW, EXAMPLES, read_request
from methods.il_bench.rules import Condition, Rule, apply_rules, parse_rules, print_rules, read_values


@dataclass
class _Surrogate(LanguageModel):
    """Answers texts; has no tokens, so words are counted instead."""

    surrogate: bool = field(default=True, kw_only=True)

    def next_token(self, prompts: Sequence[str], *, most: int | None = None) -> list[NextToken]:
        """Refuse: there are no tokens.

        Raises:
            ProblemError: Always.
        """
        raise ProblemError(
            "A surrogate has no distribution over tokens",
            where=self.name,
            fix="Use a language model for this.",
        )

    def _completion(self, text: str) -> Completion:
        return Completion(text, len(text.split()), finished=True, log_probability=math.nan)


@dataclass
class SurrogateLearner(_Surrogate):
    """Writes rules: a summary of examples, a revision of rules for examples, or a variation of rules.

    A summary is a decision tree with few leaves, printed path by path. A revision puts a rule for
    one of the examples before the given rules. A variation, where no examples are shown, changes
    one of the rules blindly. No more rules are written than a request allows.

    Attributes:
        capacity: Leaves of the tree: the rules that it can write, whatever is allowed.
    """

    capacity: int = field(default=3, kw_only=True)

    def score(self, prompts: Sequence[str], options: Sequence[Sequence[str]]) -> list[list[float]]:
        """Refuse: it only writes.

        Raises:
            ProblemError: Always.
        """
        raise ProblemError("A surrogate learner only writes", where=self.name, fix="Use it as learner.")

    def sample(
        self, prompts: Sequence[str], decoding: Decoding, *, count: int = 1, seed: int = 0
    ) -> list[list[Completion]]:
        """Rules for the examples of each request; the seed breaks ties between equally good tests."""
        check_texts(prompts)
        found = [
            [self._completion(self._rules(prompt, seed + draw)) for draw in range(count)]
            for prompt in prompts
        ]
        for prompt, completions in zip(prompts, found, strict=True):
            self.usage.completed(completions, len(prompt.split()))
        return found

    def _rules(self, prompt: str, seed: int) -> str:
        examples, prior = read_examples(prompt), _last_rules(prompt)
        rng = np.random.default_rng(_number(self.identity, prompt, str(seed)))
        allowed = re.findall(r"at most (\d+) rules", prompt)
        most = min([self.capacity, *map(int, allowed[:1])])
        if examples and prior:
            return print_rules(_revised(prior, examples, most, rng))
        if examples:
            return print_rules(fit_rules(examples, most, seed))
        if prior:
            return print_rules(_varied(prior, rng))
        raise ProblemError(
            f"The request has neither rules nor examples after {EXAMPLES!r}",
            where=self.name,
            fix="Show some.",
        )


@dataclass
class SurrogateExecutor(_Surrogate):
    """Follows the rules of an instruction, or the nearest of its examples, and errs at a known rate.

    Whether it errs depends on instruction and input alone, as an answer at temperature 0 does.

    Attributes:
        error: Probability of another label than the rules say.
        per_rule: Probability of an error for each rule of the instruction, on top of ``error``.
    """

    error: float = field(default=0.02, kw_only=True)
    per_rule: float = field(default=0.0, kw_only=True)

    def score(self, prompts: Sequence[str], options: Sequence[Sequence[str]]) -> list[list[float]]:
        """0 for the label that it answers and −∞ for the others."""
        check_texts(prompts, options)
        return [
            [0.0 if option.strip() == self._answer(prompt) else -math.inf for option in of_prompt]
            for prompt, of_prompt in zip(prompts, options, strict=True)
        ]

    def sample(
        self, prompts: Sequence[str], decoding: Decoding, *, count: int = 1, seed: int = 0
    ) -> list[list[Completion]]:
        """The label of each request; empty where no rule applies."""
        check_texts(prompts)
        found = [[self._completion(self._answer(prompt))] * count for prompt in prompts]
        for prompt, completions in zip(prompts, found, strict=True):
            self.usage.completed(completions, len(prompt.split()))
        return found

    def _answer(self, prompt: str) -> str:
        request = read_request(prompt)
        values = read_values(request.text)
        rules = _rules_of(request.instruction)
        if request.shows_examples:
            label: str | None = _nearest(_examples_of(request.instruction), values)
        else:
            label = apply_rules(rules, values)
        rate = 1 - (1 - self.error) * (1 - self.per_rule) ** len(rules)
        # Two independent numbers of 32 bits: whether it errs, and how.
        chance, which = divmod(_number(self.identity, request.instruction, request.text), 2**32)
        others = [other for other in request.labels if other != label]
        if chance < rate * 2**32 and others:
            return others[which % len(others)]
        return label or ""


@lru_cache(maxsize=512)
def _rules_of(instruction: str) -> tuple[Rule, ...]:
    # Cached, since an instruction is applied to hundreds of inputs.
    return tuple(parse_rules(instruction))


@lru_cache(maxsize=16)
def _examples_of(instruction: str) -> tuple[tuple[dict[str, str], str], ...]:
    return tuple(read_examples(instruction))


def read_examples(prompt: str) -> list[tuple[dict[str, str], str]]:
    """The examples of a request: assignments and labels."""
    lines = prompt.rpartition(EXAMPLES)[2].splitlines()
    pairs = [line.rpartition(ARROW) for line in lines if ARROW in line]
    return [(read_values(text), label.strip()) for text, _, label in pairs]


def fit_rules(examples: Sequence[tuple[dict[str, str], str]], leaves: int, seed: int) -> list[Rule]:
    """The paths of a small CART as a rule list, the most frequent label last.

    Args:
        examples: Assignments and labels.
        leaves: Most leaves, and so rules.
        seed: Breaks ties between tests.
    """
    from sklearn.feature_extraction import DictVectorizer
    from sklearn.tree import DecisionTreeClassifier

    labels = [label for _, label in examples]
    if leaves < 2 or len(set(labels)) == 1:
        return [Rule((), max(sorted(set(labels)), key=labels.count))]
    vectorizer = DictVectorizer(sparse=False)
    features = vectorizer.fit_transform([values for values, _ in examples])
    tree = DecisionTreeClassifier(max_leaf_nodes=leaves, random_state=seed).fit(features, labels)
    names = [tuple(name.split("=", 1)) for name in vectorizer.get_feature_names_out()]
    paths = _paths(tree.tree_, [str(label) for label in tree.classes_], names, 0, ())
    # The rule that covers most examples comes last, without conditions; paths exclude each other.
    paths.sort(key=lambda one: one[1])
    return [rule for rule, _ in paths[:-1]] + [Rule((), paths[-1][0].label)]


def _last_rules(prompt: str) -> list[Rule]:
    """The last rule list that a request talks about: the best of OPRO's, the only one of others."""
    before = prompt.rpartition(EXAMPLES)[0] if EXAMPLES in prompt else prompt
    blocks = [parse_rules(block) for block in before.split("\n\n")]
    # The request itself shows the form of a rule, with names in angle brackets, which is none.
    found = [rules for rules in blocks if rules]
    return found[-1] if found else []


def _revised(
    prior: Sequence[Rule],
    examples: Sequence[tuple[dict[str, str], str]],
    capacity: int,
    rng: np.random.Generator,
) -> list[Rule]:
    """A rule of one condition for one of the examples, before as many of the given rules as fit."""
    values, label = examples[int(rng.integers(len(examples)))]
    name = sorted(values)[int(rng.integers(len(values)))]
    kept = [rule for rule in prior if rule.conditions]
    while len(kept) > max(0, capacity - 2):
        kept.pop(int(rng.integers(len(kept))))
    last = [rule for rule in prior if not rule.conditions][-1:]
    return [Rule((Condition(name, values[name]),), label), *kept, *last]


def _varied(prior: Sequence[Rule], rng: np.random.Generator) -> list[Rule]:
    """One rule with its label taken from another rule, or its first condition negated."""
    place = int(rng.integers(len(prior)))
    rule = prior[place]
    if rule.conditions and rng.random() < 0.5:
        turned = replace(rule.conditions[0], negated=not rule.conditions[0].negated)
        changed = Rule((turned, *rule.conditions[1:]), rule.label)
    else:
        changed = Rule(rule.conditions, prior[int(rng.integers(len(prior)))].label)
    return [*prior[:place], changed, *prior[place + 1 :]]


def _nearest(examples: Sequence[tuple[dict[str, str], str]], values: dict[str, str]) -> str:
    """The label most frequent among the examples that share most symbols with an input."""
    shared = [sum(values.get(name) == value for name, value in one.items()) for one, _ in examples]
    labels = [label for (_, label), count in zip(examples, shared, strict=True) if count == max(shared)]
    return max(sorted(set(labels)), key=labels.count)


def _paths(
    tree: Any,
    labels: Sequence[str],
    names: Sequence[tuple[str, ...]],
    node: int,
    conditions: tuple[Condition, ...],
) -> list[tuple[Rule, int]]:
    """Rules of the leaves below a node with the number of their examples."""
    left, right = tree.children_left[node], tree.children_right[node]
    if left == right:
        label = labels[int(tree.value[node].argmax())]
        return [(Rule(_needed(conditions), label), int(tree.n_node_samples[node]))]
    name, value = names[int(tree.feature[node])]
    lacking = (*conditions, Condition(name, value, negated=True))
    having = (*conditions, Condition(name, value))
    return _paths(tree, labels, names, left, lacking) + _paths(tree, labels, names, right, having)


def _needed(conditions: Sequence[Condition]) -> tuple[Condition, ...]:
    """The conditions without each "is not" about a variable whose value another condition states."""
    known = {condition.name for condition in conditions if not condition.negated}
    return tuple(one for one in conditions if not one.negated or one.name not in known)


def _number(*parts: str) -> int:
    return int.from_bytes(hashlib.blake2b("\0".join(parts).encode(), digest_size=8).digest(), "big")
