# %% [markdown]
# # Decisions for the metric that counts
#
# How positive is a word? People disagree, so an honest model gives a distribution over ratings, and which
# number to say depends on how the answer will be judged. The ratings are real: ten people rated each word
# of VADER's lexicon from -4 to 4.

# %%
import ast
from importlib.resources import files

import numpy as np
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline

from methods.common.language_model.interface import LanguageModel
from methods.metric_aware.deciding import MetricAware, decisions

GRID = tuple(range(-4, 5))

lines = files("vaderSentiment").joinpath("vader_lexicon.txt").read_text(encoding="utf-8").splitlines()
rows = [line.split("\t") for line in lines if line.strip()]
words = np.array([row[0] for row in rows if row[0].isalpha()])
ratings = np.array([ast.literal_eval(row[3]) for row in rows if row[0].isalpha()])
order = np.random.default_rng(0).permutation(len(words))
train, test = order[500:], order[:500]
print(f"{len(words)} words with {ratings.shape[1]} ratings each; {len(test)} are kept to test with")

# %% [markdown]
# Any language model serves that can score a text behind a prompt: one of `transformers`, a server, or a
# class of yours. To run in seconds this one knows only how words are spelt.


# %%
class Speller(LanguageModel):
    """Log-probabilities of ratings from the letters of a word, learnt from single people's ratings."""

    def learn(self, words, ratings):
        """Fit to one row for each person."""
        letters = TfidfVectorizer(analyzer="char_wb", ngram_range=(2, 5), min_df=3, sublinear_tf=True)
        self.classifier = make_pipeline(letters, LogisticRegression(C=3.0, max_iter=500))
        # Five of the ten people are enough, and take half of the time.
        self.classifier.fit(np.repeat(words, 5), ratings[:, :5].ravel())
        return self

    def score(self, prompts, options):
        """Log-probabilities of each prompt's options, which are numbers."""
        laws = self.classifier.predict_log_proba([prompt.removesuffix(":") for prompt in prompts])
        place = {int(value): column for column, value in enumerate(self.classifier.classes_)}
        return [[law[place[int(option)]] for option in some] for law, some in zip(laws, options, strict=True)]

    def sample(self, prompts, decoding, *, count=1, seed=0):
        """Nobody asks for it here."""
        raise NotImplementedError

    def next_token(self, prompts, *, most=None):
        """Nobody asks for it here."""
        raise NotImplementedError


judge = MetricAware(
    Speller("speller", "speller").learn(words[train], ratings[train]), grid=GRID, metric="mae"
)
law = judge.predict([f"{word}:" for word in words[test]])

# %% [markdown]
# One distribution, several decisions.

# %%
METRICS = ("accuracy", "mae", "rmse")
for place in range(6):
    told = ", ".join(f"{metric} {decisions(law, metric)[place]:.2f}" for metric in METRICS)
    print(f"{words[test[place]]:>14}: people say {ratings[test[place]].mean():5.2f} | best for {told}")

# %% [markdown]
# Each decision judged by each metric, against what single people said. The least of a column should be on
# the diagonal, as far as the distributions are right.

# %%
truth = ratings[test]
JUDGED = {
    "accuracy": lambda found: np.mean(found.round() != truth),
    "mae": lambda found: np.mean(abs(found - truth)),
    "rmse": lambda found: np.mean((found - truth) ** 2) ** 0.5,
}
print(f"{'decided for':>12} {'errors':>8} {'mae':>8} {'rmse':>8}")
for metric in METRICS:
    found = decisions(law, metric)[:, None]
    print(f"{metric:>12}", *(f"{judged(found):8.3f}" for judged in JUDGED.values()))
