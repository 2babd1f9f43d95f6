# %% [markdown]
# # Best-worst scaling in rounds
#
# Forty-eight items have a hidden order. People who err see four at a time and say which is the best and
# which the worst. The same number of answers is spent in two ways: on one round of random tuples, and in
# rounds, each among items that are close so far.

# %%
import numpy as np
from scipy.stats import spearmanr

from methods.ibws import Answers, Iteration, balanced_design, bradley_terry, counting, iterated_bws

ITEMS, ERROR = 48, 0.15
truth = np.linspace(0, 1, ITEMS)


def people(rng):
    """Whoever answers: what they see of each item is its value and an error."""

    def compare(tuples):
        seen = truth[tuples] + rng.normal(0, ERROR, tuples.shape)
        rows = np.arange(len(tuples))
        return Answers(tuples, tuples[rows, seen.argmax(1)], tuples[rows, seen.argmin(1)])

    return compare


# %% [markdown]
# In rounds, the ranking gets better from one round to the next. Its last ranking is by position;
# Bradley-Terry over the answers of all rounds uses more of them.


# %%
def agreement(scores):
    """Spearman's correlation with the hidden order."""
    return spearmanr(scores, truth).statistic


rng = np.random.default_rng(0)
found = iterated_bws(ITEMS, people(rng), rng, Iteration(appearances=4))
asked = sum(len(part.tuples) for part in found.answers)
for number, ranking in enumerate(found.rounds, 1):
    print(f"after round {number}: {agreement(ranking):.3f}")
print(f"all {asked} answers by Bradley-Terry: {agreement(bradley_terry(ITEMS, found.answers)):.3f}")

# %% [markdown]
# One round of as many tuples, scored by counts and by Bradley-Terry, over twenty crowds of people.

# %%
results = {
    "in rounds, by position": [],
    "in rounds, Bradley-Terry": [],
    "one round, counts": [],
    "one round, Bradley-Terry": [],
}
for seed in range(20):
    rng = np.random.default_rng(seed)
    found = iterated_bws(ITEMS, people(rng), rng, Iteration(appearances=4))
    asked = sum(len(part.tuples) for part in found.answers)
    once = [people(rng)(balanced_design(ITEMS, 4, max(1, asked * 4 // ITEMS), rng))]
    results["in rounds, by position"].append(agreement(found.estimate))
    results["in rounds, Bradley-Terry"].append(agreement(bradley_terry(ITEMS, found.answers)))
    results["one round, counts"].append(agreement(counting(ITEMS, once)))
    results["one round, Bradley-Terry"].append(agreement(bradley_terry(ITEMS, once)))
for name, values in results.items():
    print(f"{name}: {np.mean(values):.3f} +- {np.std(values) / len(values) ** 0.5:.3f}")
