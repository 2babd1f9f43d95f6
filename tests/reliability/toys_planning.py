"""A user's own modules, written, changed and run in the suite ``demo``."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np

from harness.store import RunReader, list_runs, open_run
from tests.harness.cli.conftest import Shell

HEAD = """\
from dataclasses import dataclass
from functools import lru_cache
from importlib import import_module
from pathlib import Path
from typing import ClassVar

import numpy as np

from harness.method import Context, Method, param
from tests.harness.cli.demo import Samples

HERE = Path(__file__).parent
"""


def method(body: str, *, name: str = "Mine", before: str = "", fields: str = "", base: str = "") -> str:
    """The source of a module with one method, whose answer is the mean plus what ``body`` returns."""
    return f"""{HEAD}
{before}

@dataclass(frozen=True)
class {name}({base or "Method[Samples, np.ndarray]"}):
    \"\"\"The mean, shifted.\"\"\"

    problem_type: ClassVar[type] = Samples
    {fields}

    def run(self, problem: Samples, ctx: Context) -> np.ndarray:
        return problem.rows.mean(axis=1) + self.shift()

    def shift(self) -> float:
        {body}
"""


@contextmanager
def imported_from(folder: Path) -> Iterator[None]:
    """Let modules of ``folder`` be imported, and forget them afterwards, as a new process does."""
    sys.path.insert(0, str(folder))
    _forget(folder)
    try:
        yield
    finally:
        sys.path.remove(str(folder))
        _forget(folder)


def _forget(folder: Path) -> None:
    for name, module in list(sys.modules.items()):
        # A namespace package has no file, only places.
        place = getattr(module, "__file__", None) or str(getattr(module, "__path__", ""))
        if str(folder) in place:
            del sys.modules[name]
    importlib.invalidate_caches()
    for name in ("canonical", "closure", "imports", "libraries", "declarations"):
        planning = sys.modules.get(f"harness.plan.{name}")
        for item in vars(planning).values() if planning is not None else ():
            if hasattr(item, "cache_clear"):
                item.cache_clear()


def run_demo(shell: Shell, *arguments: str, code: int = 0) -> RunReader:
    """Run ``demo`` in this folder as a process of its own would; gives the newest run."""
    with imported_from(Path.cwd()):
        options = ("--engine", "inline", "--no-report", "--profile", "smoke", "--seeds", "2")
        assert shell("run", "demo", *options, *arguments) == code, shell.err + shell.out
    return open_run(list_runs(Path("runs"))[-1])


def errors(reader: RunReader, method_id: str) -> np.ndarray:
    """The rows of a method's first seed."""
    return np.asarray(reader.table(f"heavy/t2/{method_id}/100", "main")["error"])
