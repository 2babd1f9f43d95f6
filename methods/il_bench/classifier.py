"""LLM-symbolic programs as a classifier of scikit-learn, for tables and texts of one's own."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.utils.multiclass import check_classification_targets, unique_labels
from sklearn.utils.validation import check_is_fitted, validate_data

from harness.method import ProblemError, parsed_json
from methods.common.language_model import LanguageModel
from methods.common.own_models import checked_model
from methods.il_bench.asking import Executor, Learner
from methods.il_bench.columns import Column, column_of, text_of
from methods.il_bench.items import SYMBOLS, Item
from methods.il_bench.programs import calls, parse_program, print_program, run
from methods.il_bench.search import Search, learn_program
from methods.il_bench.surrogate import SurrogateExecutor, SurrogateLearner

_FORMAT = "corroborate-lsp-1"


class LSPClassifier(ClassifierMixin, BaseEstimator):  # type: ignore[misc]
    """A tree of instructions that a language model wrote and a language model follows.

    Args:
        learner: Writes instructions: a :class:`~methods.common.language_model.LanguageModel`, local or behind
            an endpoint. Without one a rule inducer stands in, which reads tables only.
        executor: Follows them; without one a rule interpreter stands in. It may be a smaller model.
        expansions: T, modules that are added one after the other, the first included.
        proposals: m, instructions tried for each.
        batch: b, examples shown for each.
        rules: Rules that an instruction may have.
        levels: Parts into which the range of a number is cut, at the training data's quantiles.
        options: Let the executor choose the likeliest label instead of reading its answer.
        new_tokens: Tokens of an answer.
        anonymous: Hide the names of classes behind words that mean nothing, as IL-Bench does.
        random_state: Seed of examples and stand-ins.

    Attributes:
        program_: The :class:`~methods.il_bench.programs.Node` that was learnt.
        classes_: Classes, in order.
        columns_: How each column is written for the models.
        spent_: Requests to the learner, questions to the executor, and answers that could not be read.
    """

    def __init__(
        self,
        learner: LanguageModel | None = None,
        executor: LanguageModel | None = None,
        *,
        expansions: int = 8,
        proposals: int = 4,
        batch: int = 64,
        rules: int = 3,
        levels: int = 3,
        options: bool = False,
        new_tokens: int = 16,
        anonymous: bool = False,
        random_state: int = 0,
    ) -> None:
        self.learner = learner
        self.executor = executor
        self.expansions = expansions
        self.proposals = proposals
        self.batch = batch
        self.rules = rules
        self.levels = levels
        self.options = options
        self.new_tokens = new_tokens
        self.anonymous = anonymous
        self.random_state = random_state

    def fit(self, X: Any, y: Any) -> Self:
        """Learn a program.

        Args:
            X: A table of numbers, or a frame of pandas with any columns but dates. A column of texts alone,
                also as a series or a list, is read as it is.
            y: Classes.

        Raises:
            ProblemError: If a size is below 1, a model cannot be asked, there are dates, more classes than
                words without a meaning, or texts and no language models.
        """
        self._check_options()
        X = _columned(X)
        _check_dates(X)
        table = self._table(X, reset=True, y=y)
        y = np.asarray(y).ravel()
        check_classification_targets(y)
        self.classes_ = unique_labels(y)
        names = self._feature_names(X, table.shape[1])
        self.columns_ = [column_of(name, table[:, place], self.levels) for place, name in enumerate(names)]
        if any(column.kind == "text" for column in self.columns_) and not (self.learner and self.executor):
            raise ProblemError(
                "Texts are read by language models, and a rule inducer stands in for one",
                where=next(column.name for column in self.columns_ if column.kind == "text"),
                fix="Give learner= and executor=, or leave the column out.",
            )
        words = class_words(self.classes_.tolist(), anonymous=self.anonymous)
        self._words = words
        lookup = dict(zip(self.classes_.tolist(), words, strict=True))
        items = [
            Item(str(row), text, lookup[label])
            for row, (text, label) in enumerate(zip(self._texts(table), y.tolist(), strict=True))
        ]
        search = Search(steps=self.expansions, proposals=self.proposals, batch=self.batch)
        labels = tuple(words)
        learner = Learner(self._learner(), labels, rules=self.rules)
        self._executor = self._follower(labels)
        rng = np.random.default_rng(self.random_state)
        self.program_, _ = learn_program(items, search, learner, self._executor, rng)
        self.spent_ = {
            "learner requests": learner.asked,
            "executor questions": self._executor.asked,
            "unreadable answers": self._executor.unreadable,
        }
        return self

    def predict(self, X: Any) -> NDArray[Any]:
        """The class of each row."""
        check_is_fitted(self, "program_")
        said = run(self.program_, self._texts(self._table(_columned(X), reset=False)), self._executor)
        place = {word: number for number, word in enumerate(self._words)}
        found: NDArray[Any] = self.classes_[[place[word] for word in said]]
        return found

    def calls(self, X: Any) -> list[int]:
        """How many questions each row's prediction takes."""
        check_is_fitted(self, "program_")
        return calls(self.program_, self._texts(self._table(_columned(X), reset=False)), self._executor)

    def __str__(self) -> str:
        """The program, for people, once it is learnt."""
        return print_program(self.program_) if hasattr(self, "program_") else super().__str__()

    def dot(self) -> str:
        """The program as a graph in the language of Graphviz."""
        check_is_fitted(self, "program_")
        lines = ["digraph program {", "  node [shape=box, fontname=sans-serif];"]
        names: dict[tuple[str, ...], str] = {}
        for path, node in self.program_.modules():
            names[path] = f"n{len(names)}"
            lines.append(f"  {names[path]} [label={_quoted(node.instruction, lines='l')}];")
            if path:
                lines.append(f"  {names[path[:-1]]} -> {names[path]} [label={_quoted(path[-1])}];")
            for word in self._words:
                if word not in node.children:
                    end = f"{names[path]}_{self._words.index(word)}"
                    lines.append(f"  {end} [shape=plaintext, label={_quoted(word)}];")
                    lines.append(f"  {names[path]} -> {end};")
        return "\n".join([*lines, "}"]) + "\n"

    def save(self, path: Path) -> None:
        """Write the program and how columns and classes are written, as JSON; models are not kept."""
        check_is_fitted(self, "program_")
        content = {
            "format": _FORMAT,
            "program": print_program(self.program_),
            "classes": self.classes_.tolist(),
            "words": list(self._words),
            "columns": [column.plain() for column in self.columns_],
            "features": getattr(self, "feature_names_in_", np.array([])).tolist(),
            "options": {"options": self.options, "new_tokens": self.new_tokens},
        }
        path.write_text(json.dumps(content, indent=2), encoding="utf-8")

    @classmethod
    def load(cls, path: Path, executor: LanguageModel | None = None) -> Self:
        """A classifier from what :meth:`save` wrote.

        Args:
            path: The file; the program in it may have been changed by hand.
            executor: Who follows its instructions.

        Raises:
            ProblemError: If the file is another one, or its program cannot be read.
        """
        try:
            content = parsed_json(path.read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            raise ProblemError(f"The file cannot be read: {error}", where=str(path)) from error
        if not isinstance(content, dict) or content.get("format") != _FORMAT:
            raise ProblemError("The file holds no program", where=str(path), fix="Give what save() wrote.")
        made = cls(executor=executor, **content["options"])
        made.program_ = parse_program(content["program"])
        made.classes_ = np.array(content["classes"])
        made.columns_ = [Column(**column) for column in content["columns"]]
        made.n_features_in_ = len(made.columns_)
        if content["features"]:
            made.feature_names_in_ = np.array(content["features"], dtype=object)
        made._words = content["words"]
        made._executor = made._follower(tuple(made._words))
        return made

    def _check_options(self) -> None:
        for name in ("expansions", "proposals", "batch"):
            if (value := getattr(self, name)) < 1:
                raise ProblemError(f"{name} = {value}", where="LSPClassifier", fix="Set it to at least 1.")
        for name in ("learner", "executor"):
            if (model := getattr(self, name)) is not None:
                checked_model(model, f"LSPClassifier: {name}")

    def _table(self, X: Any, *, reset: bool, y: Any = "no_validation") -> NDArray[Any]:
        """The rows as an array; of numbers where all columns are numbers, else of objects."""
        mixed = any(not np.issubdtype(kind, np.number) for kind in _kinds(X))
        how: dict[str, Any] = {"dtype": None, "ensure_all_finite": not mixed}
        if isinstance(y, str):
            return np.asarray(validate_data(self, X, reset=reset, **how))
        return np.asarray(validate_data(self, X, y, reset=reset, **how)[0])

    def _feature_names(self, X: Any, count: int) -> list[str]:
        known = getattr(X, "columns", None)
        return [f"x{place + 1}" for place in range(count)] if known is None else [str(one) for one in known]

    def _texts(self, table: NDArray[Any]) -> list[str]:
        return [text_of(self.columns_, row) for row in table]

    def _learner(self) -> LanguageModel:
        identity = f"rule inducer {self.random_state}"
        return self.learner or SurrogateLearner("rule inducer", identity, capacity=self.rules)

    def _follower(self, labels: tuple[str, ...]) -> Executor:
        model = self.executor or SurrogateExecutor("rule interpreter", "rule interpreter", error=0.0)
        return Executor(model, labels, options=self.options, new_tokens=self.new_tokens)


def class_words(classes: Sequence[Any], *, anonymous: bool) -> list[str]:
    """A word for each class, by which models name it: its own name, if that is one word, or a made-up one.

    Raises:
        ProblemError: If words without a meaning are wanted for more classes than there are.
    """
    if anonymous:
        if len(classes) > len(SYMBOLS):
            raise ProblemError(
                f"There are {len(classes)} classes, and {len(SYMBOLS)} words without a meaning",
                where="anonymous",
                fix="Use the classes' own names: anonymous=False.",
            )
        return list(SYMBOLS[: len(classes)])
    words = [re.sub(r"\W+", "_", str(one)).strip("_") for one in classes]
    # A number alone would be read out of any answer with a number in it.
    words = [word if re.match(r"[^\W\d]", word) else f"class_{word}" for word in words]
    lowered = [word.lower() for word in words]
    return words if len(set(lowered)) == len(words) else [f"class_{number}" for number in range(len(words))]


def _columned(X: Any) -> Any:
    """Texts alone as a column, as scikit-learn's readers of texts take them; anything else as it is."""
    if getattr(X, "ndim", 0) == 1 and hasattr(X, "to_frame"):
        return X.to_frame(str(getattr(X, "name", None) or "text"))
    if isinstance(X, list | tuple) and X and all(isinstance(one, str) for one in X):
        return np.array(X, dtype=object)[:, None]
    return X


def _check_dates(X: Any) -> None:
    """Refuse columns of dates, each of which would be a word of its own that programs learn by heart."""
    for name, kind in getattr(X, "dtypes", {}).items() if hasattr(X, "columns") else ():
        if str(kind).startswith(("datetime", "timedelta", "period")):
            raise ProblemError(
                f"The column '{name}' holds dates or times",
                where="LSPClassifier.fit",
                fix="Turn it into numbers or words that rules can name, such as days, a month or a weekday.",
            )


def _kinds(X: Any) -> list[Any]:
    kinds = getattr(X, "dtypes", None)
    if kinds is not None:
        return [kind if isinstance(kind, np.dtype) else np.dtype(object) for kind in kinds]
    return [np.asarray(X).dtype] if not hasattr(X, "toarray") else [X.dtype]


def _quoted(text: str, lines: str = "n") -> str:
    """A string of Graphviz; ``lines`` aligns them: n in the middle, l at the left."""
    plain = text.replace("\\", "\\\\").replace('"', '\\"')
    return '"' + "".join(f"{line}\\{lines}" for line in plain.split("\n")).removesuffix("\\n") + '"'
