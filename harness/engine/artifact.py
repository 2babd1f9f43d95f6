"""Building artifacts: once, under a lock, in a temporary folder that is renamed when whole."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from harness.ends import own_process
from harness.engine.context import TrialContext, seed_everything
from harness.engine.files_read import changed_files, taken
from harness.engine.job import ArtifactJob
from harness.errors import ResourceError
from harness.method.references import Artifact
from harness.plan.canonical import digest

MANIFEST = "artifact.json"


def artifact_folder(home: Path, artifact: Artifact, fingerprint: str, environment: str) -> Path:
    """Where an artifact is kept: by class, fingerprint and environment."""
    name = type(artifact).__name__.lower()
    return home / "artifacts" / f"{name}-{fingerprint[:16]}-{digest(environment)[:8]}"


def is_built(folder: Path) -> bool:
    """Whether an artifact is whole, its manifest being written last, and what it was made from the same."""
    try:
        files: dict[str, str] = read_manifest(folder).get("files", {})
        return not changed_files(files)
    except (OSError, ValueError, AttributeError):
        return False


def files_behind(folder: Path) -> dict[str, str]:
    """Files that a built artifact, and those that it was built from, have read without declaring them."""
    try:
        files: dict[str, str] = read_manifest(folder)["files"]
    except (OSError, ValueError, LookupError, TypeError):
        return {}  # It is no artifact, but a resource; or one of an older version.
    return files


def mark_used(folder: Path) -> None:
    """Note that an artifact served again, for ``cache prune --older-than``."""
    with contextlib.suppress(OSError):  # A shared cache may be read-only.
        os.utime(folder / MANIFEST)


def read_manifest(folder: Path) -> dict[str, Any]:
    """What is known of a built artifact: title, fingerprint, seconds, size."""
    content: dict[str, Any] = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
    return content


def build_artifact(job: ArtifactJob, ctx: TrialContext) -> None:
    """Build the artifact of ``job`` unless another process has done so meanwhile.

    Raises:
        ResourceError: If the cache cannot be written.
    """
    from filelock import FileLock

    target = job.target
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with FileLock(target.with_name(f".{target.name}.lock")):
            if is_built(target):
                return
            _clear_interrupted(target)
            _build(job, ctx)
            forget_checkpoints(job.checkpoints)
    except OSError as error:
        raise ResourceError(
            f"The artifact '{job.artifact.title or job.id}' cannot be stored: {error.strerror or error}",
            where=str(target),
            fix="Free some space ('corroborate cache prune'), or set CORROBORATE_HOME to another folder.",
        ) from error


def checkpoints_of(target: Path) -> Path:
    """Where the state of an artifact in the making is kept: beside its lock, not in its folder."""
    return target.with_name(f".{target.name}.checkpoints")


def forget_checkpoints(folder: Path | None) -> None:
    """Remove the state of work whose result is stored."""
    if folder is not None:
        shutil.rmtree(folder, ignore_errors=True)


def _clear_interrupted(target: Path) -> None:
    """Remove what a killed process left; the lock says that nobody is building."""
    for leftover in target.parent.glob(f".{target.name}.building*"):
        shutil.rmtree(leftover, ignore_errors=True)
    shutil.rmtree(target, ignore_errors=True)


def _build(job: ArtifactJob, ctx: TrialContext) -> None:
    folder = job.target.with_name(f".{job.target.name}.building")
    folder.mkdir()
    try:
        start = time.perf_counter()
        seed_everything(ctx.seed)
        with own_process():
            job.artifact.build(folder, ctx)
        seconds = ctx.checkpoints.earlier[0] + time.perf_counter() - start
        files = dict(taken(job)[0])
        for path in job.paths.values():
            files |= files_behind(Path(path))
        _write_manifest(folder, {**job.note, "files": files}, seconds)
        folder.replace(job.target)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _write_manifest(folder: Path, note: Mapping[str, Any], seconds: float) -> None:
    size = sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
    content = {**note, "seconds": round(seconds, 2), "bytes": size, "created": int(time.time())}
    (folder / MANIFEST).write_text(json.dumps(content, indent=1), encoding="utf-8")
