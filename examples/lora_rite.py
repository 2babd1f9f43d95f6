# %% [markdown]
# # LoRA-RITE for adapters of one's own
#
# A small language model is trained on Python's help texts and then adapted to Python's source code by
# LoRA. The product of the two factors is what the model sees, and one product has many splits: here the
# same start is written in three ways. Adam's run depends on how, LoRA-RITE's does not.

# %%
import argparse
import inspect
import tempfile
import warnings
from copy import deepcopy
from pydoc_data.topics import topics

import torch
import transformers
from peft import LoraConfig, get_peft_model

from methods.common import tiny_lm
from methods.common.draws import generator
from methods.lora_rite import LoraRite

warnings.filterwarnings("ignore", category=FutureWarning)  # Of transformers to itself.
text = [paragraph for topic in topics.values() for paragraph in topic.split("\n\n")]
tokenizer = tiny_lm.train_tokenizer(text, vocabulary=400)
base = tiny_lm.new_model(400, tiny_lm.Size(layers=2, hidden=64), generator(0))
schedule = tiny_lm.Schedule(steps=100, batch=16, length=48, warmup=20)
loss = tiny_lm.train(base, tiny_lm.encode(tokenizer, text), schedule, generator(1), lambda share, note: None)
print(f"on help texts: {loss:.2f} nats a token")

# %% [markdown]
# Rows of source code, and adapters whose first factor is larger and whose second is smaller by a factor.
# The second factor is zero at the start, so that all three are the same model.

# %%
code = tiny_lm.encode(tokenizer, [inspect.getsource(argparse)])
rows = [{"input_ids": row, "labels": row} for row in code[: len(code) // 48 * 48].view(-1, 48)]


def adapted(factor):
    """The base with LoRA, its first factors times ``factor``."""
    torch.manual_seed(0)
    model = get_peft_model(deepcopy(base), LoraConfig(r=4, target_modules=["q_proj", "v_proj", "down_proj"]))
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            if "lora_A" in name:
                parameter.mul_(factor)
    return model


# %%
def last_loss(model, optimizer, folder):
    """The training loss of the last of 40 steps of Trainer."""
    arguments = transformers.TrainingArguments(
        folder,
        per_device_train_batch_size=16,
        max_steps=40,
        max_grad_norm=0.0,
        lr_scheduler_type="constant",
        logging_steps=20,
        save_strategy="no",
        report_to=[],
        disable_tqdm=True,
        use_cpu=True,
    )
    trainer = transformers.Trainer(model, arguments, train_dataset=rows, optimizers=(optimizer, None))
    trainer.remove_callback(transformers.PrinterCallback)
    trainer.train()
    return trainer.state.log_history[-2]["loss"]


OPTIMIZERS = {
    "AdamW": lambda model: torch.optim.AdamW(model.parameters(), lr=5e-3),
    "LoRA-RITE": lambda model: LoraRite(model, lr=5e-3),
}
with tempfile.TemporaryDirectory() as folder:
    for name, optimizer in OPTIMIZERS.items():
        losses = []
        for factor in (0.1, 1.0, 10.0):
            model = adapted(factor)
            losses.append(last_loss(model, optimizer(model), folder))
        told = ", ".join(f"{loss:.3f}" for loss in losses)
        print(f"{name}: {told} nats a token; they differ by {max(losses) - min(losses):.4f}")
