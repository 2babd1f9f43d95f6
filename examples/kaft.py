# %% [markdown]
# # Contexts that agree, contradict and mislead
#
# From questions with contexts come training rows of four kinds: a relevant context, one that contradicts
# what the model remembers, one that says nothing on the matter, and none.

# %%
import json
import tempfile
from collections import Counter
from pathlib import Path

from methods.kaft.mixture import Mixture
from methods.kaft.own_questions import as_dataset, augment, read_questions, write_tasks

FACTS = {
    "Peru": ("Lima", "Amazon"),
    "France": ("Paris", "Seine"),
    "Kenya": ("Nairobi", "Tana"),
    "Japan": ("Tokyo", "Shinano"),
    "Chile": ("Santiago", "Loa"),
    "Egypt": ("Cairo", "Nile"),
}
rows = []
for country, (city, river) in FACTS.items():
    rows += [
        {
            "title": country,
            "question": f"What is the capital of {country}?",
            "context": f"The government of {country} sits in {city}.",
            "answers": [city],
        },
        {
            "title": country,
            "question": f"What is the longest river of {country}?",
            "context": f"Ships sail up the {river} there.",
            "answers": [river],
        },
    ]

# %% [markdown]
# The command line does the same from a file (`corroborate kaft augment`); here the file is made first.

# %%
with tempfile.TemporaryDirectory() as folder:
    path = Path(folder) / "questions.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    questions = read_questions(path)
    asked = write_tasks(questions, Path(folder) / "tasks")
data = as_dataset(augment(questions, Mixture(counterfactual=0.5)))
print("kinds:", dict(Counter(data["kind"])))
print("questions of tasks for lm-eval:", asked)

# %% [markdown]
# One question in its four forms. A target says where its answer comes from.

# %%
question = "What is the capital of Kenya?"
for row in data:
    if row["question"] == question:
        print(f"{row['kind']:>14} | {row['context'] or '-'} | {row['target']}")

# %% [markdown]
# What a row for training looks like, and whether contexts keep their promise: a counterfactual one holds
# its target.

# %%
print(data[0]["prompt"] + data[0]["completion"])
fakes = [row for row in data if row["kind"] == "counterfactual"]
gold = {row["question"]: row["answers"][0] for row in rows}
held = sum(row["target"].split(" (")[0] in row["context"] for row in fakes)
told = sum(gold[row["question"]] in row["context"] for row in fakes)
print(f"of {len(fakes)} counterfactual contexts {held} hold their target and {told} the true answer")
