"""Weights that a repository has only in PyTorch's own format, once and for all as safetensors.

The reader that such files need can run what a file says, so they are read in a process of their own
and for tensors only (:mod:`harness.resources.convert_worker`). What was read and what was written
is recorded by hash in ``conversion.json``.
"""

from __future__ import annotations

import hashlib
import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from harness.errors import ResourceError
from harness.resources.convert_worker import REFUSED, weight_files
from harness.resources.hashing import files_in, sha256_of
from harness.resources.hub_fetch import explained

if TYPE_CHECKING:
    from harness.method.references import HubSource

RECORD = "conversion.json"
_BYTES_PER_S = 5_000_000
_LEAST_S = 600.0


def convert_folder(source: Path, target: Path) -> str:
    """Write the weights of ``source`` into the new folder ``target`` as safetensors.

    Returns:
        A short hash of the weights that were read.

    Raises:
        ResourceError: If there are none, they hold something else than tensors, or the process
            fails or takes too long.
    """
    files = weight_files(source)
    missing = [path.name for path in files if not path.is_file()]
    if missing or not files:
        raise ResourceError(
            f"The folder lacks {', '.join(missing)}" if missing else "The folder has no pytorch_model*.bin",
            where=str(source),
            fix="Give the folder of a checkpoint that has weights in PyTorch's own format.",
        )
    target.mkdir(parents=True)
    try:
        _run(source, target, timeout_s=_LEAST_S + sum(path.stat().st_size for path in files) / _BYTES_PER_S)
    except BaseException:
        # What is half written looks like a model to whoever binds the folder.
        shutil.rmtree(target, ignore_errors=True)
        raise
    read = {path.name: sha256_of(path) for path in files}
    written = {name: sha256_of(path) for name, path in files_in(target) if name.endswith(".safetensors")}
    record = {"read": read, "written": written}
    (target / RECORD).write_text(json.dumps(record, indent=1, sort_keys=True), encoding="utf-8")
    return hashlib.sha256(json.dumps(read, sort_keys=True).encode()).hexdigest()[:16]


def _run(source: Path, target: Path, *, timeout_s: float) -> None:
    command = [sys.executable, "-m", "harness.resources.convert_worker", str(source), str(target)]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=timeout_s, check=False)
    except subprocess.TimeoutExpired as error:
        raise ResourceError(
            f"The conversion took longer than {timeout_s / 60:.0f} minutes and was ended", where=str(source)
        ) from error
    if done.returncode == REFUSED:
        raise ResourceError(
            done.stderr.strip().splitlines()[-1],
            where=str(source),
            fix="Do not load this file with another reader unless you trust its origin.",
        )
    if done.returncode:
        last = (done.stderr.strip().splitlines() or ["it said nothing"])[-1]
        raise ResourceError(
            f"The conversion failed with status {done.returncode}: {last}",
            where=str(source),
            fix="A negative status is a signal: 9 is usually too little memory.",
        )


def download_bin(source: HubSource) -> Path:
    """The snapshot of a repository with its weights in PyTorch's own format; nothing of it is loaded.

    Raises:
        UnobtainableError: If the hub does not give it.
    """
    from huggingface_hub import snapshot_download

    patterns = [*source.allow, "pytorch_model*.bin", "pytorch_model.bin.index.json"]
    with explained(source):
        return Path(snapshot_download(source.repo, revision=source.revision, allow_patterns=patterns))
