"""LoRA-RITE as users have it: adapters of ``peft``, ``Trainer``, ``accelerate``, schedules, checkpoints."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
import transformers as hf
from peft import LoraConfig, PeftModel, get_peft_model
from torch import Tensor, nn
from torch.utils.data import DataLoader

from methods.lora_rite import LoraRite, find_pairs
from methods.lora_rite.pairs import products

WIDE: dict[str, Any] = {
    "vocab_size": 48,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "hidden_size": 16,
    "intermediate_size": 24,
    "pad_token_id": 0,
}


def llama() -> Any:
    return hf.LlamaForCausalLM(hf.LlamaConfig(**WIDE, num_key_value_heads=1))


def gemma() -> Any:
    kinds = ["full_attention"] * 2
    return hf.Gemma3ForCausalLM(
        hf.Gemma3TextConfig(**WIDE, num_key_value_heads=1, head_dim=8, layer_types=kinds)
    )


def t5() -> Any:
    size: dict[str, Any] = {
        "decoder_start_token_id": 0,
        "d_model": 16,
        "d_kv": 8,
        "d_ff": 24,
        "num_layers": 2,
        "num_heads": 2,
    }
    return hf.T5ForConditionalGeneration(hf.T5Config(vocab_size=48, **size, pad_token_id=0))


MODELS: dict[str, tuple[Callable[[], Any], dict[str, Any]]] = {
    "llama": (llama, {"target_modules": ["q_proj", "v_proj", "down_proj"], "task_type": "CAUSAL_LM"}),
    "gemma": (gemma, {"target_modules": ["q_proj", "o_proj"], "task_type": "CAUSAL_LM"}),
    "t5": (t5, {"target_modules": ["q", "v", "wo"], "task_type": "SEQ_2_SEQ_LM"}),
}
KINDS: dict[str, dict[str, Any]] = {
    "plain": {},
    "rslora": {"use_rslora": True},
    "dora": {"use_dora": True},
    "biases": {"bias": "lora_only"},
}


def base(name: str) -> Any:
    torch.manual_seed(0)
    return MODELS[name][0]()


def adapted(name: str, **more: Any) -> Any:
    torch.manual_seed(1)
    return get_peft_model(base(name), LoraConfig(r=4, **{**MODELS[name][1], **more}))


def rows(count: int = 16) -> list[dict[str, Tensor]]:
    """Each token is followed by the next larger one."""
    starts = torch.randint(1, 40, (count,), generator=torch.Generator().manual_seed(2))
    ids = starts[:, None] + torch.arange(8)
    return [{"input_ids": one, "labels": one} for one in ids]


def inputs(count: int = 4) -> dict[str, Tensor]:
    found = rows(count)
    return {name: torch.stack([row[name] for row in found]) for name in found[0]}


def logits(model: Any) -> Tensor:
    with torch.no_grad():
        found: Tensor = model.eval()(**inputs()).logits
    return found


def descend(model: Any, optimizer: torch.optim.Optimizer, steps: int = 25) -> tuple[float, float]:
    """Losses before and after."""
    model.train()
    losses = []
    for _ in range(steps):
        loss = model(**inputs(16)).loss
        loss.backward()
        optimizer.step()
        optimizer.zero_grad()
        losses.append(float(loss.detach()))
    return losses[0], losses[-1]


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        pytest.param(name, kind, marks=[] if kind == "plain" or name == "llama" else [pytest.mark.slow])
        for name in MODELS
        for kind in KINDS
    ],
)
def test_what_is_trained_is_saved_loaded_and_merged(name: str, kind: str, tmp_path: Path) -> None:
    model = adapted(name, **KINDS[kind])
    first, last = descend(model, LoraRite(model, lr=0.02))
    assert last < first - 0.02
    trained = logits(model)
    model.save_pretrained(tmp_path)
    again = PeftModel.from_pretrained(base(name), tmp_path)
    torch.testing.assert_close(logits(again), trained, rtol=1e-4, atol=1e-5)
    torch.testing.assert_close(logits(again.merge_and_unload()), trained, rtol=1e-3, atol=1e-4)


def test_embeddings_and_saved_modules_are_trained() -> None:
    model = adapted("llama", target_modules=["q_proj", "embed_tokens"], modules_to_save=["norm"])
    optimizer = LoraRite(model, lr=0.02)
    kinds = {name: p.detach().clone() for name, p in model.named_parameters() if p.requires_grad}
    descend(model, optimizer, steps=3)
    stood = [name for name, p in model.named_parameters() if name in kinds and p.equal(kinds[name])]
    assert stood == []
    assert any("lora_embedding" in name for name in kinds)
    assert any("modules_to_save" in name for name in kinds)


def test_trainer_takes_the_optimizer_with_a_schedule(tmp_path: Path) -> None:
    model = adapted("llama")
    optimizer = LoraRite(model, lr=0.02)
    schedule = hf.get_linear_schedule_with_warmup(optimizer, 2, 24)
    settings = hf.TrainingArguments(
        str(tmp_path),
        per_device_train_batch_size=4,
        gradient_accumulation_steps=2,
        max_steps=24,
        max_grad_norm=0.0,
        save_steps=12,
        logging_steps=1,
        report_to=[],
        disable_tqdm=True,
        use_cpu=True,
        seed=3,
    )
    trainer = hf.Trainer(model, settings, train_dataset=rows(), optimizers=(optimizer, schedule))
    trainer.train()
    losses = [entry["loss"] for entry in trainer.state.log_history if "loss" in entry]
    assert losses[-1] < losses[0] - 0.02
    # What was saved half way goes on to the same end.
    whole = logits(model)
    other = adapted("llama")
    second = LoraRite(other, lr=0.02)
    plan = hf.get_linear_schedule_with_warmup(second, 2, 24)
    resumed = hf.Trainer(other, settings, train_dataset=rows(), optimizers=(second, plan))
    resumed.train(resume_from_checkpoint=str(tmp_path / "checkpoint-12"))
    torch.testing.assert_close(logits(other), whole, rtol=1e-5, atol=1e-6)


def test_accelerate_prepares_it() -> None:
    from accelerate import Accelerator

    accelerator = Accelerator(cpu=True, gradient_accumulation_steps=2)
    model = adapted("gemma")
    loader: Any = DataLoader(rows(), batch_size=4)  # type: ignore[arg-type]
    model, optimizer, loader = accelerator.prepare(model, LoraRite(model, lr=0.02), loader)
    losses = []
    for _ in range(6):
        for batch in loader:
            with accelerator.accumulate(model):
                loss = model(**batch).loss
                accelerator.backward(loss)
                optimizer.step()
                optimizer.zero_grad()
            losses.append(float(loss.detach()))
    assert sum(losses[-4:]) < sum(losses[:4]) - 0.1


def test_bfloat16_trains_at_small_rates() -> None:
    model = adapted("llama").to(torch.bfloat16)
    optimizer = LoraRite(model, lr=2e-4)
    first, last = descend(model, optimizer, steps=120)
    assert last < first
    masters = {state["master"].dtype for state in optimizer.state.values() if "master" in state}
    assert masters == {torch.float32}


def test_frozen_layers_and_missing_gradients_are_left_alone() -> None:
    model = adapted("llama")
    for name, parameter in model.named_parameters():
        if "layers.0" in name:
            parameter.requires_grad_(requires_grad=False)
    optimizer = LoraRite(model, lr=0.02)
    before = logits(model)
    frozen = [p.clone() for name, p in model.named_parameters() if "layers.0" in name]
    descend(model, optimizer, steps=3)
    after = [p for name, p in model.named_parameters() if "layers.0" in name]
    assert all(a.equal(b) for a, b in zip(frozen, after, strict=True))
    assert not logits(model).allclose(before)


def test_two_rates_by_groups() -> None:
    model = adapted("llama")
    named = [(name, p) for name, p in model.named_parameters() if p.requires_grad]
    attention = [(name, p) for name, p in named if "self_attn" in name]
    mlp = [(name, p) for name, p in named if "mlp" in name]
    descend(model, LoraRite([{"params": attention, "lr": 1e-6}, {"params": mlp, "lr": 0.02}]), steps=3)
    # A factor may move far where its partner is small: what a rate bounds is the product.
    slow, fast = ([float(z.norm()) for z in products(find_pairs(part))] for part in (attention, mlp))
    assert 0 < max(slow) < 1e-3 * min(fast)


def test_trl_trains_with_it_where_it_is_installed(tmp_path: Path) -> None:
    trl = pytest.importorskip("trl")
    from datasets import Dataset

    model = adapted("llama")
    data = Dataset.from_list([{"input_ids": row["input_ids"].tolist()} for row in rows()])
    settings = trl.SFTConfig(str(tmp_path), max_steps=4, report_to=[], use_cpu=True, bf16=False)
    optimizer = LoraRite(model, lr=0.02)
    before = [p.clone() for p in model.parameters() if p.requires_grad]
    trl.SFTTrainer(
        model, settings, train_dataset=data, optimizers=(optimizer, None), processing_class=_tokenizer()
    ).train()
    after = [p for p in model.parameters() if p.requires_grad]
    assert not any(a.equal(b) for a, b in zip(before, after, strict=True))


def _tokenizer() -> Any:
    from methods.common import tiny_lm

    return tiny_lm.train_tokenizer(["a red hat on the table"] * 3, 270)


def test_a_compiled_or_wrapped_model_is_found() -> None:
    class Wrapped(nn.Module):
        def __init__(self, module: nn.Module) -> None:
            super().__init__()
            self.module = module

    inner = adapted("llama")
    pairs = len(LoraRite(inner).param_groups[0]["names"])
    assert len(LoraRite(Wrapped(inner)).param_groups[0]["names"]) == pairs
