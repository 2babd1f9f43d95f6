"""What a verdict speaks of: profile, models, and what the user changed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import fields, is_dataclass
from typing import Any

from harness.claims import Cell, Form, Profile
from harness.method.references import Artifact, Reference, Resource
from harness.plan.selection import cells_of
from harness.store.records import RunRecord, TrialRecord
from harness.suite import Scale, Suite

_MOST_NAMES = 4


def scope_of(
    suite: Suite, scale: Scale, form: Form | None, record: RunRecord, trials: Sequence[TrialRecord] = ()
) -> str:
    """The scope of a verdict, as one line.

    Models and artifacts are named because all seeds share them: another draft or another
    checkpoint is not among the replicates.

    Args:
        suite: The suite.
        scale: The scale that is judged.
        form: The claim's form.
        record: What the run was asked for.
        trials: The claim's trials.
    """
    parts = [f"{scale.profile} profile" + (" (full)" if record.full else "")]
    if record.rehearsal:
        return f"{parts[0]}; a rehearsal on stand-ins"
    names = _models(suite, scale, form)
    if names:
        shown = ", ".join(names[:_MOST_NAMES]) + (" …" if len(names) > _MOST_NAMES else "")
        parts.append(f"for this model: {shown}" if len(names) == 1 else f"for these models: {shown}")
    parts += [f"{name} bound to {path}" for name, path in sorted(record.bindings.items())]
    parts += [f"{name} served: {server.told}" for name, server in sorted(record.endpoints.items())]
    parts += [f"{name} set to {value}" for name, value in sorted(record.settings.items())]
    parts += [f"restricted by --{name}: {', '.join(v)}" for name, v in sorted(record.selection.items()) if v]
    parts += _cautions(trials)
    if scale.profile is not Profile.PAPER:
        parts.append("at this scale")
    return "; ".join(parts)


def _cautions(trials: Sequence[TrialRecord]) -> list[str]:
    """What the trials say against reading too much into them."""
    edges = sorted({trial.method for trial in trials if trial.tuned.get("edge")})
    found = [f"best value at the edge of its grid: {', '.join(edges)}"] if edges else []
    environments = {trial.environment for trial in trials}
    return found + ([f"trials from {len(environments)} environments"] if len(environments) > 1 else [])


def _models(suite: Suite, scale: Scale, form: Form | None) -> list[str]:
    """Names of models and built artifacts that the cells of a form depend on."""
    experiments = {item.id: item for item in suite.experiments(scale)}
    names: dict[str, None] = {}
    for cell in cells_of(form):
        experiment = experiments.get(cell.experiment)
        if experiment is not None:
            names |= dict.fromkeys(_named(experiment.methods.get(cell.method)))
            names |= dict.fromkeys(_named(_task(experiment.tasks, cell)))
    return list(names)


def _task(tasks: Mapping[str, Any], cell: Cell) -> Any:
    return tasks.get(cell.task) if cell.task else next(iter(tasks.values()), None)


def _named(holder: Any) -> Iterator[str]:
    """Names of the trained things that an object refers to, outermost only."""
    if isinstance(holder, Artifact):
        yield holder.title or type(holder).__name__
    elif isinstance(holder, Resource):
        if holder.kind == "model":
            yield holder.name
    elif isinstance(holder, tuple | list):
        for item in holder:
            yield from _named(item)
    elif isinstance(holder, Mapping):
        for item in holder.values():
            yield from _named(item)
    elif is_dataclass(holder) and not isinstance(holder, type | Reference):
        for item in fields(holder):
            yield from _named(getattr(holder, item.name))
