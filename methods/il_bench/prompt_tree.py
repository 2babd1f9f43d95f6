"""Tree Prompting: a decision tree whose tests are answers to instructions (arXiv 2310.14034)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from methods.il_bench.asking import Executor
from methods.il_bench.items import Item
from methods.il_bench.predictors import Ask, PromptTree


def fit_prompt_tree(
    pool: Sequence[str], items: Sequence[Item], executor: Executor, leaves: int
) -> PromptTree:
    """Fit CART on which label each instruction of the pool gives to each item.

    The tests that are fitted are the tests that are asked afterwards: official code encodes answers for
    fitting and forgets to for predicting.

    Args:
        pool: Instructions.
        items: Training items.
        executor: Answers.
        leaves: Most leaves of the tree.
    """
    from sklearn.tree import DecisionTreeClassifier

    texts = [item.text for item in items]
    tests = [(instruction, label) for instruction in pool for label in executor.labels]
    said = {instruction: executor(instruction, texts) for instruction in pool}
    given = np.array([[label == one for one in said[instruction]] for instruction, label in tests])
    tree = DecisionTreeClassifier(max_leaf_nodes=max(2, leaves), random_state=0)
    tree.fit(given.T.astype(np.float32), [item.label for item in items])
    return PromptTree(_node(tree.tree_, [str(one) for one in tree.classes_], tests, 0))


def _node(tree: Any, labels: Sequence[str], tests: Sequence[tuple[str, str]], place: int) -> Ask:
    no, yes = int(tree.children_left[place]), int(tree.children_right[place])
    if no == yes:
        return Ask("", labels[int(tree.value[place].argmax())])
    instruction, label = tests[int(tree.feature[place])]
    return Ask(instruction, label, _node(tree, labels, tests, yes), _node(tree, labels, tests, no))
