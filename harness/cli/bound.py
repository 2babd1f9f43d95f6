"""Folders that ``--bind`` puts in place of resources: looked into before anything is planned."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from harness.errors import ResourceError, UsageError
from harness.method.references import Resource
from harness.model_files import check_model_folder
from harness.resources.hashing import files_in


def require_content(bindings: Mapping[str, Path], resources: Mapping[str, Resource]) -> None:
    """Refuse folders that cannot be what they are bound to.

    Raises:
        UsageError: With what is expected.
    """
    for name, folder in bindings.items():
        kind = resources[name].kind
        if wrong := _wrong_model(folder) if kind == "model" else _empty(folder):
            raise UsageError(
                f"This folder is not a {'model' if kind == 'model' else 'data set'}: {wrong[0]}",
                where=f"--bind {name}={folder}",
                fix=wrong[1],
            )


def _wrong_model(folder: Path) -> tuple[str, str] | None:
    """What is wrong with a model's folder, and what to do."""
    if lacking := _lacking(folder):
        return lacking
    try:
        check_model_folder(folder)
    except ResourceError as error:
        return f"{error.what[:1].lower()}{error.what[1:]}, {Path(error.where).name}", error.fix
    return None


def _lacking(folder: Path) -> tuple[str, str] | None:
    if any(folder.glob("*.gguf")):
        return None
    if not any(folder.glob("*.safetensors")):
        if any(folder.glob("pytorch_model*.bin")):
            convert = f"corroborate convert --from {folder} --to FOLDER"
            return "its weights are pickled, and those are not read", f"Bind what '{convert}' makes of it."
        return "it has no weights in *.safetensors or *.gguf", "Give the folder that save_pretrained() made."
    if not (folder / "config.json").is_file():
        return "it has weights, but no config.json", "Give the folder that save_pretrained() made."
    return None


def _empty(folder: Path) -> tuple[str, str] | None:
    if next(iter(files_in(folder)), None) is None:
        return "it has no files", "Give the folder with its files, such as <split>.jsonl.gz."
    return None
