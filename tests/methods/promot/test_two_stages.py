"""ProMoT through ``peft``: what learns in each stage, what is saved, and what is refused."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
import transformers as hf
from torch import Tensor

from harness.method import ProblemError
from methods.common import tiny_lm
from methods.promot.two_stages import first_stage, load, save, second_stage, without_prompt

peft = pytest.importorskip("peft")
WIDE: dict[str, Any] = {
    "vocab_size": 48,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "hidden_size": 16,
    "intermediate_size": 24,
    "pad_token_id": 0,
}


def llama() -> Any:
    torch.manual_seed(0)
    return hf.LlamaForCausalLM(hf.LlamaConfig(**WIDE, num_key_value_heads=1))


def t5() -> Any:
    torch.manual_seed(0)
    size: dict[str, Any] = {"d_model": 16, "d_kv": 8, "d_ff": 24, "num_layers": 2, "num_heads": 2}
    size["decoder_start_token_id"] = 0
    return hf.T5ForConditionalGeneration(hf.T5Config(vocab_size=48, **size, pad_token_id=0))


MODELS = {"llama": llama, "t5": t5}


def rows(count: int = 16) -> list[dict[str, Tensor]]:
    starts = torch.randint(1, 40, (count,), generator=torch.Generator().manual_seed(2))
    ids = starts[:, None] + torch.arange(7)
    return [{"input_ids": one, "attention_mask": torch.ones_like(one), "labels": one} for one in ids]


def inputs() -> dict[str, Tensor]:
    found = rows(4)
    return {name: torch.stack([row[name] for row in found]) for name in found[0]}


def logits(model: Any) -> Tensor:
    with torch.no_grad():
        found: Tensor = model.eval()(**inputs()).logits
    return found


def weights(model: Any) -> dict[str, Tensor]:
    return {name: p.detach().clone() for name, p in model.named_parameters()}


def trained(model: Any, folder: Path, rate: float = 0.05) -> None:
    settings = hf.TrainingArguments(
        str(folder),
        per_device_train_batch_size=8,
        max_steps=6,
        learning_rate=rate,
        report_to=[],
        save_strategy="no",
        disable_tqdm=True,
        use_cpu=True,
    )
    hf.Trainer(model, settings, train_dataset=rows()).train()


@pytest.mark.parametrize("name", MODELS)
def test_two_stages_with_trainer(name: str, tmp_path: Path) -> None:
    model = first_stage(MODELS[name](), tokens=5)
    start = weights(model)
    trained(model, tmp_path / "one")
    middle = weights(model)
    moved = {name for name in start if not middle[name].equal(start[name])}
    assert moved == {name for name in start if "prompt_encoder" in name}
    trained(second_stage(model), tmp_path / "two", rate=1e-3)
    end = weights(model)
    moved = {name for name in middle if not end[name].equal(middle[name])}
    assert moved
    assert not any("prompt_encoder" in name for name in moved)

    save(model, tmp_path / "kept")
    again = load(tmp_path / "kept")
    torch.testing.assert_close(logits(again), logits(model))
    alone = hf.AutoModel.from_pretrained(tmp_path / "kept" / "model")
    assert weights(alone)["shared.weight" if name == "t5" else "norm.weight"].equal(
        weights(without_prompt(model))["shared.weight" if name == "t5" else "model.norm.weight"]
    )
    plain = logits(without_prompt(model))
    assert plain.shape == (4, 7, 48)
    assert not logits(model)[:, -7:].allclose(plain)


def test_a_prompt_of_peft_is_taken_over_with_what_it_learnt() -> None:
    config = peft.PromptTuningConfig(task_type="CAUSAL_LM", num_virtual_tokens=3)
    made = peft.get_peft_model(llama(), config)
    second_stage(made)
    before = weights(made)
    taken = first_stage(made)
    assert taken is made
    assert all(weights(made)[name].equal(before[name]) for name in before)
    assert [name for name, p in made.named_parameters() if p.requires_grad] == [
        name for name in before if "prompt_encoder" in name
    ]


def test_a_prompt_begins_as_a_text(tmp_path: Path) -> None:
    tokenizer = tiny_lm.train_tokenizer(["a red hat on the table"] * 3, 300)
    tokenizer.save_pretrained(tmp_path)
    whole = hf.LlamaForCausalLM(hf.LlamaConfig(**{**WIDE, "vocab_size": 300}, num_key_value_heads=1))
    model = first_stage(whole, tokens=2, text="a red hat", tokenizer=str(tmp_path))
    ids = tokenizer("a red hat", add_special_tokens=False)["input_ids"][:2]
    table = without_prompt(model).get_input_embeddings().weight
    prompt: Any = model.prompt_encoder["default"]
    torch.testing.assert_close(prompt.embedding.weight, table[ids], check_stride=False)


def test_other_adapters_are_refused_and_never_stacked() -> None:
    lora = peft.LoraConfig(task_type="CAUSAL_LM", target_modules=["q_proj"])
    wrapped = peft.get_peft_model(llama(), lora)
    with pytest.raises(ProblemError, match="'LORA'"):
        first_stage(wrapped)
    with pytest.raises(ProblemError, match="stacked upon"):
        first_stage(wrapped.get_base_model())
    assert first_stage(wrapped.merge_and_unload(), tokens=2).peft_config
    with pytest.raises(ProblemError, match="no soft prompt"):
        second_stage(llama())


def test_what_does_not_fit_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ProblemError, match="at least one token"):
        first_stage(llama(), tokens=0)
    with pytest.raises(ProblemError, match="a tokenizer with a text"):
        first_stage(llama(), text="a hat")
    (tmp_path / "note").write_text("", encoding="utf-8")
    with pytest.raises(ProblemError, match="not empty"):
        save(first_stage(llama(), tokens=2), tmp_path)
    with pytest.raises(ProblemError, match="holds no 'model'"):
        load(tmp_path)


def test_a_tokenizer_may_be_an_object_or_its_folder(tmp_path: Path) -> None:
    texts = ["the red hat is on the table"] * 3
    tiny_lm.train_tokenizer(texts, 270).save_pretrained(tmp_path / "tokenizer")
    loaded = hf.AutoTokenizer.from_pretrained(
        tmp_path / "tokenizer", trust_remote_code=False, local_files_only=True
    )
    config = hf.LlamaConfig(**{**WIDE, "vocab_size": 320}, num_key_value_heads=1)
    torch.manual_seed(0)
    plain: Any = hf.LlamaForCausalLM(config)
    words = loaded("the red hat", add_special_tokens=False).input_ids
    for given in (loaded, str(tmp_path / "tokenizer"), tmp_path / "tokenizer"):
        torch.manual_seed(0)
        bare = hf.LlamaForCausalLM(config)
        model: Any = first_stage(bare, tokens=len(words), text="the red hat", tokenizer=given)
        prompt = model.prompt_encoder["default"].embedding.weight
        assert torch.equal(prompt, plain.get_input_embeddings().weight[words])


def test_what_generates_no_text_is_refused() -> None:
    headless = hf.LlamaModel(hf.LlamaConfig(**WIDE, num_key_value_heads=1))
    for given in ("a folder", headless, hf.BertModel(hf.BertConfig(**WIDE))):
        with pytest.raises(ProblemError, match="generates no text") as error:
            first_stage(given)
        assert "AutoModelForCausalLM" in str(error.value.fix)


def test_folders_are_texts_or_paths_and_the_type_of_weights_is_kept(tmp_path: Path) -> None:
    model = second_stage(first_stage(llama().to(torch.bfloat16), tokens=3))
    save(model, str(tmp_path / "tuned"))
    found = load(str(tmp_path / "tuned"), dtype="bfloat16")
    assert found.get_base_model().dtype == torch.bfloat16
    # Kernels of bfloat16 may round otherwise; weights are the same to the bit.
    ours, theirs = weights(found), weights(model)
    assert ours.keys() == theirs.keys()
    assert all(torch.equal(ours[name], theirs[name]) for name in theirs)
    assert load(tmp_path / "tuned").get_base_model().dtype == torch.float32
