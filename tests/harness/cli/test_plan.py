"""What ``plan`` says of claims and of time, and the estimates behind it."""

from __future__ import annotations

import heapq
import json
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pytest

from harness.claims import Profile
from harness.cli.costs import Costs, known_costs, recorded_costs
from harness.cli.forecast import Machine, Work
from harness.store import list_runs
from harness.suite import Scale
from tests.harness.cli import demo
from tests.harness.cli.conftest import Shell

INLINE = ("--engine", "inline", "--no-report")
SMALL = Scale(profile=Profile.SMALL)


@pytest.fixture(autouse=True)
def _own_folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(demo, "SUITE", replace(demo.SUITE, folder=tmp_path / "suite"))


@dataclass(frozen=True)
class Never(demo.Mean):
    """A method without a single stored trial."""


def files(folder: Path) -> dict[str, tuple[int, int]]:
    """All files with what writing would change."""
    return {
        str(path): (path.stat().st_mtime_ns, path.stat().st_size)
        for path in folder.rglob("*")
        if path.is_file()
    }


def rows(text: str) -> dict[str, list[str]]:
    """The cells of the claims' table by claim."""
    lines = [line.split("  ") for line in text.splitlines() if line.startswith("  C")]
    return {cells[1]: [cell.strip() for cell in cells[2:] if cell.strip()] for cells in lines}


def test_without_results_a_few_seeds_have_to_run_first(shell: Shell) -> None:
    assert shell("plan", "demo") == 0
    assert "nothing is known of it: run a few seeds first" in shell.out
    assert rows(shell.out) == {
        "C1": ["5 seeds", "δ = 0.01", "unknown", "-", "unknown"],
        "C2": ["-", "-", "not run", "-", "-"],
    }
    assert not Path("runs").exists()


def test_an_own_run_gives_spread_and_time_and_is_left_alone(shell: Shell, tmp_path: Path) -> None:
    assert shell("run", "demo", *INLINE) == 0
    (run,) = list_runs(Path("runs"))
    before = files(tmp_path)
    assert shell("plan", "demo", "--seeds", "8") == 0
    assert f"spread of θ: as in run {run.name}" in shell.out
    assert "one-sided at .0250 (.025 over 1 tested claim)" in shell.out
    told = rows(shell.out)["C1"]
    assert told[0] == "8 seeds"
    assert told[2].startswith("θ ≥ 0.")
    assert told[3].startswith("2δ: ")
    assert "of it still to run (as on this machine before)" in shell.out
    assert files(tmp_path) == before


def test_what_is_stored_is_done(shell: Shell) -> None:
    shell("run", "demo", *INLINE)
    shell("plan", "demo")
    assert rows(shell.out)["C1"][-1] == "done"
    assert "nothing of it still to run" in shell.out
    shell("plan", "demo", "--json")
    told = json.loads(shell.out)
    assert told["time"]["left"] == 0
    assert told["time"]["unknown"] == 0
    assert told["claims"][0]["time"] == {
        name: told["time"][name] for name in ("all", "left", "unknown", "of")
    }
    assert told["time"]["of"] == 11  # Ten trials and their artifact.


def test_a_method_that_never_ran_leaves_an_unknown_part_to_run(shell: Shell, tmp_path: Path) -> None:
    shell("run", "demo", *INLINE)
    assert shell("plan", "demo", "--method", f"{__name__}:Never") == 0, shell.err
    assert "an unknown part of it still to run" in shell.out


def test_committed_results_stand_in_where_there_is_no_run(shell: Shell, tmp_path: Path) -> None:
    shell("run", "demo", *INLINE)
    assert shell("reference", "demo") == 0, shell.err
    (run,) = list_runs(Path("runs"))
    run.rename(tmp_path / "elsewhere")
    assert shell("plan", "demo") == 0
    assert "spread of θ: as in the committed results (demo/reference/small)" in shell.out
    assert "as on the machine that made the committed results, " in shell.out
    assert rows(shell.out)["C1"][2].startswith("θ ≥ 0.")


@pytest.mark.parametrize("name", ["run.json", "trials.jsonl", "rows"])
def test_a_damaged_run_is_no_reason_not_to_plan(name: str, shell: Shell) -> None:
    shell("run", "demo", *INLINE)
    (run,) = list_runs(Path("runs"))
    for path in [run / name] if (run / name).is_file() else (run / name).iterdir():
        path.write_text('{"torn"\n{}\n')
    assert shell("plan", "demo") == 0
    assert rows(shell.out)["C1"][2] == "unknown"


def test_claims_and_seeds_restrict_what_is_told(shell: Shell) -> None:
    shell("run", "demo", *INLINE)
    shell("plan", "demo", "--claim", "C1", "--seeds", "3")
    told = rows(shell.out)
    assert list(told) == ["C1"]
    assert told["C1"][:3] == ["3 seeds", "δ = 0.01", "too few, 5 needed"]
    shell("plan", "demo", "--methods", "mean")
    assert rows(shell.out)["C1"][2] == "not planned"


def test_no_line_of_the_table_is_long(shell: Shell) -> None:
    shell("run", "demo", *INLINE)
    shell("plan", "demo", "--seeds", "8")
    table = shell.out[shell.out.index("claims:") :]
    assert max(map(len, table.splitlines())) <= 120


def test_workers_are_checked(shell: Shell) -> None:
    assert shell("plan", "demo", "--workers", "0") == 2
    assert "At least one worker" in shell.err


# ---- times


def job(
    seconds: float, *, threads: int = 1, alone: bool = False, gb: float | None = None
) -> tuple[Work, float]:
    device = "cpu" if gb is None else "cuda"
    return Work("e/t/m/1", device, threads, gb, alone=alone), seconds


def test_what_wants_to_be_alone_comes_by_itself() -> None:
    jobs = [job(3.0), job(3.0), job(2.0, alone=True)]
    assert Machine(workers=2, cores=8).elapsed(jobs) == 5.0
    assert Machine(workers=2, cores=1).elapsed(jobs) == 8.0
    assert Machine(workers=1, cores=8).elapsed(jobs) == 8.0


def test_a_long_trial_is_not_divided() -> None:
    assert Machine(workers=4, cores=4).elapsed([job(10.0), job(1.0)]) == 10.0
    assert Machine(workers=4, cores=4).elapsed([job(2.0, threads=4), job(2.0, threads=8)]) == 4.0


def test_the_gpu_works_beside_the_cpu_and_is_shared_by_memory() -> None:
    machine = Machine(workers=2, cores=8, gpu_gb=24.0)
    assert machine.elapsed([job(4.0), job(4.0), *[job(3.0, gb=23.0)] * 3]) == 9.0
    assert machine.elapsed([job(3.0, gb=4.0)] * 4) < 12.0
    assert Machine(workers=2, cores=8).elapsed([job(3.0, gb=4.0)] * 4) == 12.0


def test_gpus_as_a_whole_run_beside_each_other_where_there_are_enough() -> None:
    shared = [(replace(work, gpus=2), seconds) for work, seconds in [job(3.0, gb=70.0)] * 4]
    assert Machine(workers=2, cores=8, gpu_gb=80.0, gpus=4).elapsed(shared) == 6.0
    assert Machine(workers=2, cores=8, gpu_gb=80.0, gpus=2).elapsed(shared) == 12.0
    processes = [(replace(work, gpus=2), seconds) for work, seconds in [job(3.0)] * 4]
    assert Machine(workers=4, cores=4).elapsed(processes) == 6.0


@pytest.mark.parametrize("seed", range(5))
def test_it_agrees_with_a_simulated_pool(seed: int) -> None:
    """Handing out one trial after the other ends no sooner, and later by one trial at most."""
    seconds = np.random.default_rng(seed).lognormal(0, 1, 60).tolist()
    lanes = (1, 2, 4)[seed % 3]
    busy = [0.0] * lanes
    for each in seconds:
        heapq.heappush(busy, heapq.heappop(busy) + each)
    told = Machine(workers=lanes, cores=lanes).elapsed([job(each) for each in seconds])
    assert told <= max(busy) + 1e-9
    assert max(busy) <= told + max(seconds)


def costs(here: dict[str, float], elsewhere: dict[str, float]) -> Costs:
    on_cpu = [{("cpu", name): seconds for name, seconds in one.items()} for one in (here, elsewhere)]
    return Costs(on_cpu[0], on_cpu[1])


def test_times_are_scaled_where_enough_trials_ran_on_both_machines() -> None:
    there = {f"e/t/m/{seed}": 1.0 + seed for seed in range(6)} | {"e/t/other/1": 10.0}
    few = costs({"e/t/m/0": 9.0}, there)
    assert few.factor is None
    assert few.seconds(("cpu", "e/t/other/1")) == 10.0
    assert few.seconds(("cpu", "e/t/m/0")) == 9.0
    enough = costs({f"e/t/m/{seed}": 3 * (1.0 + seed) for seed in range(5)}, there)
    assert enough.factor == pytest.approx(3.0)
    assert enough.seconds(("cpu", "e/t/other/1")) == pytest.approx(30.0)
    assert enough.seconds(("cpu", "e/t/m/0")) == 3.0


def test_a_seed_that_never_ran_takes_the_mean_of_its_kind() -> None:
    found = costs({"e/t/m/100": 2.0, "e/t/m/101": 4.0, "artifact/A-1": 7.0}, {})
    assert found.seconds(("cpu", "e/t/m/115")) == 3.0
    assert found.seconds(("cpu", "e/t/n/100")) is None
    assert found.seconds(("cuda", "e/t/m/100")) is None, "another device takes another time"
    assert found.seconds(("cpu", "artifact/A-1")) == 7.0
    assert found.seconds(("cpu", "artifact/A-2")) is None, "two artifacts may be alike in nothing"


def test_an_artifact_that_was_never_built_takes_the_mean_of_those_of_other_seeds() -> None:
    of_seeds = {"artifact/A-1": 7.0, "artifact/A-2": 8.0, "artifact/A-3": 9.0}
    found = costs({**of_seeds, "artifact/B-1": 1.0, "artifact/B-2": 1.0, "artifact/B-3": 30.0}, {})
    assert found.seconds(("cpu", "artifact/A-4")) == 8.0
    assert found.seconds(("cuda", "artifact/A-4")) is None
    assert found.seconds(("cpu", "artifact/B-4")) is None, "models of other sizes"


def test_runs_of_other_machines_are_told_from_those_made_here(
    shell: Shell, monkeypatch: pytest.MonkeyPatch
) -> None:
    shell("run", "demo", *INLINE)
    found = recorded_costs(demo.SUITE, SMALL, Path("runs"))
    assert len(found.here) == 11
    assert (found.elsewhere, found.machines) == ({}, ())
    monkeypatch.setattr("harness.cli.costs.cpu_model", lambda: "another")
    moved = recorded_costs(demo.SUITE, SMALL, Path("runs"))
    assert moved.elsewhere == found.here
    assert len(moved.machines) == 1
    assert known_costs(demo.SUITE, SMALL, Path("runs")) == {name: s for (_, name), s in found.here.items()}
