"""What the ids of trials, their files and the reports' names can carry, and keep apart.

A trial's id is ``experiment/task/method/seed``. Evidence takes it apart again, files and LaTeX
commands are named after its parts, and its seed goes to every generator of random numbers. What is
lost on the way cannot be judged afterwards, so it is refused before anything is run.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

from harness.plan.selection import pairs
from harness.store.view import TIMED_METHOD
from harness.suite import Experiment, Tuned

Fault = tuple[str, str, str]
"""What is wrong, where, and how to correct it."""

_SEEDS_END = 2**64
"""PyTorch's generators take no larger seed."""
_LEGACY_SEEDS = 2**32
"""NumPy's global generator has no more seeds than these."""
_LOST = frozenset({"Cc", "Cs", "Zl", "Zp"})
"""Kinds of characters that end a line, or that no file can hold."""


def experiment_faults(experiment: Experiment) -> Iterator[Fault]:
    """What keeps trials of an experiment from being stored, told apart or judged."""
    where = f"experiment {experiment.id}"
    yield from name_faults("experiment", [experiment.id], where)
    for kind, names in (("task", experiment.tasks), ("method", experiment.methods)):
        yield from name_faults(kind, names, where)
        yield from alike(kind, names, where, spoken)
        if not names:
            yield f"It has no {kind}", where, f"Give it a {kind}, or leave it out of this profile."
    if experiment.tasks and experiment.methods and next(pairs(experiment), None) is None:
        yield "`only` names none of its tasks and methods", where, "Name a pair (task id, method id)."
    yield from seed_faults(experiment.seeds, where)
    yield from _gpu_faults(experiment, where)
    for name, method in experiment.methods.items():
        if isinstance(method, Tuned):
            yield from _tuning_faults(method, f"{where}, method {name}")


def _gpu_faults(experiment: Experiment, where: str) -> Iterator[Fault]:
    """Numbers of GPUs that no trial can be given."""
    named = experiment.gpus.values() if isinstance(experiment.gpus, Mapping) else [experiment.gpus]
    odd = [count for count in named if type(count) is not int or count < 0 or count == 1]
    if odd:
        fix = "Write a whole number from 2 on; without one, a trial has one GPU or its part."
        yield f"A trial cannot have {odd[0]!r} GPUs for itself", where, fix
    elif any(named) and experiment.device == "cpu":
        yield "It is kept on the CPU and asks for GPUs", where, 'Leave out `gpus` or `device="cpu"`.'
    elif any(named) and experiment.timed is not None:
        yield "Times are measured on one device, and it asks for several GPUs", where, "Leave out `gpus`."


def name_faults(kind: str, names: Iterable[str], where: str) -> Iterator[Fault]:
    """Ids that cannot be part of a trial's id, of a file's name or of a handle."""
    for name in names:
        reason = _unfit(name)
        if reason:
            yield f"The {kind} id {name!r} {reason}", where, "Use letters, digits, hyphens and dots."


def _unfit(name: object) -> str:
    if not isinstance(name, str):
        return "is not text"
    if not name or name != name.strip():
        return "begins or ends with a blank" if name else "is empty"
    if name == TIMED_METHOD:
        return "stands for the arms of a timed trial"
    if "/" in name:
        return "has a slash, which parts ids and file names"
    lost = next((char for char in name if unicodedata.category(char) in _LOST), "")
    return f"has the character U+{ord(lost):04X}, which no line of text can hold" if lost else ""


def alike(kind: str, names: Iterable[str], where: str, *keys: Callable[[str], object]) -> Iterator[Fault]:
    """Ids that a reader, a file or a command cannot tell apart, by what ``keys`` make of them."""
    first: dict[object, str] = {}
    for name, times in Counter(str(name) for name in names).items():
        if times > 1:
            yield f"The {kind} id '{name}' is used {times} times", where, "Rename one."
        other = next(filter(None, [first.get((key, key(name))) for key in keys]), None)
        first |= {(key, key(name)): name for key in keys}
        if other is not None:
            what = f"The {kind} ids {other!r} and {name!r} make one name in reports"
            yield what, where, "Rename one: case, blanks and points do not tell two names apart."


def spoken(name: str) -> tuple[str, ...]:
    """What LaTeX commands make of a name: its words, digits and spelt signs, whatever their case."""
    plain = "".join(c for c in unicodedata.normalize("NFKD", name) if not unicodedata.combining(c))
    return tuple(re.findall(r"[a-z]+|[0-9+@=%]|[^\x00-\x7f]", plain.casefold()))


def written(name: str) -> tuple[str, ...]:
    """What anchors and file names make of a name: its words and numbers, whatever their case."""
    return tuple(re.findall(r"[a-z0-9]+|[^\x00-\x7f]", name.casefold()))


def seed_faults(seeds: Sequence[object], where: str, *, kind: str = "seed") -> Iterator[Fault]:
    """Seeds that generators refuse, or that are two in the declaration and one in the records."""
    if not seeds:
        yield f"It has no {kind}s", where, f"Give it {kind}s, or leave it out of this profile."
    whole = [seed for seed in seeds if isinstance(seed, int)]
    odd = [seed for seed in seeds if not isinstance(seed, int)]
    if odd:
        yield f"The {kind} {odd[0]!r} is not an integer", where, f"Write {kind}s as int(...)."
    beyond = [seed for seed in whole if not 0 <= seed < _SEEDS_END]
    if beyond:
        yield f"No generator takes the {kind} {beyond[0]}", where, f"Take {kind}s from 0 on, below 2**64."
    if len(set(whole)) < len(whole):
        yield f"A {kind} occurs twice", where, f"Give each {kind} once."
    elif len({seed % _LEGACY_SEEDS for seed in whole}) < len(whole):
        yield f"Two {kind}s are one to NumPy's global generator", where, "Take some below 2**32."


def _tuning_faults(tuned: Tuned, where: str) -> Iterator[Fault]:
    yield from seed_faults(tuned.seeds, where, kind="tuning seed")
    for name, values in tuned.grid.items():
        if not values:
            yield f"The grid of '{name}' has no value", where, "Give it some, or take it out of the grid."
        if len({str(value) for value in values}) < len(values):
            yield f"The grid of '{name}' has a value twice", where, "Give each value once."
