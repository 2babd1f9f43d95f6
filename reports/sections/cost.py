"""What the run cost: what was spent in it, and what making all of it has cost, reused parts included."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence

from harness.store.records import TrialRecord
from harness.text import plural
from reports.document import Block, Code, Column, NotMeasured, Row, Section, Spans, Table, Text
from reports.numbers import Ledger
from reports.sections.common import words

_UNKNOWN: Spans = (NotMeasured("not recorded"),)


def cost(ledger: Ledger) -> Section:
    """What this run spent and what all of it took to make; time and memory by experiment and artifact."""
    blocks: list[Block] = [_spent(ledger), _trials(ledger)]
    artifacts = [record for record in ledger.view.trials.values() if record.kind == "artifact"]
    if artifacts:
        blocks.append(_artifacts(ledger, artifacts))
    blocked = ledger.view.record.blocked
    if blocked:
        columns = (Column("Not run", "experiment"), Column("Why", "why"))
        rows = tuple(Row(((Code(name),), words(reason))) for name, reason in blocked.items())
        blocks.append(Table("blocked", words("Declared, but not run here."), columns, rows))
    return Section("cost", "Cost", tuple(blocks))


def _spent(ledger: Ledger) -> Table:
    """Sums over what this run executed, and over everything that it rests on."""
    records = list(ledger.view.trials.values())
    on_gpu = any(record.cost.gpu_s is not None for record in records)
    columns = (
        Column("", "what"),
        Column("Trials", "trials", "number"),
        Column("Artifacts", "artifacts", "number"),
        Column("Wall", "wall", "number"),
        Column("CPU", "cpu", "number"),
        *([Column("GPU", "gpu", "number")] if on_gpu else []),
    )
    here = [record for record in records if not record.reused_from]
    rows = (
        _sums(ledger, "run", "Spent in this run", here, on_gpu=on_gpu),
        _sums(ledger, "made", "What making all of it cost", records, on_gpu=on_gpu),
    )
    artifacts = [record for record in records if record.kind == "artifact" and record.reused_from]
    unknown = sum(not record.cost.is_whole for record in artifacts)
    lacking = f"The CPU time lacks that of {plural(unknown, 'reused artifact')}, which was not recorded."
    notes = (words(lacking),) if unknown else ()
    title = "What was spent, summed over trials and artifacts."
    return Table("spent", words(title), columns, rows, notes)


def _sums(ledger: Ledger, key: str, label: str, records: Sequence[TrialRecord], *, on_gpu: bool) -> Row:
    ids = [record.trial for record in records]
    trials = sum(record.kind == "trial" for record in records)
    wall, cpu, gpu = (
        sum(getattr(record.cost, name) or 0.0 for record in records) for name in ("wall_s", "cpu_s", "gpu_s")
    )
    return Row(
        (
            words(label),
            (ledger.count(f"spent/{key}/trials", trials),),
            (ledger.count(f"spent/{key}/artifacts", len(records) - trials),),
            (ledger.cost(f"spent/{key}/wall", wall, "s", ids),),
            (ledger.cost(f"spent/{key}/cpu", cpu, "s", ids),),
            *([(ledger.cost(f"spent/{key}/gpu", gpu, "s", ids),)] if on_gpu else []),
        )
    )


def _trials(ledger: Ledger) -> Table:
    groups: dict[str, list[TrialRecord]] = defaultdict(list)
    for record in ledger.view.trials.values():
        if record.kind == "trial":
            groups[record.experiment].append(record)
    columns = (
        Column("Experiment", "experiment"),
        Column("Trials", "trials", "number"),
        Column("Reused", "reused", "number"),
        Column("Without result", "failed", "number"),
        Column("Wall", "wall", "number"),
        Column("CPU", "cpu", "number"),
        Column("GPU", "gpu", "number"),
        Column("Peak memory", "memory", "number"),
        *_gpu_memory_column(record for records in groups.values() for record in records),
    )
    measured = columns[-1].key == "gpu-memory"
    rows = [_cost_row(ledger, name, records, gpu_measured=measured) for name, records in groups.items()]
    if len(groups) > 1:
        everything = [record for records in groups.values() for record in records]
        rows.append(_cost_row(ledger, "all", everything, gpu_measured=measured))
    notes = (
        words("Times are sums over trials, reused ones included with the time they took when they ran."),
    )
    return Table("cost", words("What the trials used."), columns, tuple(rows), notes)


def _cost_row(ledger: Ledger, name: str, records: list[TrialRecord], *, gpu_measured: bool) -> Row:
    ids = [record.trial for record in records]
    experiment = ledger.experiments.get(name)
    label: Spans = (Code(name), Text(f" {experiment.title}")) if experiment else (Text("All experiments"),)
    gpu = [record.cost.gpu_s for record in records if record.cost.gpu_s is not None]
    return Row(
        (
            label,
            (ledger.count(f"cost/{name}/trials", len(records), tuple(ids)),),
            (ledger.count(f"cost/{name}/reused", sum(bool(record.reused_from) for record in records)),),
            (ledger.count(f"cost/{name}/failed", sum(record.status != "ok" for record in records)),),
            (ledger.cost(f"cost/{name}/wall", sum(record.cost.wall_s for record in records), "s", ids),),
            (ledger.cost(f"cost/{name}/cpu", sum(record.cost.cpu_s for record in records), "s", ids),),
            (ledger.cost(f"cost/{name}/gpu", sum(gpu), "s", ids),) if gpu else words("–"),
            (ledger.cost(f"cost/{name}/memory", max(r.cost.peak_memory_mb for r in records), "MB", ids),),
            *([_gpu_memory(ledger, f"cost/{name}", records)] if gpu_measured else []),
        )
    )


def _gpu_memory_column(records: Iterable[TrialRecord]) -> tuple[Column, ...]:
    """A column for memory on the GPU, where a GPU computed anything."""
    measured = any(record.cost.peak_gpu_memory_mb is not None for record in records)
    return (Column("Peak GPU memory", "gpu-memory", "number"),) if measured else ()


def _gpu_memory(ledger: Ledger, name: str, records: list[TrialRecord]) -> Spans:
    """The most that tensors of one of the trials took on the GPU."""
    peaks = [peak for record in records if (peak := record.cost.peak_gpu_memory_mb) is not None]
    if not peaks:
        return words("–")
    return (ledger.cost(f"{name}/gpu-memory", max(peaks), "MB", [record.trial for record in records]),)


def _artifacts(ledger: Ledger, artifacts: list[TrialRecord]) -> Table:
    columns = (
        Column("Artifact", "artifact"),
        Column("Wall", "wall", "number"),
        Column("CPU", "cpu", "number"),
        Column("Peak memory", "memory", "number"),
        *_gpu_memory_column(artifacts),
        Column("State", "state"),
    )
    measured = len(columns) > 5
    rows = tuple(
        Row(
            (
                words(record.trial),
                (ledger.cost(f"{record.trial}/wall", record.cost.wall_s, "s", [record.trial]),),
                *_cpu_and_memory(ledger, record),
                *([_gpu_memory(ledger, record.trial, [record])] if measured else []),
                words(_state(record)),
            )
        )
        for record in artifacts
    )
    notes = (words("Each with what it took when it was built, in this run or before."),)
    return Table("artifacts", words("Preparation steps, built once and cached."), columns, rows, notes)


def _cpu_and_memory(ledger: Ledger, record: TrialRecord) -> tuple[Spans, Spans]:
    name, used = record.trial, record.cost
    if not used.is_whole:
        return _UNKNOWN, _UNKNOWN
    cpu = ledger.cost(f"{name}/cpu", used.cpu_s, "s", [name])
    return (cpu,), (ledger.cost(f"{name}/memory", used.peak_memory_mb, "MB", [name]),)


def _state(record: TrialRecord) -> str:
    if record.reused_from:
        return f"reused, from {record.reused_from}"
    return "built in this run" if record.status == "ok" else record.status
