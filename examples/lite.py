# %% [markdown]
# # Late interaction that is learnt
#
# MaxSim adds up the best match of each query token, whatever the order. LITE's scorer reads the whole table
# of similarities. Here each query is a phrase of three words, its document has them in that order, and two
# others have the same words in another one: MaxSim cannot tell them apart, and LITE learns to.

# %%
import numpy as np
import torch

from methods.common.draws import fill_normal, generator
from methods.lite.late import LateInteraction, LateOptions
from methods.lite.own_index import Index, Made
from methods.lite.own_ranking import plain_scorer
from methods.lite.own_training import OwnRun, Vectors, mrr, train
from methods.lite.ranker import Lists
from methods.lite.training import Course, TrainingLists

WORDS, DIM, ASKED, LENGTH, QUERIES, HELD_OUT = 80, 16, 3, 6, 160, 40

rng = np.random.default_rng(0)
words = torch.empty(WORDS, DIM)
fill_normal(words, 0.0, 1.0, generator(0))
words = torch.nn.functional.normalize(words, dim=-1)

# %% [markdown]
# Token vectors as an encoder would give them. With an encoder of yours, `corroborate lite index` makes
# the index.


# %%
def index(texts, longest):
    """An index of texts, each a list of words."""
    ends = np.cumsum([0, *map(len, texts)])
    vectors = torch.cat([words[text] for text in texts]).numpy().astype(np.float16)
    made = Made(encoder="words", folder="", dim=DIM, document_tokens=longest)
    return Index(made, [str(row) for row in range(len(texts))], ends, vectors)


queries, documents = [], []
for _ in range(QUERIES):
    asked = rng.choice(WORDS, ASKED, replace=False)
    queries.append(asked)
    for order in ([0, 1, 2], [2, 1, 0], [1, 0, 2]):
        start, rest = rng.integers(0, LENGTH - ASKED + 1), rng.integers(0, WORDS, LENGTH - ASKED)
        documents.append(np.concatenate([rest[:start], asked[order], rest[start:]]))
vectors = Vectors(index(queries, ASKED), index(documents, LENGTH))


def lists(first, last):
    """Queries from ``first`` on with three candidates each, of which the first is right."""
    rows = torch.arange(first, last)
    candidates = rows[:, None] * 3 + torch.arange(3)
    real = torch.ones_like(candidates, dtype=torch.bool)
    found = Lists(tuple(map(str, rows.tolist())), rows, candidates, real)
    right = torch.tensor([True, False, False]).expand(len(rows), 3)
    return TrainingLists(found, right, right.float())


# %%
held_out = lists(0, HELD_OUT)
plain = mrr(plain_scorer(vectors.documents, ASKED), vectors, held_out)
print(f"MaxSim: MRR {plain:.2f} of {HELD_OUT} new queries")

late = LateInteraction(LateOptions(dim=DIM, query_tokens=ASKED, document_tokens=LENGTH, factor=12))
for steps in (50, 150):
    course = Course("one-hot", steps=steps, batch=32, negatives=2, rate=3e-3, encoder_rate=0.0)
    train(late, vectors, lists(HELD_OUT, QUERIES), course, OwnRun(0, lambda share, note: None))
    print(f"LITE, {steps} updates more: MRR {mrr(late, vectors, held_out):.2f}")
