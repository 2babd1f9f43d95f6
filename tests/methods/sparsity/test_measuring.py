"""``measure`` on models of many layouts, against brute force over what enters each second layer."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import transformers as hf
from torch import Tensor

from harness.cli.main import main
from harness.errors import ExitCode
from harness.method import DivergedError, ProblemError
from methods.common import tiny_lm
from methods.sparsity.blocks import mlp_blocks
from methods.sparsity.measuring import load_sparsity, measure, top_k_activations
from methods.sparsity.reading import load_reader
from methods.sparsity.zeros import SMOOTH, Zero

TEXTS = [f"the {word} hat number {n} is on the table" for n in range(6) for word in ("red", "blue")]
SMALL: dict[str, Any] = {
    "vocab_size": 300,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "hidden_size": 16,
}
WIDE: dict[str, Any] = {**SMALL, "intermediate_size": 24, "pad_token_id": 0}


def opt() -> Any:
    return hf.OPTForCausalLM(hf.OPTConfig(**SMALL, ffn_dim=24, word_embed_proj_dim=16))


def llama(act: str) -> Any:
    return hf.LlamaForCausalLM(hf.LlamaConfig(**WIDE, hidden_act=act, num_key_value_heads=1))


def bert() -> Any:
    return hf.BertModel(hf.BertConfig(**WIDE))


def gemma() -> Any:
    return hf.Gemma3ForCausalLM(
        hf.Gemma3TextConfig(**WIDE, num_key_value_heads=1, head_dim=8, layer_types=["full_attention"] * 2)
    )


def phi() -> Any:
    return hf.Phi3ForCausalLM(hf.Phi3Config(**WIDE, num_key_value_heads=2, hidden_act="relu"))


def gpt2() -> Any:
    return hf.GPT2LMHeadModel(hf.GPT2Config(vocab_size=300, n_embd=16, n_inner=24, n_layer=2, n_head=2))


def vit() -> Any:
    config = hf.ViTConfig(**{name: WIDE[name] for name in list(WIDE)[1:5]}, image_size=8, patch_size=4)
    return hf.ViTForImageClassification(config)


MODELS: dict[str, tuple[Callable[[], Any], str, str]] = {
    "opt": (opt, "fc2", "ReLU"),
    "llama": (lambda: llama("silu"), "down_proj", "gated"),
    "relu llama": (lambda: llama("relu"), "down_proj", "ReLU, gated"),
    "bert": (bert, "output.dense", "GELU"),
    "gemma": (gemma, "down_proj", "gated"),
    "phi": (phi, "down_proj", "ReLU, gated"),
    "gpt2": (gpt2, "mlp.c_proj", "GELU"),
    "vit": (vit, "fc2", "GELU"),
}


def made(name: str) -> Any:
    torch.manual_seed(0)
    return MODELS[name][0]().eval()


def inputs_of(name: str) -> dict[str, Tensor]:
    rng = torch.Generator().manual_seed(1)
    if name == "vit":
        return {"pixel_values": torch.randn(2, 3, 8, 8, generator=rng)}
    mask = torch.ones(3, 7, dtype=torch.long)
    mask[1, 4:] = 0
    return {"input_ids": torch.randint(3, 300, (3, 7), generator=rng), "attention_mask": mask}


def seen(model: Any, second: str, inputs: dict[str, Tensor]) -> list[Tensor]:
    """What entered the second layers, shape (tokens, d_ff) each, without hidden tokens."""
    found: list[Tensor] = []
    handles = [
        part.register_forward_pre_hook(lambda _, args: found.append(args[0].detach()))
        for name, part in model.named_modules()
        if name.endswith(second) and "attention" not in name and "attn" not in name
    ]
    with torch.no_grad():
        model(**inputs)
    for handle in handles:
        handle.remove()
    mask = inputs.get("attention_mask")
    chosen = slice(None) if mask is None else mask.bool().flatten()
    return [a.reshape(-1, a.shape[-1])[chosen] for a in found]


@pytest.mark.parametrize("name", MODELS)
@pytest.mark.parametrize("rule", ["exact", "5%", "0.002"])
def test_counts_equal_brute_force(name: str, rule: str) -> None:
    model, inputs, zero = made(name), inputs_of(name), Zero.parse(rule)
    counts = measure(model, [inputs], zero=zero).counts
    maps = seen(model, MODELS[name][1], inputs)
    assert len(counts.layers) == len(maps) == 2
    for layer, a in zip(counts.layers, maps, strict=True):
        size = a.abs().numpy()
        line = {"exact": 0.0, "5%": np.float32(0.05) * size.max(axis=1, keepdims=True), "0.002": 0.002}[rule]
        np.testing.assert_array_equal(layer.firing, (size > line).sum(axis=0))
        assert layer.tokens == len(a)


@pytest.mark.parametrize("name", MODELS)
def test_what_counts_as_zero_is_said_for_each_layout(name: str) -> None:
    found = measure(made(name), [inputs_of(name)])
    told = MODELS[name][2]
    for activation in found.activations:
        assert ("gated" in activation) == ("gated" in told)
        assert ("ReLU" in activation) == ("ReLU" in told)
    assert found.zero == (Zero() if "ReLU" in told else SMOOTH)


def test_relu_is_half_and_silu_is_full_of_small_numbers() -> None:
    exact = measure(made("llama"), [inputs_of("llama")], zero=Zero())
    assert exact.counts.nnz_percent == 100
    assert 30 < measure(made("relu llama"), [inputs_of("llama")]).counts.nnz_percent < 70


def test_training_mode_comes_back() -> None:
    model = made("opt").train()
    measure(model, [inputs_of("opt")])
    assert model.training
    assert not any(part._forward_pre_hooks for part in model.modules())


def test_numbers_that_are_none_stay_an_error_under_every_rule() -> None:
    model = made("gpt2")
    with torch.no_grad():
        model.transformer.h[1].mlp.c_fc.bias[0] = float("nan")
    for rule in ("exact", "1%", "0.1"):
        with pytest.raises(DivergedError, match="not a number"):
            measure(model, [inputs_of("gpt2")], zero=Zero.parse(rule))


def test_experts_are_refused_by_name() -> None:
    config = hf.MixtralConfig(**WIDE, num_key_value_heads=1, num_local_experts=2)
    with pytest.raises(ProblemError, match="MixtralForCausalLM is a mixture of experts"):
        mlp_blocks(hf.MixtralForCausalLM(config))


def test_a_model_without_known_blocks_is_refused() -> None:
    with pytest.raises(ProblemError, match="No MLP block with known names"):
        measure(torch.nn.Sequential(torch.nn.Linear(2, 2)), [{}])


@pytest.mark.parametrize("text", ["", "half", "-1", "120%", "nan"])
def test_rules_that_say_nothing_are_refused(text: str) -> None:
    with pytest.raises(ProblemError):
        Zero.parse(text)


def test_texts_need_a_tokenizer_and_something_to_read() -> None:
    with pytest.raises(ProblemError, match="Texts need a tokenizer"):
        measure(made("opt"), TEXTS)
    with pytest.raises(ProblemError, match="Nothing was read"):
        measure(made("opt"), [])


def test_top_k_keeps_the_largest_and_their_gradients() -> None:
    model, inputs = made("opt"), inputs_of("opt")
    whole = model(**inputs).logits
    with top_k_activations(model, 3):
        assert measure(model, [inputs]).counts.layers[0].histogram[4:].sum() == 0
        model(**inputs).logits.sum().backward()
    gradient = model.model.decoder.layers[1].fc1.weight.grad
    assert gradient is not None
    assert gradient.abs().sum() > 0
    torch.testing.assert_close(model(**inputs).logits, whole, rtol=0, atol=0)
    with top_k_activations(model, 24):
        torch.testing.assert_close(model(**inputs).logits, whole, rtol=0, atol=0)
    with pytest.raises(ProblemError, match="k = 0"), top_k_activations(model, 0):
        pass


def test_what_is_saved_is_what_was_counted(tmp_path: Path) -> None:
    found = measure(made("bert"), [inputs_of("bert")])
    found.save(tmp_path / "counts.safetensors")
    again = load_sparsity(tmp_path / "counts.safetensors")
    assert again.rows() == found.rows()
    assert (again.model, again.zero) == (found.model, found.zero)
    model = made("bert")
    model.save_pretrained(tmp_path / "model")
    with pytest.raises(ProblemError, match="no counts"):
        load_sparsity(tmp_path / "model" / "model.safetensors")


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Models as users have them, each with a tokenizer, and texts."""
    folder = tmp_path_factory.mktemp("models")
    tokenizer = tiny_lm.train_tokenizer(TEXTS, 290)
    for name in ("opt", "relu llama", "bert", "gemma", "gpt2"):
        made(name).save_pretrained(folder / name)
        tokenizer.save_pretrained(folder / name)
    (folder / "texts.txt").write_text("\n".join(TEXTS), encoding="utf-8")
    (folder / "texts.jsonl").write_text('{"body": "the red hat"}\n{"body": "a table"}\n', encoding="utf-8")
    return folder


@pytest.mark.parametrize("name", ["opt", "relu llama", "bert", "gemma", "gpt2"])
def test_the_command_measures_a_folder(
    name: str, folders: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    paths = [str(tmp_path / kept) for kept in ("table.csv", "figure.svg", "counts.safetensors")]
    command = ["sparsity", str(folders / name), "--texts", str(folders / "texts.txt"), "--batch", "5"]
    command += ["--out", paths[0], "--figure", paths[1], "--save", paths[2]]
    assert main(command) == ExitCode.OK, capsys.readouterr().err
    header, *rows = Path(paths[0]).read_text(encoding="utf-8").splitlines()
    assert header.startswith("layer,block,activation,d_ff,tokens,nnz_percent")
    assert len(rows) == 2
    assert Path(paths[1]).read_text(encoding="utf-8").count("<svg") == 1
    assert load_sparsity(Path(paths[2])).counts.layers[0].tokens == int(
        rows[0].replace('"', "").split(",")[-5]
    )
    assert "zero is" in capsys.readouterr().err
    assert main(command) == ExitCode.USAGE
    assert "exists already" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("command", "told"),
    [
        ("nothing --texts texts.txt", "no config.json"),
        ("opt --texts nothing.txt", "No such file"),
        ("opt --texts texts.jsonl", "no text under 'text'"),
        ("opt --texts texts.txt --zero some", "does not say what counts as zero"),
        ("opt --texts texts.txt --figure figure.doc", "no known form"),
    ],
)
def test_bad_input_says_what_and_where(
    folders: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    command: str,
    told: str,
) -> None:
    monkeypatch.chdir(folders)
    assert main(["sparsity", *command.split()]) == ExitCode.USAGE
    assert told in capsys.readouterr().err


def test_a_field_of_json_lines_is_read(folders: Path, capsys: pytest.CaptureFixture[str]) -> None:
    command = ["sparsity", str(folders / "opt"), "--texts", str(folders / "texts.jsonl"), "--field", "body"]
    assert main(command) == ExitCode.OK
    assert len(capsys.readouterr().out.splitlines()) == 3


def test_an_encoder_is_read_without_a_head_and_half_precision_in_full(folders: Path, tmp_path: Path) -> None:
    assert type(load_reader(folders / "bert")).__name__ == "BertModel"
    made("opt").half().save_pretrained(tmp_path)
    assert next(load_reader(tmp_path).parameters()).dtype == torch.float32


def test_batches_that_name_no_input_are_told() -> None:
    """As a ``DataLoader`` over pairs of images and labels gives them."""
    images = torch.rand(2, 3, 8, 8, generator=torch.Generator().manual_seed(0))
    assert measure(vit(), [{"pixel_values": images}]).counts.layers[0].tokens == 10
    for batch, told in ((images, "Tensor"), ([images, torch.tensor([0, 1])], "list")):
        with pytest.raises(ProblemError, match=f"Batch 1 is no dictionary of tensors but {told}") as error:
            measure(vit(), [{"pixel_values": images}, batch])  # type: ignore[arg-type]
        assert "forward()" in str(error.value.fix)


def test_what_is_zero_may_be_said_as_on_the_command_line() -> None:
    ids = [{"input_ids": torch.arange(12)[None]}]
    torch.manual_seed(0)
    model = llama("silu")
    said, meant = measure(model, ids, zero="5%"), measure(model, ids, zero=Zero("relative", 0.05))
    assert said.zero == meant.zero
    assert said.counts.nnz_percent == meant.counts.nnz_percent
    with pytest.raises(ProblemError, match="does not say what counts as zero"):
        measure(model, ids, zero="little")


def test_spans_need_a_tokenizer_with_sentinels() -> None:
    size: dict[str, Any] = {"d_model": 16, "d_kv": 8, "d_ff": 24, "num_layers": 1, "num_heads": 2}
    size["decoder_start_token_id"] = 0
    model = hf.T5ForConditionalGeneration(hf.T5Config(vocab_size=300, **size))
    with pytest.raises(ProblemError, match="no sentinels") as error:
        measure(model, TEXTS, tiny_lm.train_tokenizer(TEXTS, 290))
    assert "'labels'" in str(error.value.fix)
    ids = torch.arange(12)[None]
    assert len(measure(model, [{"input_ids": ids, "labels": ids}]).counts.layers) == 2
