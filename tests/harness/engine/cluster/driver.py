"""Runs a slow toy suite on a cluster, in a process of its own that tests kill."""

from __future__ import annotations

import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from harness.cli.signals import Terminated, obeyed
from harness.engine.run import execute_run
from harness.errors import CorroborateError
from harness.method import Context, Method, param
from harness.store import list_runs
from harness.suite import Suite
from tests.harness.running import Recorder, request
from tests.harness.toy import MeanTask, Noisy, Numbers, Offset, toy_suite


@dataclass(frozen=True, kw_only=True)
class Napping(Method[Numbers, float]):
    """Takes half a second, and gives what its random stream gives."""

    problem_type: ClassVar[type] = Numbers
    factor: float = param(1.0, source="ours")

    def run(self, problem: Numbers, ctx: Context) -> float:
        time.sleep(0.5)
        return self.factor * float(ctx.rng("nap").normal())


def slow_suite() -> Suite:
    methods = {"mean": Napping(), "half": Napping(factor=0.5), "noisy": Noisy()}
    return toy_suite(methods=methods, seeds=tuple(range(100, 115)), task=MeanTask(offset=Offset()))


class Loud(Recorder):
    """Says its notes aloud."""

    def note(self, text: str) -> None:
        sys.stderr.write(f"{text}\n")
        sys.stderr.flush()


def main() -> int:
    folder = Path(sys.argv[1])
    runs = list_runs(folder / "runs")
    resumed = runs[-1] if runs else None
    asked = request(slow_suite(), folder, engine="ray", address=sys.argv[2], resume=resumed)
    try:
        with obeyed():
            execute_run(asked, Loud())
    except CorroborateError as error:
        sys.stderr.write(f"{error}\n")
        return int(error.exit_code)
    except Terminated as error:
        return error.exit_code
    except KeyboardInterrupt:
        return 130
    return 0


if __name__ == "__main__":
    # By its name, under which the other processes import it, and not as "__main__".
    from tests.harness.engine.cluster.driver import main as run_it

    sys.exit(run_it())
