"""The cost of a run as the report shows it, on the CPU and on a GPU."""

from __future__ import annotations

from dataclasses import replace

import pytest

from harness.store.memory import MemoryRun
from harness.store.records import Cost, VerdictsRecord
from harness.suite import Experiment, Scale
from reports.document import Facts, Number, Table, Text
from reports.numbers import Ledger
from reports.sections.cost import cost
from reports.sections.run import provenance
from tests.reports import demo


@pytest.fixture
def ledger(view: MemoryRun, verdicts: VerdictsRecord) -> Ledger:
    return Ledger(demo.SUITE, demo.SCALE, view, verdicts)


@pytest.fixture
def on_gpu(view: MemoryRun, verdicts: VerdictsRecord) -> Ledger:
    """The demo's ledger as if its main trials had been computed on a GPU, in TF32."""
    trials = {}
    for at, (name, record) in enumerate(view.trials.items()):
        if record.kind == "trial":
            figures = {"gpu_s": 1.0, "peak_gpu_memory_mb": 1000.0 + at, "peak_gpu_reserved_mb": 2000.0}
            measured = record.cost.model_copy(update=figures)
            changed = {"cost": measured, "float32_products": "tf32"}
            trials[name] = record.model_copy(update=changed)
        else:
            trials[name] = record

    def experiments(scale: Scale) -> list[Experiment]:
        return [replace(item, tf32="it is long training") for item in demo.SUITE.experiments(scale)]

    suite = replace(demo.SUITE, experiments=experiments)
    return Ledger(suite, demo.SCALE, MemoryRun(view.record, trials, view.tables), verdicts)


def tables(ledger: Ledger) -> dict[str, Table]:
    return {block.id: block for block in cost(ledger).blocks if isinstance(block, Table)}


def test_memory_on_a_gpu_has_a_column_where_one_was_used(on_gpu: Ledger, ledger: Ledger) -> None:
    table = tables(on_gpu)["cost"]
    assert table.columns[-1].header == "Peak GPU memory"
    (peak,) = table.rows[0].cells[-1]
    assert isinstance(peak, Number)
    peaks = [record.cost.peak_gpu_memory_mb or 0.0 for record in on_gpu.view.trials.values()]
    assert (peak.value, peak.unit) == (max(peaks), "MB")
    assert all(len(row.cells) == len(table.columns) for row in table.rows)
    without = tables(ledger)
    assert all(column.key != "gpu-memory" for one in without.values() for column in one.columns)
    assert all(len(row.cells) == len(one.columns) for one in without.values() for row in one.rows)


def test_an_artifact_that_used_no_gpu_has_no_figure(on_gpu: Ledger) -> None:
    table = tables(on_gpu)["artifacts"]
    assert all(len(row.cells) == len(table.columns) for row in table.rows)


def test_tf32_is_told_with_its_reason(on_gpu: Ledger, ledger: Ledger) -> None:
    def facts(of: Ledger) -> dict[str, str]:
        (block,) = (block for block in provenance(of).blocks if isinstance(block, Facts))
        return {name: "".join(s.text for s in spans if isinstance(s, Text)) for name, spans in block.items}

    assert facts(on_gpu)["Products of float32 in TF32"] == "main: it is long training"
    assert "Products of float32 in TF32" not in facts(ledger)


def test_trials_with_smaller_passes_are_named(view: MemoryRun, verdicts: VerdictsRecord) -> None:
    def told(names: set[str]) -> str | None:
        trials = {
            name: record.model_copy(update={"passes": 2 if name in names else 1})
            for name, record in view.trials.items()
        }
        of = Ledger(demo.SUITE, demo.SCALE, MemoryRun(view.record, trials, view.tables), verdicts)
        (block,) = (block for block in provenance(of).blocks if isinstance(block, Facts))
        facts = {name: "".join(s.text for s in spans if isinstance(s, Text)) for name, spans in block.items}
        return facts.get("Passes halved for memory, at equal batches")

    names = sorted(view.trials)
    assert told(set()) is None
    assert told({names[0]}) == names[0]
    assert told({*names[:7]}) == f"{', '.join(names[:5])} and 2 more"


def numbers(table: Table) -> dict[str, list[float]]:
    return {
        "".join(span.text for span in row.cells[0] if isinstance(span, Text)): [
            span.value for cell in row.cells[1:] for span in cell if isinstance(span, Number)
        ]
        for row in table.rows
    }


def test_what_this_run_spent_is_told_apart_from_what_making_all_of_it_cost(ledger: Ledger) -> None:
    trials = [record for record in ledger.view.trials.values() if record.kind == "trial"]
    wall, cpu = (sum(getattr(record.cost, name) for record in trials) for name in ("wall_s", "cpu_s"))
    found = numbers(tables(ledger)["spent"])
    assert found["Spent in this run"] == [len(trials), 0, pytest.approx(wall), pytest.approx(cpu)]
    # The demo's artifact was built by an earlier run, in 12.5 s and with 12 s of CPU time.
    all_of_it = [len(trials), 1, pytest.approx(wall + 12.5), pytest.approx(cpu + 12.0)]
    assert found["What making all of it cost"] == all_of_it
    assert numbers(tables(ledger)["artifacts"])["artifact/toy draft/abcdef"] == [12.5, 12.0, 300]


def test_a_cost_that_older_records_lack_is_not_shown_as_nothing(
    view: MemoryRun, verdicts: VerdictsRecord
) -> None:
    trials = dict(view.trials)
    name = "artifact/toy draft/abcdef"
    trials[name] = trials[name].model_copy(update={"cost": Cost(wall_s=12.5)})
    old = tables(Ledger(demo.SUITE, demo.SCALE, MemoryRun(view.record, trials, view.tables), verdicts))
    assert numbers(old["artifacts"])[name] == [12.5]
    assert "lacks that of 1 reused artifact" in "".join(
        span.text for note in old["spent"].notes for span in note if isinstance(span, Text)
    )
    assert not tables(Ledger(demo.SUITE, demo.SCALE, view, verdicts))["spent"].notes
