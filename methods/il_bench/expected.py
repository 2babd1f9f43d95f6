"""What learners and executors will be asked, before anything is asked."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from harness.method import Asks, Resource
from methods.il_bench.following import RuleFollowing
from methods.il_bench.method import LSP, Ensemble, InContext, OneInstruction, TreePrompting, ZeroShot
from methods.il_bench.models import Named, Speaker
from methods.il_bench.problem import LONG_ANSWER, SHORT_ANSWER
from methods.il_bench.task import SynTreeTask

if TYPE_CHECKING:
    from methods.il_bench.items import Benchmark

_SHIFTED = 5
"""Shifted sets, each as large as the test."""
_WRITTEN = 400
"""New tokens of a learner's answer, at most."""
_CHARACTERS = 4
"""Of a token, about."""


def expected(item: Any, method: Any, load: Any) -> Iterator[Asks]:
    """What is asked of models that a user names; see :class:`harness.suite.Served`.

    Searches stop at their budgets, and programs at their depth, most of them long before.
    """
    if isinstance(item, RuleFollowing):
        yield from _asked(
            item.reader, item.lists * len(item.counts) * item.inputs, _of_rules(item), SHORT_ANSWER
        )
    elif isinstance(item, SynTreeTask) and method is not None:
        yield from _of_trees(item, method)


def _asked(speaker: Speaker | None, requests: int, prompt: int, new: int) -> Iterator[Asks]:
    if isinstance(speaker, Named) and isinstance(speaker.model, Resource) and requests:
        yield Asks(
            resource=speaker.model.name,
            requests=requests,
            prompt_tokens=prompt // _CHARACTERS + 1,
            new_tokens=new,
        )


def _of_trees(task: SynTreeTask, method: Any) -> Iterator[Asks]:
    from methods.il_bench.asking import rules_request

    searches = isinstance(method, LSP | OneInstruction | Ensemble | TreePrompting)
    if not searches and not isinstance(method, InContext | ZeroShot):
        return  # What asks nobody, and foreign methods.
    seen = _benchmark(task)
    shown = min(getattr(method, "batch", 0), task.train)
    request = len(rules_request(seen.train[:1], seen.labels, most=3)) + shown * len(seen.train[0].text)
    if searches:
        yield from _asked(task.writer, task.budget, request, _WRITTEN)
    tried = task.budget * (task.train + task.validation) if searches else 0
    calls = _calls(method)
    sets = task.train + task.test * (1 + _SHIFTED * task.shifted)
    prompt, new = _prompt(method, seen), LONG_ANSWER if getattr(method, "reasoning", False) else SHORT_ANSWER
    yield from _asked(task.reader, tried + calls * sets, prompt, new)
    yield from _asked(task.other, calls * task.test, prompt, new)


def _calls(method: Any) -> int:
    """Calls of the executor for one answer, at most."""
    if isinstance(method, LSP):
        return max(1, method.expansions)
    if isinstance(method, Ensemble):
        return method.voters
    return method.leaves if isinstance(method, TreePrompting) else 1


def _prompt(method: Any, seen: Benchmark) -> int:
    """Characters of a request to the executor, about."""
    from methods.il_bench.asking import label_request, shots_instruction
    from methods.il_bench.rules import print_rules
    from methods.il_bench.surrogate import fit_rules

    if isinstance(method, InContext):
        told = shots_instruction(seen.question, seen.train[: method.shots], reasoning=method.reasoning)
    elif isinstance(method, ZeroShot):
        told = seen.question
    else:
        examples = [(dict(item.values), item.label) for item in seen.train]
        told = print_rules(fit_rules(examples, method.rules, 0))
    return len(label_request(told, seen.train[0].text, seen.labels))


def _of_rules(task: RuleFollowing) -> int:
    """Characters of a request to follow a list, about: of one of middling length."""
    from methods.il_bench.asking import label_request
    from methods.il_bench.rules import print_rules
    from methods.il_bench.surrogate import fit_rules

    seen = _made(task.depth, task.variables)
    examples = [(dict(item.values), item.label) for item in seen.train]
    many = round(sum(task.counts) / len(task.counts))
    return len(label_request(print_rules(fit_rules(examples, many, 0)), seen.train[0].text, seen.labels))


def _benchmark(task: SynTreeTask) -> Benchmark:
    return _made(task.depth, task.variables, values=task.values, labels=task.labels)


def _made(depth: int, variables: int, **sizes: int) -> Benchmark:
    import numpy as np

    from methods.il_bench.syntree import SynTree, make_syntree

    size = SynTree(depth, variables, train=64, validation=0, test=1, **sizes)
    return make_syntree(size, np.random.default_rng(0))[0]
