# %% [markdown]
# # Programs of instructions as a classifier
#
# A program is a tree of instructions that people can read. With language models behind it, one writes the
# instructions and another follows them; without, a rule inducer and a rule interpreter stand in, which is
# enough to see how programs are learnt and what they look like.

# %%
import tempfile
from pathlib import Path

from sklearn.datasets import load_iris
from sklearn.model_selection import cross_val_score, train_test_split

from methods.il_bench.classifier import LSPClassifier

data = load_iris(as_frame=True)
kinds = data.target.map(dict(enumerate(data.target_names)))
train, test, train_kinds, test_kinds = train_test_split(data.data, kinds, random_state=0, stratify=kinds)

# %% [markdown]
# A short budget and a longer one. The names of the columns stand in the rules.

# %%
for expansions in (1, 6):
    model = LSPClassifier(expansions=expansions, levels=4, rules=3).fit(train, train_kinds)
    right = (model.predict(test) == test_kinds).mean()
    print(f"{expansions} expansions: {right:.1%} of {len(test)} flowers, {sum(model.calls(test))} requests")
print(model)

# %% [markdown]
# It is an estimator of scikit-learn, and a program is a file that may be edited by hand.

# %%
print(f"cross-validated: {cross_val_score(LSPClassifier(levels=4), data.data, kinds, cv=5).mean():.1%}")
with tempfile.TemporaryDirectory() as folder:
    path = Path(folder) / "program.json"
    model.save(path)
    again = LSPClassifier.load(path)
    print(f"from its file: {(again.predict(test) == model.predict(test)).mean():.1%} of answers are the same")
