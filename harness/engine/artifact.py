"""Building artifacts: once, under a lock, in a temporary folder that is renamed when whole."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from harness.durable import sync, sync_tree
from harness.ends import own_process
from harness.engine.asked import models_asked
from harness.engine.context import TrialContext, seed_everything
from harness.engine.files_read import changed_files, taken
from harness.engine.job import ArtifactJob
from harness.errors import NO_LOCKS, ResourceError
from harness.method.references import Artifact
from harness.plan.canonical import digest
from harness.store.model_records import ModelRecord
from harness.store.records import Cost

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
    """What is known of a built artifact: title, fingerprint, cost, size."""
    content: dict[str, Any] = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
    return content


def cost_of(folder: Path) -> Cost:
    """What a built artifact cost when it was made, whoever uses it later.

    Older artifacts know their wall time only: :attr:`Cost.is_whole` tells.
    """
    manifest = read_manifest(folder)
    try:
        return Cost.model_validate(manifest["cost"])
    except (LookupError, ValidationError):
        return Cost(wall_s=manifest["seconds"])


def models_of(folder: Path) -> list[ModelRecord]:
    """The language models that a built artifact asked when it was made; none in older ones."""
    try:
        return [ModelRecord.model_validate(one) for one in read_manifest(folder).get("models", [])]
    except (ValidationError, TypeError):
        return []


def build_artifact(job: ArtifactJob, ctx: TrialContext, spent: Callable[[], Cost]) -> bool:
    """Build the artifact of ``job`` unless another process has done so meanwhile.

    Args:
        job: What to build, and where.
        ctx: Of the build.
        spent: What the job has used so far; asked once, when the artifact is whole.

    Returns:
        Whether it was built here.

    Raises:
        ResourceError: If the cache cannot be written.
    """
    from filelock import FileLock

    target = job.target
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with FileLock(target.with_name(f".{target.name}.lock")):
            if is_built(target):
                return False
            _clear_interrupted(target)
            _build(job, ctx, spent)
            forget_checkpoints(job.checkpoints)
            forget_checkpoints(job.answers)
            return True
    except OSError as error:
        raise ResourceError(
            f"The artifact '{job.artifact.title or job.id}' cannot be stored: {error.strerror or error}",
            where=str(target),
            fix=f"{_first(error)}, or set CORROBORATE_HOME to another folder.",
        ) from error


def _first(error: OSError) -> str:
    """What to do first about a cache that cannot be written."""
    if error.errno in NO_LOCKS:
        return "Mount its file system with locks"
    return "Free some space ('corroborate cache prune')"


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


def _build(job: ArtifactJob, ctx: TrialContext, spent: Callable[[], Cost]) -> None:
    folder = job.target.with_name(f".{job.target.name}.building")
    folder.mkdir()
    try:
        seed_everything(ctx.seed)
        with own_process():
            job.artifact.build(folder, ctx)
        files = dict(taken(job)[0])
        for path in job.paths.values():
            files |= files_behind(Path(path))
        models = [one.model_dump() for one in models_asked(ctx.asked)]
        note = {**job.note, "files": files, **({"models": models} if models else {})}
        _write_manifest(folder, note, spent())
        sync_tree(folder)
        folder.replace(job.target)
        sync(job.target.parent)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _write_manifest(folder: Path, note: Mapping[str, Any], cost: Cost) -> None:
    size = sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
    # "seconds" is for older versions that share the cache.
    kept = {"seconds": round(cost.wall_s, 2), "cost": cost.model_dump(), "bytes": size}
    content = {**note, **kept, "created": int(time.time())}
    (folder / MANIFEST).write_text(json.dumps(content, indent=1), encoding="utf-8")
