"""A folder that cannot be what it is bound to is refused before anything is planned."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from harness.errors import ExitCode
from tests.harness.cli.conftest import Shell
from tests.harness.cli.demo import NUMBERS

SMALLEST = {
    ".gguf": b"GGUF" + (3).to_bytes(4, "little") + bytes(16),
    ".json": b"{}",
    ".safetensors": (2).to_bytes(8, "little") + b"{}",
}
"""Files without tensors and settings, by their suffix."""


@pytest.fixture
def model(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the suite's resource be a model."""
    monkeypatch.setattr("tests.harness.cli.demo.NUMBERS", replace(NUMBERS, kind="model"))


@pytest.mark.usefixtures("model")
@pytest.mark.parametrize(
    ("files", "said"),
    [
        ((), "no weights"),
        (("config.json", "notes.txt"), "no weights"),
        (("model.safetensors",), "no config.json"),
        (("config.json", "pytorch_model.bin"), "corroborate convert --from"),
        (("config.json", "model.safetensors"), "config.json cannot be read"),
        (("model.gguf",), "the GGUF file cannot be read"),
    ],
)
@pytest.mark.parametrize("command", ["plan", "run"])
def test_a_folder_without_a_model_is_refused(
    shell: Shell, tmp_path: Path, files: tuple[str, ...], said: str, command: str
) -> None:
    folder = tmp_path / "bound"
    folder.mkdir()
    for name in files:
        (folder / name).touch()
    assert shell(command, "demo", "--bind", f"numbers={folder}") == ExitCode.USAGE
    assert said in shell.err
    assert not Path("runs").exists()


@pytest.mark.usefixtures("model")
@pytest.mark.parametrize("files", [("model.gguf",), ("config.json", "model-00001-of-00002.safetensors")])
def test_a_folder_with_a_model_is_taken(shell: Shell, tmp_path: Path, files: tuple[str, ...]) -> None:
    folder = tmp_path / "bound"
    folder.mkdir()
    for name in files:
        (folder / name).write_bytes(SMALLEST[Path(name).suffix])
    assert shell("plan", "demo", "--bind", f"numbers={folder}") == ExitCode.OK, shell.err


def test_an_empty_folder_is_no_data_set(shell: Shell, tmp_path: Path) -> None:
    folder = tmp_path / "bound"
    folder.mkdir()
    assert shell("plan", "demo", "--bind", f"numbers={folder}") == ExitCode.USAGE
    assert "<split>.jsonl.gz" in shell.err
