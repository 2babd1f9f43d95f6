"""Weights in PyTorch's own format become safetensors, and what is not a tensor is refused."""

from __future__ import annotations

import json
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file

from harness.cli import main as cli
from harness.errors import ExitCode, ResourceError
from harness.hub import HubFacts
from harness.method import HubSource
from harness.resources.convert import RECORD, convert_folder
from harness.resources.convert_worker import NotTensorsError, convert, weight_files
from harness.resources.hashing import sha256_of
from tests.harness.resources.conftest import MakeResolver, packaged
from tests.harness.resources.fake_hub import FakeHub, Repository
from tests.harness.resources.test_hub_online import MODEL


def checkpoint(folder: Path, state: Any) -> Path:
    folder.mkdir(exist_ok=True)
    torch.save(state, folder / "pytorch_model.bin")
    (folder / "config.json").write_text("{}")
    (folder / "modeling_own.py").write_text("raise SystemExit")
    return folder


def test_types_values_and_both_hashes_are_kept(tmp_path: Path) -> None:
    state = {"a": torch.randn(3, 4), "b": torch.ones(5, dtype=torch.bfloat16), "c": torch.arange(3)}
    source, target = checkpoint(tmp_path / "old", state), tmp_path / "new"
    convert_folder(source, target)
    found = load_file(target / "model.safetensors")
    assert {name: tensor.dtype for name, tensor in found.items()} == {n: t.dtype for n, t in state.items()}
    assert all(torch.equal(found[name], tensor) for name, tensor in state.items())
    record = json.loads((target / RECORD).read_text())
    assert record["read"] == {"pytorch_model.bin": sha256_of(source / "pytorch_model.bin")}
    assert record["written"] == {"model.safetensors": sha256_of(target / "model.safetensors")}
    assert (target / "config.json").is_file()
    assert not list(target.glob("*.py"))


def test_views_of_one_storage_are_kept_apart_and_aliases_once(tmp_path: Path) -> None:
    whole = torch.randn(6, 2)
    state = {"shared": whole, "encoder": whole, "rows": whole[2:4], "turned": whole.T}
    folder = checkpoint(tmp_path, state)
    convert(weight_files(folder), folder)
    found = load_file(folder / "model.safetensors")
    assert sorted(found) == ["rows", "shared", "turned"]
    assert all(torch.equal(tensor, state[name]) for name, tensor in found.items())


def test_large_weights_become_several_files_with_an_index(tmp_path: Path) -> None:
    state = {f"layer.{n}": torch.full((100,), float(n)) for n in range(5)}
    folder = checkpoint(tmp_path / "old", state)
    convert([folder / "pytorch_model.bin"], folder, shard_bytes=900)
    index = json.loads((folder / "model.safetensors.index.json").read_text())
    assert index["metadata"]["total_size"] == 2000
    files = [f"model-0000{n}-of-00003.safetensors" for n in (1, 2, 3)]
    assert sorted(set(index["weight_map"].values())) == files
    for name, file in index["weight_map"].items():
        assert torch.equal(load_file(folder / file)[name], state[name])


def test_a_model_that_transformers_saved_in_shards_loads_equal(tmp_path: Path) -> None:
    from transformers import T5Config, T5ForConditionalGeneration

    config = T5Config(vocab_size=32, d_model=8, d_kv=4, d_ff=16, num_layers=1, num_heads=2)
    torch.manual_seed(0)
    model = T5ForConditionalGeneration(config)
    source = tmp_path
    config.save_pretrained(source)
    state = model.state_dict()
    names = list(state)
    files = {f"pytorch_model-0000{n}-of-00002.bin": names[n - 1 :: 2] for n in (1, 2)}
    for file, part in files.items():
        torch.save({name: state[name] for name in part}, source / file)
    weight_map = {name: file for file, part in files.items() for name in part}
    (source / "pytorch_model.bin.index.json").write_text(json.dumps({"weight_map": weight_map}))
    convert(weight_files(source), source)
    again = T5ForConditionalGeneration.from_pretrained(source, use_safetensors=True, local_files_only=True)
    assert all(torch.equal(tensor, state[name]) for name, tensor in again.state_dict().items())


def test_what_is_not_a_tensor_is_refused_and_nothing_is_left(tmp_path: Path, make: MakeResolver) -> None:
    source = checkpoint(tmp_path / "old", {"weight": torch.ones(2), "extra": Fraction(1, 2)})
    model = packaged(kind="model", sources=(HubSource("someone/model"),), sha256=())
    with pytest.raises(ResourceError, match="something else than tensors"):
        make().convert(model, source)
    assert not list((make().home / "resources").glob("*/*/files"))


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"garbage", "Unsupported operand"),
        (b"version https://git-lfs.github.com/spec/v1\n", "pointer of Git LFS"),
    ],
)
def test_a_refusal_says_why_advises_nothing_unsafe_and_may_be_repeated(
    tmp_path: Path, data: bytes, reason: str
) -> None:
    source = checkpoint(tmp_path / "old", {"a": torch.ones(1)})
    (source / "pytorch_model.bin").write_bytes(data)
    for _ in range(2):
        with pytest.raises(ResourceError, match=reason) as caught:
            convert_folder(source, tmp_path / "new")
        assert "weights_only" not in str(caught.value)
        assert not (tmp_path / "new").exists()


@pytest.mark.parametrize("state", [{"weight": torch.ones(2), "step": 7}, [torch.ones(2)], {}])
def test_tensors_without_names_are_refused(tmp_path: Path, state: Any) -> None:
    folder = checkpoint(tmp_path, state)
    with pytest.raises(NotTensorsError, match="not a mapping of names to tensors"):
        convert(weight_files(folder), folder)


def test_a_folder_without_readable_weights_says_so(tmp_path: Path) -> None:
    source = checkpoint(tmp_path / "old", {"a": torch.ones(1)})
    (source / "pytorch_model.bin").write_bytes(b"PK damaged")
    with pytest.raises(NotTensorsError, match="cannot be read"):
        convert(weight_files(source), source)
    with pytest.raises(ResourceError, match="cannot be read"):
        convert_folder(source, tmp_path / "new")
    (source / "pytorch_model.bin").unlink()
    with pytest.raises(ResourceError, match="no pytorch_model"):
        convert_folder(source, tmp_path / "new")
    index = {"weight_map": {"a": "../old/pytorch_model.bin"}}
    (source / "pytorch_model.bin.index.json").write_text(json.dumps(index))
    with pytest.raises(ResourceError, match="not in the folder"):
        convert_folder(source, tmp_path / "new")
    assert not (tmp_path / "new").exists(), "half a model may not be bound"


def test_a_converted_model_is_what_the_loader_gets(make: MakeResolver, hub: FakeHub, tmp_path: Path) -> None:
    fact = replace(MODEL, weights="bin")
    facts = HubFacts({(fact.repo, fact.kind, fact.config): fact})
    source = checkpoint(tmp_path / "old", {"a": torch.ones(2)})
    weights = (source / "pytorch_model.bin").read_bytes()
    hub.repositories[f"models/{fact.repo}"] = Repository({"config.json": b"{}", "pytorch_model.bin": weights})
    model = packaged(kind="model", sources=(HubSource(fact.repo),), sha256=())
    resolver = make(facts=facts)
    assert "corroborate convert letters" in resolver.status(model).text
    with pytest.raises(ResourceError, match="corroborate convert letters"):
        resolver.path(model)
    folder = resolver.convert(model)
    assert resolver.path(model) == folder
    assert torch.equal(load_file(folder / "model.safetensors")["a"], torch.ones(2))
    assert resolver.identity(model).startswith(f"letters@1;hub:model:{fact.repo}@{fact.revision};bin:")
    assert make(facts=facts, home=tmp_path / "two").convert(model, source).is_dir()
    with pytest.raises(ResourceError, match="not a model with a source"):
        resolver.convert(packaged())


def test_the_command_converts_a_folder_for_binding(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    source = checkpoint(tmp_path / "old", {"a": torch.ones(2)})
    asked = ["convert", "--from", str(source), "--to", str(tmp_path / "new")]
    assert cli.main(asked) == ExitCode.OK
    assert "sha256" in capsys.readouterr().out
    assert cli.main(asked) == ExitCode.USAGE
    assert cli.main(["convert"]) == ExitCode.USAGE
    assert cli.main(["convert", "mt5-xxxl"]) == ExitCode.USAGE
    assert "mt5-xxl" in capsys.readouterr().err
