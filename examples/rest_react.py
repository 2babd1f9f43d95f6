# %% [markdown]
# # A search agent over one's own documents
#
# The agent decides whether to search, sums up what it found, answers, and checks its answer. Every step is
# written by a language model and read by a grammar. To run without one, the steps here are written by a
# few lines of code behind the same interface; a model of yours, or a server, takes its place.

# %%
import tempfile
from pathlib import Path

from methods.common.language_model.interface import Completion, LanguageModel
from methods.rest_react.agent import Settings
from methods.rest_react.search_agent import (
    SearchAgent,
    improve,
    load_trajectories,
    read_documents,
    save_examples,
    save_trajectories,
)
from methods.rest_react.steps import Kind, State

QUESTION = "Where was the author of Ulysses born?"
DOCUMENTS = {
    "books.txt": "Ulysses was written by James Joyce.\n\nEmma was written by Jane Austen.",
    "people.txt": "James Joyce was born in Dublin.\n\nJane Austen was born in Steventon.",
}


class Script(LanguageModel):
    """Searches twice, copies what it finds, answers with its last word; of three candidates one is bad."""

    def sample(self, prompts, decoding, *, count=1, seed=0):
        """Texts for each prompt."""
        found = []
        for prompt in prompts:
            step = self.step(State.parse(prompt[prompt.rindex("question: ") :]))
            texts = [step, "I do not know how to go on", step][:count]
            found.append([Completion(text, 5, finished=True, log_probability=-1.0) for text in texts])
        return found

    @staticmethod
    def step(state):
        """What to do in a state, in the words of the grammar."""
        if state.kind is Kind.DECISION:
            queries = ["author of Ulysses", "James Joyce born"]
            return f"search: {queries[len(state.rounds)]}" if len(state.rounds) < len(queries) else "stop"
        if state.kind is Kind.SUMMARY:
            return f"[{state.results[0].link}] => {state.results[0].text}"
        if state.kind is Kind.ANSWER:
            return f"{state.rounds[-1].summary.split()[-1].strip('.')} [{state.rounds[-1].links[0]}]"
        return "pass"

    def score(self, prompts, options):
        """As a ranker of candidates: the shorter the better."""
        return [[-float(len(option)) for option in some] for some in options]

    def next_token(self, prompts, *, most=None):
        """Nobody asks for it here."""
        raise NotImplementedError


# %% [markdown]
# The agent answers from the folder, step by step.

# %%
scratch = tempfile.TemporaryDirectory()
folder = Path(scratch.name)
(folder / "docs").mkdir()
for title, text in DOCUMENTS.items():
    (folder / "docs" / title).write_text(text, encoding="utf-8")
model = Script("script", "script")
agent = SearchAgent(model, read_documents(folder / "docs", words=8), Settings(searches=3, samples=3))
(trajectory,) = agent.ask([QUESTION])
for step in trajectory.steps:
    print(f"{step.state.kind:>10}: {step.text}")
print(f"answer: {trajectory.final}, after {trajectory.searches} searches")

# %% [markdown]
# Trajectories become the training data of the next generation: of each step the candidate that the ranker
# takes, whether the answer was right or not.

# %%
save_trajectories([trajectory], folder / "generation0.jsonl")
examples = improve(load_trajectories(folder / "generation0.jsonl"), ranker=model)
save_examples(examples, folder / "training.jsonl")
lines = (folder / "training.jsonl").read_text(encoding="utf-8").splitlines()
print(f"{len(lines)} training rows from {len(trajectory.steps)} steps")
scratch.cleanup()
