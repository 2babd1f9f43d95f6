#!/bin/sh
# lm-eval 0.4.13 takes a gold text in brackets for Python, so that right answers score 0.
#
# A task asks for lists ("Sort 3, 1, 2"), its gold texts are "[1, 2, 3]" and the like, and
# doc_to_target is the template "{{answer}}". The model answers every question with the very gold text.
# Usual expectation: exact_match is 1.0 for each. Seen: the rendered text is passed to
# ast.literal_eval. If the first gold becomes a list, all golds are taken for lists of alternatives (plain
# ones for lists of letters), and every answer scores 0.0; if not, a list is turned back into a text,
# which is right only by chance of its blanks.
# A column's name in place of the template ("answer") is taken as it is, and scores 1.0.
set -eu
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
"${PYTHON:-python3}" -m venv venv
venv/bin/pip install -qq --disable-pip-version-check "lm-eval==0.4.13"
cat > check.py <<'END'
from importlib.metadata import version

import datasets
from lm_eval import simple_evaluate
from lm_eval.api.model import LM
from lm_eval.api.task import ConfigurableTask


class Perfect(LM):
    """Answers each question with the text of its gold."""

    def generate_until(self, requests, **_):
        return [request.doc["answer"] for request in requests]

    def loglikelihood(self, requests, **_):
        raise NotImplementedError

    loglikelihood_rolling = loglikelihood


def scores(golds, target):
    rows = [{"question": f"Question {n}", "answer": gold} for n, gold in enumerate(golds)]
    config = {
        "task": "lists",
        "custom_dataset": lambda **_: datasets.DatasetDict(test=datasets.Dataset.from_list(rows)),
        "output_type": "generate_until",
        "test_split": "test",
        "doc_to_text": "{{question}} =",
        "doc_to_target": target,
        "generation_kwargs": {"until": ["\n"]},
        "metric_list": [{"metric": "exact_match", "aggregation": "mean", "higher_is_better": True}],
    }
    found = simple_evaluate(Perfect(), tasks=[ConfigurableTask(config=config)], bootstrap_iters=0)
    return [float(sample["exact_match"]) for sample in found["samples"]["lists"]]


template, column = "{{answer}}", "answer"
cases = [
    (["[1, 2, 3]", "[4, 5]", "none"], template, [0.0, 0.0, 0.0]),
    (["none", "[1, 2, 3]", "[4,5]"], template, [1.0, 1.0, 0.0]),
    (["[1, 2, 3]", "[4,5]", "none"], column, [1.0, 1.0, 1.0]),
]
print("lm-eval", version("lm-eval"))
print("Expected of a model that answers with the gold texts: exact_match 1.0 for every question.")
same = True
for golds, target, wanted in cases:
    seen = scores(golds, target)
    print(f"Seen with doc_to_target {target!r} and golds {golds}: {seen}")
    same = same and seen == wanted
raise SystemExit(0 if same else "The behaviour has changed.")
END
venv/bin/python check.py 2> log || { tail -n 5 log >&2; exit 1; }
