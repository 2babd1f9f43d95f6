# %% [markdown]
# # Prompt first, model second
#
# A small language model knows Python's help texts. It is tuned to another task in another form, whether a
# word has an e, in two ways: directly, and by ProMoT, where a soft prompt takes up the form before the
# model learns the task with that prompt before its input. What tuning costs shows on help texts.

# %%
import tempfile
import warnings
from copy import deepcopy
from pathlib import Path
from pydoc_data.topics import topics

import torch
import transformers

from methods.common import tiny_lm
from methods.common.draws import generator
from methods.promot.two_stages import first_stage, load, save, second_stage, without_prompt

warnings.filterwarnings("ignore", category=FutureWarning)  # Of transformers to itself.
transformers.utils.logging.disable_progress_bar()
text = [paragraph for topic in topics.values() for paragraph in topic.split("\n\n")]
tokenizer = tiny_lm.train_tokenizer(text, vocabulary=300)
stream = tiny_lm.encode(tokenizer, text)
base = tiny_lm.new_model(300, tiny_lm.Size(layers=2, hidden=64), generator(0))
schedule = tiny_lm.Schedule(steps=150, batch=16, length=48, warmup=20)
tiny_lm.train(base, stream, schedule, generator(1), lambda share, note: None)

# %% [markdown]
# Rows of one length: a word, a sign, and Y or N.

# %%
words = sorted(
    {word for paragraph in text for word in paragraph.split() if word.isalpha() and len(word) == 5}
)
lines = [list(f"{word}={'Y' if 'e' in word else 'N'}") for word in words]
ids = torch.tensor(tokenizer.convert_tokens_to_ids([sign for line in lines for sign in line])).view(
    len(lines), -1
)
labels = ids.clone()
labels[:, :6] = -100
rows = [{"input_ids": row, "labels": label} for row, label in zip(ids[100:], labels[100:], strict=True)]
print(f"{len(rows)} words to learn from, 100 to test with; the first is {''.join(lines[100])}")


# %%
def trained(model, rate, steps, folder):
    """The model after some steps of Trainer."""
    arguments = transformers.TrainingArguments(
        folder,
        per_device_train_batch_size=32,
        max_steps=steps,
        learning_rate=rate,
        save_strategy="no",
        report_to=[],
        disable_tqdm=True,
        logging_strategy="no",
        use_cpu=True,
    )
    trainer = transformers.Trainer(model, arguments, train_dataset=rows)
    trainer.remove_callback(transformers.PrinterCallback)
    trainer.train()
    return model.eval()


def loss(model, ids, labels):
    """Nats a token."""
    with torch.no_grad():
        return float(model(input_ids=ids, attention_mask=torch.ones_like(ids), labels=labels).loss)


general = stream[: 64 * 48].view(64, 48)
test = (ids[:100], labels[:100])
print(f"before: task {loss(base, *test):.2f}, help texts {loss(base, general, general):.2f} nats a token")

# %% [markdown]
# Directly, and in two stages. The model of the second stage reads its prompt for the task; for everything
# else it is used without.

# %%
with tempfile.TemporaryDirectory() as folder:
    direct = trained(deepcopy(base), 1e-3, 100, folder)
    forgot = loss(direct, general, general)
    print(f"direct: task {loss(direct, *test):.2f}, help texts {forgot:.2f} nats a token")

    model = trained(first_stage(deepcopy(base), tokens=10), 5e-2, 100, folder)
    print(f"prompt alone: task {loss(model, *test):.2f} nats a token")
    model = trained(second_stage(model), 1e-3, 100, folder)
    save(model, Path(folder) / "tuned")
    model = load(Path(folder) / "tuned").eval()
    task, forgot = loss(model, *test), loss(without_prompt(model), general, general)
    print(f"ProMoT: task {task:.2f}, help texts {forgot:.2f} nats a token")
