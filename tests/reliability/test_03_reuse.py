"""A finished trial stands for another one only if nothing that it depends on has changed."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pytest
import torch

from harness.claims import Profile
from harness.engine import files_read
from harness.engine.job import TrialJob
from harness.engine.run import execute_one
from harness.method import Checkpoints, Context, Method, Resource
from harness.plan import Planner, Selection
from harness.plan.canonical import canonical_text
from harness.plan.closure import closure_of
from harness.store import RunReader
from harness.suite import Scale
from tests.harness.cli.conftest import Shell, shell
from tests.harness.running import Recorder, request, run
from tests.harness.toy import MeanTask, Numbers, Offset, Shrunk, toy_suite
from tests.reliability.toys_planning import errors, imported_from, method, run_demo

__all__ = ["shell"]

MINE = ("--method", "mine:Mine", "--methods", "mine,mean")

CODE = {
    "a module beside it": ("from helper import shift\n        return shift()", "helper.py"),
    "a module named when it runs": (
        "return import_module('helper').shift()",
        "helper.py",
    ),
    "a module whose name is put together": (
        "return import_module('hel' + 'per').shift()",
        "helper.py",
    ),
    "a module of a namespace package": (
        "from parts.inner import helper\n        return helper.shift()",
        "parts/inner/helper.py",
    ),
    "a package's own start": ("import kit.other\n        return kit.shift()", "kit/__init__.py"),
    "a script that is executed": (
        "space = {}\n        exec((HERE / 'script.py').read_text(), space)\n        return space['shift']()",
        "script.py",
    ),
}

FILES = {
    "read when it runs": ("return float((HERE / 'shift.txt').read_text())", ""),
    "read when it is imported": ("return SHIFT", "SHIFT = float((HERE / 'shift.txt').read_text())"),
    "read once in a process": (
        "return load()",
        "@lru_cache\ndef load():\n    return float((HERE / 'shift.txt').read_text())",
    ),
    "read as an array": ("return float(np.loadtxt(HERE / 'shift.txt'))", ""),
    "found by listing its folder": (
        "return float(next(HERE.glob('shift*.txt')).read_text())",
        "",
    ),
    "read by a helper": ("import helper\n        return helper.shift()", ""),
}


def write(name: str, text: str) -> None:
    path = Path(name)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


def reused(reader: RunReader, method_id: str = "mine") -> bool:
    found = {bool(t.reused_from) for t in reader.trials.values() if t.method == method_id}
    assert len(found) == 1
    return found.pop()


@pytest.mark.parametrize("kind", CODE)
def test_code_that_a_method_uses_counts_wherever_it_lies(kind: str, shell: Shell) -> None:
    body, file = CODE[kind]
    write("kit/other.py", "")
    write(file, "def shift():\n    return 1.0\n")
    write("mine.py", method(body))
    run_demo(shell, *MINE)
    again = run_demo(shell, *MINE)
    assert reused(again)
    write(file, "def shift():\n    return 50.0\n")
    changed = run_demo(shell, *MINE)
    assert not reused(changed)
    assert reused(changed, "mean"), "what has not changed is reused"
    assert errors(changed, "mine").min() > 20


def test_a_module_counts_that_another_method_has_loaded_before(shell: Shell) -> None:
    write(
        "helper.py",
        "from pathlib import Path\nFILE = Path(__file__).with_name('shift.txt')\n"
        "SHIFT = float(FILE.read_text())\n",
    )
    write("shift.txt", "1.0")
    write("first.py", method("import helper\n        return helper.SHIFT", name="First"))
    write("mine.py", method("return import_module('hel' + 'per').SHIFT"))
    both = ("--method", "first:First", "--method", "mine:Mine", "--methods", "first,mine,mean")
    run_demo(shell, *both)
    assert reused(run_demo(shell, *both))
    write("shift.txt", "50.0")
    by_data = run_demo(shell, *both)
    write("helper.py", "SHIFT = 90.0\n")
    by_code = run_demo(shell, *both)
    assert [reused(by_data), reused(by_code)] == [False, False]
    assert reused(by_code, "mean")
    assert errors(by_data, "mine").min() > 20
    assert errors(by_code, "mine").min() > 60


def test_a_base_class_in_another_module_counts(shell: Shell) -> None:
    write("base.py", method("return 1.0", name="Base"))
    write("mine.py", method("return super().shift()", before="import base", base="base.Base"))
    run_demo(shell, *MINE)
    write("base.py", method("return 50.0", name="Base"))
    changed = run_demo(shell, *MINE)
    assert not reused(changed)
    assert errors(changed, "mine").min() > 20


@pytest.mark.parametrize("kind", FILES)
def test_files_that_a_method_reads_count(kind: str, shell: Shell) -> None:
    body, before = FILES[kind]
    write(
        "helper.py",
        "from pathlib import Path\nP = Path(__file__).with_name('shift.txt')\n"
        "def shift():\n    return float(P.read_text())\n",
    )
    write("shift.txt", "1.0")
    write("mine.py", method(body, before=before))
    run_demo(shell, *MINE)
    assert reused(run_demo(shell, *MINE))
    write("shift.txt", "50.0")
    changed = run_demo(shell, *MINE)
    assert not reused(changed)
    assert reused(changed, "mean")
    assert errors(changed, "mine").min() > 20
    assert shell("why", "heavy/t2/mine/100") == 0
    assert "shift.txt" in shell.out


def test_a_file_that_was_looked_for_counts_once_it_is_there(shell: Shell) -> None:
    look = "def look():\n    p = HERE / 'more.txt'\n    try:\n        return float(p.read_text())\n"
    write("mine.py", method("return look()", before=f"{look}    except OSError:\n        return 0.0"))
    run_demo(shell, *MINE)
    assert reused(run_demo(shell, *MINE))
    write("more.txt", "50.0")
    assert errors(run_demo(shell, *MINE), "mine").min() > 20


def test_files_count_that_workers_have_read(shell: Shell) -> None:
    for name in ("at_import", "once", "each_time"):
        write(f"{name}.txt", "1.0")
    read = "def read(name):\n    return float((HERE / f'{name}.txt').read_text())\n"
    before = f"{read}\n@lru_cache\ndef kept():\n    return read('once')\n\nSHIFT = read('at_import')"
    write("mine.py", method("return SHIFT + kept() + read('each_time')", before=before))
    pool = (*MINE, "--engine", "pool", "--workers", "1")
    for trial in (record for record in run_demo(shell, *pool).trials.values() if record.method == "mine"):
        assert [Path(name).stem for name in trial.files] == ["at_import", "each_time", "once"]
    assert reused(run_demo(shell, *pool))
    write("once.txt", "50.0")
    changed = run_demo(shell, *pool)
    assert not reused(changed)
    assert reused(changed, "mean")
    assert errors(changed, "mine").min() > 20


def test_what_a_method_writes_itself_does_not_count(shell: Shell) -> None:
    body = "p = ctx_free()\n        p.write_text('1.0')\n        return float(p.read_text())"
    write(
        "mine.py",
        method(body, before="import tempfile\ndef ctx_free():\n    return Path(tempfile.mkdtemp()) / 'x'"),
    )
    run_demo(shell, *MINE)
    assert reused(run_demo(shell, *MINE))


def test_a_file_that_is_declared_is_part_of_the_fingerprint(shell: Shell) -> None:
    source = method(
        "return float(np.fromfile(HERE / 'shift.bin')[0])", fields="reads: ClassVar = ('shift.bin',)"
    )
    write("mine.py", source)
    np.array([1.0]).tofile("shift.bin")
    first = run_demo(shell, *MINE)
    assert first.trials["heavy/t2/mine/100"].files == {}
    np.array([50.0]).tofile("shift.bin")
    changed = run_demo(shell, *MINE)
    assert not reused(changed)
    Path("shift.bin").unlink()
    with imported_from(Path.cwd()):
        assert shell("plan", "demo", *MINE) == 2
    assert "shift.bin" in shell.err


def install(name: str, version: str, value: float, *, named: str = "") -> None:
    """Put a distribution with one module into the folder ``site``, as pip does with ``--target``."""
    write(f"site/{name}.py", f"VALUE = {value}\n")
    stem = (named or name).replace("-", "_")
    for old in Path("site").glob(f"{stem}-*.dist-info/*"):
        old.unlink()
        old.parent.rmdir() if not any(old.parent.iterdir()) else None
    folder = f"site/{stem}-{version}.dist-info"
    write(f"{folder}/METADATA", f"Metadata-Version: 2.1\nName: {named or name}\nVersion: {version}\n")
    write(f"{folder}/RECORD", f"{name}.py,,\n{folder}/METADATA,,\n")


def test_the_version_of_a_library_counts(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend("site")
    install("shiftlib", "1.0", 1.0, named="shift-lib")
    write("mine.py", method("import shiftlib\n        return shiftlib.VALUE"))
    run_demo(shell, *MINE)
    assert reused(run_demo(shell, *MINE))
    install("shiftlib", "2.0", 50.0, named="shift-lib")
    changed = run_demo(shell, *MINE)
    assert not reused(changed)
    assert errors(changed, "mine").min() > 20
    shell("why", "heavy/t2/mine/100")
    assert "library shift-lib: '1.0' became '2.0'" in shell.out


def test_libraries_that_shipped_methods_import_are_known() -> None:
    assert {"numpy", "scipy"} <= closure_of("methods.ibws.method").libraries
    assert "bm25s" in closure_of("methods.lite.docstrings").libraries


def test_compiled_modules_and_packages_installed_in_place_are_source(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    suffix = __import__("importlib.machinery").machinery.EXTENSION_SUFFIXES[0]
    write(f"src/native{suffix}", "not really compiled")
    write("src/inplace/__init__.py", "X = 1\n")
    write("src/user_method.py", "import inplace\ndef f():\n    import native\n")
    # An installation in place names the module, but its files lie elsewhere.
    write("site/inplace-1.0.dist-info/METADATA", "Metadata-Version: 2.1\nName: inplace\nVersion: 1.0\n")
    write("site/inplace-1.0.dist-info/RECORD", "inplace-1.0.dist-info/METADATA,,\n")
    write("site/inplace-1.0.dist-info/top_level.txt", "inplace\n")
    monkeypatch.syspath_prepend(str(tmp_path / "site"))
    with imported_from(tmp_path / "src"):
        before = closure_of("user_method").code
        assert set(before) == {"user_method", "inplace", "native"}
        write(f"src/native{suffix}", "otherwise compiled")
    with imported_from(tmp_path / "src"):
        after = closure_of("user_method").code
    assert {name for name in before if before[name] != after[name]} == {"native"}


def made_by(factor: float) -> Method[Any, Any]:
    @dataclass(frozen=True)
    class Local(Shrunk):
        def run(self, problem: Numbers, ctx: Context) -> float:
            return float(problem.training.mean()) * factor

    return Local()


@dataclass(frozen=True)
class Given(Method[Any, Any]):
    """Holds whatever it is given."""

    problem_type: ClassVar[type] = Numbers
    value: Any = field(default=None, metadata={"source": "ours"})

    def run(self, problem: Numbers, ctx: Context) -> float:
        return float(problem.training.mean())


class Nothing:
    """No resource is needed."""

    def identity(self, resource: Resource) -> str:
        return resource.name

    def blocked(self, resource: Resource) -> str:
        return ""


def fingerprint(chosen: Method[Any, Any]) -> str:
    plan = Planner(Nothing()).plan(
        toy_suite(methods={"chosen": chosen}), Scale(profile=Profile.SMALL), Selection()
    )
    return plan.trials[0].fingerprint


def adder(amount: Any) -> Callable[[float], float]:
    return lambda x: x + amount


def defaulted(amount: float) -> Callable[[float], float]:
    def add(x: float, amount: float = amount) -> float:
        return x + amount

    return add


PAIRS: dict[str, tuple[Any, Any]] = {
    "shapes of arrays": (np.zeros((2, 3)), np.zeros((3, 2))),
    "values of arrays": (np.zeros(2), np.ones(2)),
    "types of arrays": (np.zeros(2, np.int64), np.zeros(2, np.float64)),
    "arrays of objects": (np.array(["a", None], object), np.array(["b", None], object)),
    "shapes of tensors": (torch.zeros(2, 3), torch.zeros(3, 2)),
    "values of tensors": (torch.zeros(2, dtype=torch.bfloat16), torch.ones(2, dtype=torch.bfloat16)),
    "values closed over": (adder(1.0), adder(2.0)),
    "arrays closed over": (adder(np.zeros((2, 3))), adder(np.zeros((3, 2)))),
    "default values": (defaulted(1.0), defaulted(2.0)),
    "lambdas": (lambda x: x + 1, lambda x: x + 2),
    "functions in a partial": (partial(adder(1.0), 3), partial(adder(2.0), 3)),
    "bytes": (b"a", b"b"),
}


@pytest.mark.parametrize("kind", PAIRS)
def test_what_parameters_hold_counts(kind: str) -> None:
    one, other = PAIRS[kind]
    assert fingerprint(Given(one)) == fingerprint(Given(one))
    assert fingerprint(Given(one)) != fingerprint(Given(other))


def test_what_a_class_closes_over_counts() -> None:
    assert fingerprint(made_by(1.0)) == fingerprint(made_by(1.0))
    assert fingerprint(made_by(1.0)) != fingerprint(made_by(2.0))


def test_a_function_that_calls_itself_has_a_form() -> None:
    def again(n: int) -> int:
        return 0 if n == 0 else again(n - 1)

    assert canonical_text(again) == canonical_text(again)


def test_code_without_a_source_is_executed_each_time(tmp_path: Path) -> None:
    space: dict[str, Any] = {"__name__": "typed_in", "Shrunk": Shrunk, "dataclass": dataclass}
    code = "@dataclass(frozen=True, kw_only=True)\nclass Typed(Shrunk):\n    'Typed in.'\n"
    sys.modules["typed_in"] = type(sys)("typed_in")
    try:
        exec(code, space)  # noqa: S102 - as a notebook does
        suite = toy_suite(methods={"typed": space["Typed"](), "half": Shrunk(factor=0.5)}, seeds=(100,))
        run(suite, tmp_path)
        again, reader, _ = run(suite, tmp_path)
    finally:
        del sys.modules["typed_in"]
    assert (again.summary.executed, again.summary.reused) == (1, 1)
    assert "source of module 'typed_in'" in reader.trials["e/t/typed/100"].unsure


def test_code_that_changes_while_it_runs_is_not_reused(shell: Shell) -> None:
    # The second trial is computed after the file has changed: nobody knows by which of the two.
    body = "p = HERE / 'mine.py'\n        p.write_text(p.read_text() + '#')\n        return 1.0"
    write("mine.py", method(body))
    reader = run_demo(shell, *MINE)
    assert "changed after it was planned" in reader.trials["heavy/t2/mine/100"].unsure
    again = run_demo(shell, *MINE)
    assert not reused(again)


def test_artifacts_are_built_again_when_a_file_that_they_read_has_changed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_to = tmp_path / "src"
    source = (
        "from dataclasses import dataclass\nfrom pathlib import Path\nfrom tests.harness.toy import Offset\n"
        "@dataclass(frozen=True, kw_only=True)\nclass FromFile(Offset):\n"
        "    def build(self, folder, ctx):\n"
        "        (folder / 'offset.json').write_text(Path(__file__).with_name('offset.txt').read_text())\n"
    )
    write_to.mkdir()
    (write_to / "offsets.py").write_text(source)
    (write_to / "offset.txt").write_text("1.0")

    def results() -> tuple[int, float]:
        with imported_from(write_to):
            kind = __import__("offsets").FromFile
            suite = toy_suite(methods={"mean": Shrunk()}, task=MeanTask(offset=kind()), seeds=(100,))
            finished, reader, _ = run(suite, tmp_path)
        return finished.summary.executed, float(reader.table("e/t/mean/100", "main")["error"].mean())

    first = results()
    assert results() == (0, first[1])
    (write_to / "offset.txt").write_text("50.0")
    executed, error = results()
    assert executed == 1
    assert error > 20


def a_job() -> TrialJob:
    return TrialJob(
        id="e/t/mean/100",
        device="cpu",
        dtype="float32",
        paths={},
        task=toy_suite().experiments(Scale(profile=Profile.SMALL))[0].tasks["t"],
        methods={"mean": Shrunk()},
        seed=100,
        stage="main",
    )


def test_a_state_is_not_taken_up_when_a_file_that_was_read_has_changed(tmp_path: Path) -> None:
    kept, data = tmp_path / "state", tmp_path / "data.txt"
    data.write_text("1")
    kept.mkdir()
    (kept / "files.json").write_text(json.dumps({str(data): files_read.content_hash(str(data))}))
    files_read.begin(a_job(), Checkpoints(kept), tmp_path / "scratch")
    assert kept.is_dir()
    data.write_text("2")
    files_read.begin(a_job(), Checkpoints(kept), tmp_path / "scratch")
    assert not kept.exists()


@pytest.mark.parametrize("note", ["", "[]", '{"a": '])
def test_a_state_of_which_nobody_knows_what_was_read_is_not_taken_up(note: str, tmp_path: Path) -> None:
    kept = tmp_path / "state"
    kept.mkdir()
    (kept / "files.json").write_text(note)
    files_read.begin(a_job(), Checkpoints(kept), tmp_path / "scratch")
    assert not kept.exists()


def test_a_state_whose_files_cannot_be_noted_ends_no_trial(tmp_path: Path) -> None:
    kept = tmp_path / "state"
    checkpoints = Checkpoints(kept)
    files_read.begin(a_job(), checkpoints, tmp_path / "scratch")
    (kept / "files.json").mkdir(parents=True)
    checkpoints.written(1.0, 1)
    assert checkpoints.folder is None
    assert not kept.exists()


def test_what_the_system_provides_is_no_input() -> None:
    # The last of the system's is the list of processes, which is another one at every moment.
    system, data = (
        ("/lib/x.so", "/usr/lib64/x", "/proc/"),
        ("/library/data.txt", "/usr/libdata/x", "/process/"),
    )
    assert [place for place in (*system, *data) if files_read._counts(place, a_job())] == list(data)


def test_an_artifact_whose_manifest_is_damaged_is_built_again(tmp_path: Path) -> None:
    suite = toy_suite(methods={"mean": Shrunk()}, task=MeanTask(offset=Offset()), seeds=(100,))
    run(suite, tmp_path)
    (manifest,) = (tmp_path / "home" / "artifacts").glob("*/artifact.json")
    manifest.write_text("")
    again, _, _ = run(suite, tmp_path, fresh=True)
    assert again.summary.executed == 1
    assert json.loads(manifest.read_text())["seconds"] >= 0


def test_gathering_tells_of_results_that_it_does_not_take(tmp_path: Path) -> None:
    space: dict[str, Any] = {"__name__": "typed_in", "Shrunk": Shrunk, "dataclass": dataclass}
    code = "@dataclass(frozen=True, kw_only=True)\nclass Typed(Shrunk):\n    'Typed in.'\n"
    sys.modules["typed_in"] = type(sys)("typed_in")
    try:
        exec(code, space)  # noqa: S102 - as a notebook does
        suite = toy_suite(methods={"typed": space["Typed"]()}, seeds=(100,))
        execute_one(request(suite, tmp_path), "e/t/typed/100", Recorder())
        finished, _, recorder = run(suite, tmp_path, gather=True)
    finally:
        del sys.modules["typed_in"]
    assert finished.summary.missing == ["e/t/typed/100"]
    assert any("e/t/typed/100: its stored result is not taken" in note for note in recorder.notes)
