"""Development and reproduction sessions.

``nox -l`` lists them; it needs nothing but nox. Sessions only build argument lists: what they
start is ``corroborate``, pytest, ruff, mypy and import-linter.

All sessions but ``lock``, ``audit`` and the site of ``docs`` share one environment,
``.nox/corroborate``, installed from ``pyproject.toml`` under the pins of ``constraints.txt`` and
refreshed when either changes.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import random
import shutil
import subprocess
import sys
from datetime import date
from pathlib import Path
from typing import Any

import nox
from filelock import FileLock  # Comes with nox, through virtualenv.

nox.needs_version = ">=2025.5.1"
nox.options.default_venv_backend = "virtualenv"
nox.options.sessions = ["lint", "typecheck", "tests"]

ROOT = Path(__file__).parent
ENVIRONMENT = ROOT / ".nox" / "corroborate"
PYTHON = str(ENVIRONMENT / "bin" / "python")
STAMP = ENVIRONMENT / "installed.json"
CONSTRAINTS = "constraints.txt"
EXTRAS = ".[small,lm,ir,endpoint,query]"
"""What the shared environment has; `ray` is added by the sessions that start a cluster."""
PROJECT = nox.project.load_toml(ROOT / "pyproject.toml")
SUITES: dict[str, str] = PROJECT["project"]["entry-points"]["corroborate.suites"]
LOCK_HEADER = """\
# Every package of every environment, pinned; written by `nox -s lock`, used by every install.
# PyTorch's own CUDA packages are pinned by PyTorch. Local versions (+cpu) are left out, so that
# any build of the same version will do."""
THREADS = {"OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
PARALLEL = ("--numprocesses=logical", "--maxprocesses=4", "--dist=loadfile")
DOCS_WORK = "build/docs-work"
"""What the site is made of: gathered pages, reports, and what Sphinx keeps from build to build."""
AUDITORS = ("cyclonedx-bom>=7", "pip-audit>=2.9")
COMPUTING = ("tests/methods",)
"""Tests that compute: what they demand must hold whatever the kernels."""
VECTORS = ("DEFAULT", "AVX2", "AVX512")
"""Instruction sets that PyTorch's kernels are built for, the least first."""
PORTABLE: dict[str, dict[str, str]] = {
    # Threads that wait must not take the core from those of another test.
    "threads-2": {"OMP_NUM_THREADS": "2", "MKL_NUM_THREADS": "2", "OMP_WAIT_POLICY": "PASSIVE"},
    "aten-default": {"ATEN_CPU_CAPABILITY": "default"},
    "aten-avx2": {"ATEN_CPU_CAPABILITY": "avx2"},
    "aten-avx512": {"ATEN_CPU_CAPABILITY": "avx512"},
    "onednn-sse41": {"ONEDNN_MAX_CPU_ISA": "SSE41"},
    "onednn-avx2": {"ONEDNN_MAX_CPU_ISA": "AVX2"},
    "onednn-off": {"TESTS_ONEDNN": "off"},
}
"""Environments of ``tests-portable``, by name; each is one change to that of ``tests``."""


def paper_title(target: str) -> str:
    """The title in the ``paper.toml`` of the suite that the entry point ``target`` names."""
    folder = ROOT.joinpath(*target.partition(":")[0].split("."))
    record = folder / "paper.toml"
    return str(nox.project.load_toml(record)["title"]) if record.exists() else folder.name


def reproduce(suite: str, title: str) -> None:
    """Register the session ``reproduce-<suite>``."""

    def body(session: nox.Session) -> None:
        corroborate(session, "run", suite, *session.posargs)

    body.__doc__ = title
    register = nox.session(name=f"reproduce-{suite}", venv_backend="none", default=False, tags=["reproduce"])
    register(body)


for _suite, _target in sorted(SUITES.items()):
    reproduce(_suite, paper_title(_target))


@nox.session(venv_backend="none")
def tests(session: nox.Session) -> None:
    """The fast tests; arguments go to pytest."""
    environment(session, "test")
    pytest(session, *(session.posargs or ("--durations=40", *PARALLEL)))


@nox.session(name="tests-slow", venv_backend="none", default=False)
def tests_slow(session: nox.Session) -> None:
    """Simulations, kill loops, rehearsals, LaTeX and browser; arguments go to pytest."""
    environment(session, "test", "bench", "cluster")
    pytest(session, "-m", "slow or latex or browser", "--durations=20", *PARALLEL, *session.posargs)


@nox.session(name="tests-portable", venv_backend="none", default=False)
def tests_portable(session: nox.Session) -> None:
    """The tests that compute, on other kernels: all settings, or those named (threads-2, onednn-off …)."""
    environment(session, "test")
    if unknown := sorted({*session.posargs} - {*PORTABLE}):
        session.error(f"Unknown: {', '.join(unknown)}. Known: {', '.join(PORTABLE)}.")
    failed = []
    for name in [one for one in session.posargs or PORTABLE if runs_here(session, one)]:
        session.log(f"Setting {name}: {PORTABLE[name]}")
        try:
            pytest(session, *PARALLEL, *COMPUTING, env={**THREADS, **PORTABLE[name]})
        except nox.command.CommandFailed:
            failed.append(name)
    if failed:
        session.error(f"Failed under {', '.join(failed)}")


@nox.session(venv_backend="none", default=False)
def reliability(session: nox.Session) -> None:
    """The promises of docs/reliability.md in --orders N (3) random orders; other arguments go to pytest."""
    environment(session, "test")
    parser = argparse.ArgumentParser(prog="nox -s reliability --", allow_abbrev=False)
    parser.add_argument("--orders", type=int, default=3, metavar="N")
    options, arguments = parser.parse_known_args(session.posargs)
    for _ in range(options.orders):
        # A seed that is given holds for all of pytest's processes, and can be given again.
        seed = str(random.randrange(2**31))  # noqa: S311 (an order, not a secret)
        order = ("--random-order", f"--random-order-seed={seed}")
        pytest(session, *PARALLEL, *order, *arguments, "tests/reliability")


@nox.session(venv_backend="none")
def lint(session: nox.Session) -> None:
    """Ruff, and the import rules."""
    environment(session, "lint")
    session.run(PYTHON, "-m", "ruff", "check", *session.posargs)
    session.run(PYTHON, "-m", "ruff", "format", "--check")
    session.run(str(ENVIRONMENT / "bin" / "lint-imports"), "--no-logo")


@nox.session(venv_backend="none")
def typecheck(session: nox.Session) -> None:
    """Mypy, strict."""
    environment(session, "test", "typecheck")
    session.run(PYTHON, "-m", "mypy", *session.posargs)


@nox.session(venv_backend="none", default=False)
def smoke(session: nox.Session) -> None:
    """Every suite at the smallest scale: does everything run?"""
    corroborate(session, "run", "--all", "--profile", "smoke", *session.posargs)


@nox.session(name="smoke-gpu", venv_backend="none", default=False)
def smoke_gpu(session: nox.Session) -> None:
    """The same on a pretended GPU: would anything mix devices?"""
    environment(session, "test")
    command = [PYTHON, "-m", "tests.pretended_gpu", "run", "--all", "--profile", "smoke", "--fresh"]
    session.run(*command, *(session.posargs or ["--no-report"]), env=THREADS)


@nox.session(venv_backend="none", default=False)
def rehearse(session: nox.Session) -> None:
    """Every experiment of the large profiles on tiny stand-ins; --third: a third of the suites."""
    options = [word for word in session.posargs if word != "--third"]
    third = len(options) < len(session.posargs)
    suites = suites_due(date.today(), changed_files()) if third else []  # noqa: DTZ011 (any zone will do)
    corroborate(session, "rehearse", *(suites or ["--all"]), *options)


@nox.session(venv_backend="none", default=False)
def report(session: nox.Session) -> None:
    """Write the report of a run again: nox -s report -- RUN."""
    corroborate(session, "report", *session.posargs)


@nox.session(venv_backend="none", default=False)
def regress(session: nox.Session) -> None:
    """Compare a run with a baseline: nox -s regress -- RUN --baseline BASELINE."""
    corroborate(session, "regress", *session.posargs)


@nox.session(venv_backend="none", default=False)
def bench(session: nox.Session) -> None:
    """Run the benchmarks, or those named: nox -s bench -- engine_overhead."""
    environment(session, "bench")
    known = sorted(path.stem for path in (ROOT / "benchmarks").glob("[!_]*.py"))
    if unknown := sorted({*session.posargs} - {*known}):
        session.error(f"Unknown: {', '.join(unknown)}. Known: {', '.join(known)}.")
    for name in session.posargs or known:
        session.run(PYTHON, "-m", f"benchmarks.{name}", env=THREADS)


@nox.session(default=False, reuse_venv=True)
def docs(session: nox.Session) -> None:
    """The site of the documentation, in build/docs; --keep-reports: with the reports of the last build."""
    if unknown := {*session.posargs} - {"--keep-reports"}:
        session.error(f"Unknown: {', '.join(sorted(unknown))}. Known: --keep-reports.")
    # In an environment of its own, which reads the sources and imports none of them.
    session.install("--quiet", "--constraint", CONSTRAINTS, *group("docs"))
    pages, reports = f"{DOCS_WORK}/pages", f"{DOCS_WORK}/extra/reports"
    if not session.posargs:
        shutil.rmtree(ROOT / reports, ignore_errors=True)
        for suite in sorted(SUITES):
            formats = ("--format", "html", "--format", "markdown")
            corroborate(session, "report", suite, "--reference", *formats, "--runs", reports)
        corroborate(session, "report", "--index", "--runs", reports)
    session.run("python", "docs/site/gather.py", pages, reports)
    # Anew: a page that is gone must not stay.
    shutil.rmtree(ROOT / "build" / "docs", ignore_errors=True)
    strict = ("--quiet", "--fresh-env", "--fail-on-warning", "--keep-going")
    folders = ("--conf-dir", "docs/site", "--doctree-dir", f"{DOCS_WORK}/doctrees", pages, "build/docs")
    session.run("python", "-m", "sphinx", *strict, *folders)
    session.run("python", "docs/site/check.py", "build/docs")


@nox.session(default=False)
def lock(session: nox.Session) -> None:
    """Write constraints.txt anew: nox -s lock -- torch==2.13.0 (to hold PyTorch at a version)."""
    everything = [line for name in PROJECT["dependency-groups"] for line in group(name)]
    session.install("--quiet", EXTRAS, *everything, *session.posargs)
    frozen = str(session.run("python", "-m", "pip", "freeze", "--all", silent=True))
    own = ("corroborate", "pip==")
    pins = [line.partition("+")[0] for line in frozen.splitlines() if not line.startswith(own)]
    (ROOT / CONSTRAINTS).write_text("\n".join([LOCK_HEADER, *pins, ""]), encoding="utf-8")


@nox.session(default=False)
def audit(session: nox.Session) -> None:
    """List what is installed as a CycloneDX file (sbom.json, or the one named), and ask for known faults."""
    environment(session)
    # Not in the shared environment: the versions that these tools need are others than those pinned.
    session.install("--quiet", *AUDITORS)
    target = session.posargs[0] if session.posargs else "sbom.json"
    listing = ("--pyproject", "pyproject.toml", "--output-reproducible", "-o", target)
    session.run("cyclonedx-py", "environment", *listing, PYTHON)
    answer = ROOT / ".nox" / "audit.json"
    answer.unlink(missing_ok=True)
    asking = ("--requirement", CONSTRAINTS, "--no-deps", "--disable-pip", "--progress-spinner", "off")
    # Both for faults found and for a database that does not answer it ends with 1: the file tells which.
    session.run("pip-audit", *asking, "--format", "json", "--output", str(answer), success_codes=(0, 1))
    if told := audit_failure(answer):
        session.error(told)


def audit_failure(answer: Path) -> str:
    """Why an audit is not passed, or nothing: faults, packages that nobody could ask about, no answer."""
    try:
        packages = json.loads(answer.read_text(encoding="utf-8"))["dependencies"]
    except (OSError, ValueError, LookupError):
        return "The database of advisories gave no answer: nothing was audited. Try again with a network."
    faults = [
        f"{one['name']} {one['version']}: {', '.join(fault['id'] for fault in one['vulns'])}"
        for one in packages
        if one.get("vulns")
    ]
    unknown = [one["name"] for one in packages if "skip_reason" in one]
    said = [f"Known faults: {'; '.join(faults)}."] if faults else []
    if unknown or not packages:
        named = f", {unknown[0]} among them" if unknown else ""
        said.append(f"Not audited, which is no pass: {len(unknown)} of {len(packages)} packages{named}.")
    return " ".join(said)


def suites_due(day: date, changed: list[str]) -> list[str]:
    """The suites of a day's third, and those with a changed file of their own."""
    due = []
    for number, (suite, target) in enumerate(sorted(SUITES.items())):
        folder = target.partition(":")[0].split(".")[1]
        own = (f"suites/{folder}/", f"methods/{folder}/")
        if number % 3 == day.timetuple().tm_yday % 3 or any(path.startswith(own) for path in changed):
            due.append(suite)
    return due


def changed_files() -> list[str]:
    """Files that differ from where this branch left the main one; none where git cannot tell."""
    for main in ("origin/main", "main"):
        command = ["git", "diff", "--name-only", f"{main}...HEAD"]
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
        if done.returncode == 0:
            return done.stdout.splitlines()
    return []


def corroborate(session: nox.Session, *arguments: str) -> None:
    """Call the command line, which needs a moment to close its records when interrupted."""
    environment(session)
    command = (PYTHON, "-m", "harness.cli.main", *arguments)
    session.run(*command, interrupt_timeout=20.0, terminate_timeout=20.0)


def pytest(session: nox.Session, *arguments: str, env: dict[str, str] = THREADS) -> None:
    """Run pytest with one thread a process, so that parallel tests do not slow each other."""
    session.run(PYTHON, "-m", "pytest", *arguments, env=env)


def runs_here(session: nox.Session, setting: str) -> bool:
    """Whether this CPU has the instructions of a setting: PyTorch does not check, and would crash."""
    wanted = PORTABLE[setting].get("ATEN_CPU_CAPABILITY", "default").upper()
    question = "import torch; print(torch.backends.cpu.get_cpu_capability())"
    found = str(session.run(PYTHON, "-c", question, silent=True)).strip()
    # Other processors name other sets, and know none of these.
    has = VECTORS.index(found) if found in VECTORS else 0
    if VECTORS.index(wanted) <= has:
        return True
    session.log(f"Setting {setting} is skipped: this CPU has {found}")
    return False


def group(name: str) -> list[str]:
    """The requirements of a dependency group."""
    return list(nox.project.dependency_groups(PROJECT, name))


def environment(session: nox.Session, *groups: str) -> None:
    """Bring the shared environment up to date, with ``groups`` besides what it has.

    Nothing is done if it was installed from the same files. Groups add up, so that sessions do
    not take away each other's tools.
    """
    if sys.version_info < (3, 11):  # noqa: UP036 (nox itself runs on older ones)
        session.error("Corroborate needs Python 3.11 or newer: install nox for such a Python.")
    ENVIRONMENT.parent.mkdir(exist_ok=True)
    with FileLock(ENVIRONMENT.with_suffix(".lock")):
        stamp = read_stamp()
        wanted = {**fresh_stamp(), "groups": sorted({*groups, *stamp.get("groups", [])})}
        if stamp == wanted:
            return
        if stamp.get("base") != wanted["base"]:
            session.log("Installing PyTorch and what the suites need: some minutes, this first time.")
            session.run_install(sys.executable, "-m", "virtualenv", "--quiet", "--clear", str(ENVIRONMENT))
        requirements = sorted({line for name in wanted["groups"] for line in group(name)})
        install = (PYTHON, "-m", "pip", "install", "--quiet", "--constraint", CONSTRAINTS)
        session.run_install(*install, "--editable", EXTRAS, *requirements)
        STAMP.write_text(json.dumps(wanted), encoding="utf-8")


def read_stamp() -> dict[str, Any]:
    """What the shared environment was installed from; empty if it is missing or unfinished."""
    try:
        stamp: dict[str, Any] = json.loads(STAMP.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return stamp if Path(PYTHON).exists() else {}


def fresh_stamp() -> dict[str, Any]:
    """What it has to be installed from."""
    tables = ("build-system", "project", "dependency-groups")
    declared = json.dumps([PROJECT[table] for table in tables], sort_keys=True).encode()
    pins = (ROOT / CONSTRAINTS).read_bytes()
    return {
        "base": [sys.version, sys.base_prefix, str(ROOT)],
        "files": hashlib.sha256(declared + b"\0" + pins).hexdigest(),
    }
