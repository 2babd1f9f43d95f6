"""GGUF files whose settings transformers would lose."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import gguf
import pytest
import torch
from transformers import AutoModelForCausalLM

from harness.method import ResourceError
from methods.common.gemma import to_safetensors
from methods.common.gguf_files import check_gguf, parsed_once, read_settings
from tests.methods.common import models

Change = Callable[[gguf.GGUFWriter], Any]


def write(
    file: Path, *, change: Change = lambda writer: None, architecture: str = "gemma3", without: str = ""
) -> Any:
    """A tiny Gemma-3 model as its converter writes it."""
    model = models.gemma3()
    config = model.config
    writer = gguf.GGUFWriter(file, architecture)
    writer.add_name("tiny")
    writer.add_context_length(config.max_position_embeddings)
    writer.add_embedding_length(config.hidden_size)
    writer.add_block_count(config.num_hidden_layers)
    writer.add_feed_forward_length(config.intermediate_size)
    writer.add_head_count(config.num_attention_heads)
    writer.add_head_count_kv(config.num_key_value_heads)
    writer.add_layer_norm_rms_eps(config.rms_norm_eps)
    writer.add_key_length(config.head_dim)
    writer.add_value_length(config.head_dim)
    writer.add_sliding_window(config.sliding_window)
    writer.add_rope_freq_base(1_000_000.0)
    writer.add_vocab_size(config.vocab_size)
    change(writer)
    names = gguf.get_tensor_name_map(gguf.MODEL_ARCH.GEMMA3, config.num_hidden_layers)
    for name, tensor in model.state_dict().items():
        if name not in ("lm_head.weight", without):
            # Gemma's norms multiply by 1 + w, and GGUF stores the sum.
            stored = tensor + 1 if name.endswith("norm.weight") else tensor
            writer.add_tensor(str(names.get_name(name, (".weight",))), stored.numpy())
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return model


def test_a_file_without_more_settings_is_read_in_full(tmp_path: Path) -> None:
    file = tmp_path / "tiny.gguf"
    model = write(file)
    check_gguf(file)
    architecture, settings = read_settings(file)
    assert (architecture, settings["attention.sliding_window"]) == ("gemma3", 8)
    read: Any = AutoModelForCausalLM.from_pretrained(tmp_path, gguf_file=file.name, dtype=torch.float32)
    assert torch.equal(read.model.embed_tokens.weight, model.model.embed_tokens.weight)
    assert torch.allclose(read.model.norm.weight, model.model.norm.weight, atol=1e-6)


def test_a_file_is_parsed_once_for_all_that_asks_for_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made: list[str] = []

    class Counted(gguf.GGUFReader):
        def __init__(self, path: Any, *args: Any) -> None:
            made.append(str(path))
            super().__init__(path, *args)

    monkeypatch.setattr(gguf, "GGUFReader", Counted)

    def read() -> Any:
        check_gguf(tmp_path / "tiny.gguf")
        return AutoModelForCausalLM.from_pretrained(tmp_path, gguf_file="tiny.gguf", dtype=torch.float32)

    write(tmp_path / "tiny.gguf")
    plain = read()
    assert len(made) > 1
    made.clear()
    with parsed_once():
        shared = read()
    assert made == [str(tmp_path / "tiny.gguf")]
    assert gguf.GGUFReader is Counted
    assert all(map(torch.equal, shared.state_dict().values(), plain.state_dict().values()))


SAME: dict[str, Change] = {
    "no scaling": lambda w: w.add_rope_scaling_type(gguf.RopeScalingType.NONE),
    "a factor of one": lambda w: w.add_rope_scaling_factor(1.0),
    "the usual pattern": lambda w: w.add_sliding_window_pattern(6),
    "the usual pattern by layer": lambda w: w.add_sliding_window_pattern([True, True]),
    "the usual local base": lambda w: w.add_rope_freq_base_swa(10_000.0),
}


@pytest.mark.parametrize("name", SAME)
def test_settings_that_say_what_is_so_anyway_are_no_loss(name: str, tmp_path: Path) -> None:
    file = tmp_path / "tiny.gguf"
    write(file, change=SAME[name])
    check_gguf(file)


def scaled(writer: gguf.GGUFWriter) -> None:
    writer.add_rope_scaling_type(gguf.RopeScalingType.LINEAR)
    writer.add_rope_scaling_factor(8.0)


LOST: dict[str, tuple[Change, list[str]]] = {
    "scaling": (scaled, ["gemma3.rope.scaling.type = linear", "gemma3.rope.scaling.factor = 8.0"]),
    "a pattern": (
        lambda w: w.add_sliding_window_pattern([True, False]),
        ["gemma3.attention.sliding_window_pattern = [True, False]"],
    ),
    "a period": (
        lambda w: w.add_sliding_window_pattern(2),
        ["gemma3.attention.sliding_window_pattern = 2"],
    ),
    "a local base": (lambda w: w.add_rope_freq_base_swa(5.0), ["gemma3.rope.freq_base_swa = 5.0"]),
    "a cap": (lambda w: w.add_final_logit_softcapping(30.0), ["gemma3.final_logit_softcapping = 30.0"]),
    "other values": (lambda w: w.add_rope_scaling_attn_factors(2.0), ["gemma3.rope.scaling.attn_factor"]),
}


@pytest.mark.parametrize("name", LOST)
def test_settings_that_would_be_lost_are_named(name: str, tmp_path: Path) -> None:
    change, told = LOST[name]
    write(tmp_path / "tiny.gguf", change=change)
    with pytest.raises(ResourceError, match="would lose") as caught:
        to_safetensors(tmp_path, tmp_path / "out")
    assert all(text in str(caught.value) for text in told)
    assert not (tmp_path / "out").exists()


def test_transformers_does_lose_them(tmp_path: Path) -> None:
    """When this fails, transformers keeps them, and the refusal can go."""
    from transformers import AutoConfig

    def both(writer: gguf.GGUFWriter) -> None:
        scaled(writer)
        writer.add_sliding_window_pattern([True, False])

    write(tmp_path / "tiny.gguf", change=both)
    config = AutoConfig.from_pretrained(tmp_path, gguf_file="tiny.gguf")
    assert config.rope_parameters["full_attention"]["rope_type"] == "default"
    assert config.layer_types == ["sliding_attention", "sliding_attention"]


@pytest.mark.parametrize("kind", ["gguf", "safetensors"])
def test_weights_that_are_missing_are_not_drawn_at_random(kind: str, tmp_path: Path) -> None:
    if kind == "gguf":
        write(tmp_path / "tiny.gguf", without="model.norm.weight")
    else:
        model = models.gemma3()
        left = {name: w for name, w in model.state_dict().items() if name != "model.norm.weight"}
        model.save_pretrained(tmp_path, state_dict=left)
    with pytest.raises(ResourceError, match=r"1 weights are missing, model.norm.weight"):
        to_safetensors(tmp_path, tmp_path / "out")


def test_damaged_and_unknown_files_are_refused(tmp_path: Path) -> None:
    (tmp_path / "bad.gguf").write_bytes(b"GGUF" + bytes(3))
    with pytest.raises(ResourceError, match="4 bytes are announced, and 3 are left"):
        check_gguf(tmp_path / "bad.gguf")
    write(tmp_path / "other.gguf", architecture="unheard-of")
    with pytest.raises(ResourceError, match="'unheard-of'"):
        check_gguf(tmp_path / "other.gguf")
