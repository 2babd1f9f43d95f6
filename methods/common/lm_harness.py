r"""A tuned model under the Language Model Evaluation Harness (lm-eval).

Tasks are YAML files of a suite. Their data come through :func:`provided`, named there as
``custom_dataset: !function methods.common.lm_harness.provided``, so one file serves every source
that our resource has (mirror, cache, hub)::

    task: arc_easy
    custom_dataset: !function methods.common.lm_harness.provided
    dataset_kwargs: {name: arc-easy, splits: [test]}
    output_type: multiple_choice
    test_split: test
    doc_to_text: "Question: {{question}}\nAnswer:"
    doc_to_choice: options
    doc_to_target: answer

Golds are named as columns or given by functions, never as templates: lm-eval evaluates the text of
a template that stands in brackets, so that "[1, 2]" would be two right answers.

Needs the extra ``lm``; nothing of it is imported before :func:`evaluate` is called.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from functools import lru_cache
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np

from harness.method import ProblemError, ResourceError, Table
from methods.common import numbers
from methods.common.datasets import DataSet
from methods.common.examples import Cut

_PART = 20_000
"""Rows of a split that does not fit into memory."""
_DATA: ContextVar[Mapping[str, DataSet[Any]] | None] = ContextVar("data sets of lm-eval tasks", default=None)


@dataclass(frozen=True)
class Options:
    """How to evaluate.

    Attributes:
        few_shot: Solved examples before each question; None takes what the task file says.
        limit: Questions of each task; None takes all.
        batch: Rows at once. lm-eval sorts all questions of its tasks into batches itself; they are the
            same for the same tasks and limits, and nothing is kept from one evaluation for another.
        seed: Draws the solved examples.
        cut: Counts prompts that are longer than the model's context, of which lm-eval keeps the
            end; None refuses them.
    """

    few_shot: int | None = None
    limit: int | None = None
    batch: int = 32
    seed: int = 0
    cut: Cut | None = None


def evaluate(
    model: Any,
    tokenizer: Any,
    folder: Path,
    data: Mapping[str, DataSet[Any]],
    *,
    tasks: Sequence[str] = (),
    options: Options | None = None,
) -> dict[str, Table]:
    """Answer the tasks of ``folder`` with a model in memory.

    Args:
        model: A language model of ``transformers``, with or without adapters inside.
        tokenizer: Its tokenizer.
        folder: Holds the task files.
        data: The data sets that the task files name.
        tasks: Names of tasks; all of the folder's if empty.
        options: How to evaluate.

    Returns:
        By task, one row a question: ``unit_id``, ``answer``, ``gold`` and a column for each of the
        task's metrics, ready to be a part of a task's scores.

    Raises:
        ResourceError: If lm-eval is not installed.
        ProblemError: If a task file is missing, names a data set that is not given, or gives
            prompts that are too long.
    """
    simple_evaluate, manager_type, wrapper = _library()
    chosen = options or Options()
    if chosen.cut is not None and chosen.cut.keep != "end":
        raise ProblemError(
            "lm-eval keeps the end of long prompts", where="Options.cut", fix="Use keep='end'."
        )
    manager = manager_type(include_path=str(folder), include_defaults=False)
    names = list(tasks) or sorted(manager.all_tasks)
    if missing := sorted(set(names) - set(manager.all_tasks)):
        known = ", ".join(sorted(manager.all_tasks)) or "none"
        raise ProblemError(
            f"No task file for {', '.join(missing)}", where=str(folder), fix=f"It has: {known}."
        )
    training = model.training
    wrapped = wrapper(pretrained=model.eval(), tokenizer=tokenizer, batch_size=chosen.batch)
    _watch_lengths(wrapped, chosen.cut)
    with _given(data):
        found = simple_evaluate(
            model=wrapped,
            tasks=names,
            num_fewshot=chosen.few_shot,
            limit=chosen.limit,
            bootstrap_iters=0,
            task_manager=manager,
            # The trial's own generators are seeded already, and are left alone.
            random_seed=None,
            numpy_random_seed=None,
            torch_random_seed=None,
            fewshot_random_seed=chosen.seed,
        )
    model.train(training)
    return {name: _rows(found["samples"][name]) for name in names}


def provided(*, name: str, splits: Sequence[str], **_: Any) -> Any:
    """The data of a task file: the resource called ``name``, as ``datasets.DatasetDict``.

    Args:
        name: Name of the resource.
        splits: Its splits that the task uses.

    Raises:
        ProblemError: If :func:`evaluate` was not given this resource.
    """
    import datasets

    data = _DATA.get() or {}
    if name not in data:
        raise ProblemError(
            f"The task needs the data set '{name}', which was not given",
            where="dataset_kwargs of the task file",
            fix=f"Declare the resource in the experiment's task. Given: {', '.join(sorted(data)) or 'none'}.",
        )
    return datasets.DatasetDict({split: _table(data[name], split) for split in splits})


def same_number(references: Sequence[str], predictions: Sequence[str]) -> float:
    """A metric of task files: whether a generated text is the gold number, in whatever notation."""
    return float(numbers.same_number(predictions[0], references[0]))


def same_text(references: Sequence[str], predictions: Sequence[str]) -> float:
    """A metric of task files: whether a generated text is the gold text, apart from surrounding blanks.

    Most tokenizers begin a generated text with a blank, so lm-eval's ``exact_match`` would never hold.
    """
    return float(predictions[0].strip() == references[0].strip())


def first_answer(row: Mapping[str, Any]) -> str:
    """The gold of task files about questions with several right answers."""
    return str(row["answers"][0])


@lru_cache(maxsize=32)
def _table(data: DataSet[Any], split: str) -> Any:
    """One split for lm-eval; tables cannot be changed, so all tasks and calls share them."""
    import datasets

    rows: Iterable[Any]
    if data.is_large(split):
        # Solved examples and questions come from a part of it, the same for all models and seeds.
        rows = islice(data.drawn(split, np.random.default_rng(0), _PART), _PART)
    else:
        rows = data[split]
    return datasets.Dataset.from_list([vars(row) for row in rows])


@contextmanager
def _given(data: Mapping[str, DataSet[Any]]) -> Iterator[None]:
    token = _DATA.set(data)
    try:
        yield
    finally:
        _DATA.reset(token)


def _library() -> tuple[Any, Any, Any]:
    try:
        from lm_eval import simple_evaluate
        from lm_eval.models.huggingface import HFLM
        from lm_eval.tasks import TaskManager
    except ImportError as error:
        raise ResourceError(
            "The Language Model Evaluation Harness is not installed",
            where=str(error),
            fix="Install the extra: pip install 'corroborate[lm,small]'.",
        ) from error
    return simple_evaluate, TaskManager, HFLM


def _watch_lengths(wrapped: Any, cut: Cut | None) -> None:
    """Refuse or count prompts that lm-eval would cut with no more than a warning in its log."""
    score, write = wrapped.loglikelihood, wrapped.generate_until

    def loglikelihood(requests: Sequence[Any], **options: Any) -> Any:
        for request in requests:
            # The last token is predicted, not read.
            _count(wrapped, request, "".join(request.args), wrapped.max_length + 1, cut)
        return score(requests, **options)

    def generate_until(requests: Sequence[Any], **options: Any) -> Any:
        for request in requests:
            text, settings = request.args
            room = wrapped.max_length - int(settings.get("max_gen_toks", wrapped.max_gen_toks))
            _count(wrapped, request, text, room, cut)
        return write(requests, **options)

    wrapped.loglikelihood, wrapped.generate_until = loglikelihood, generate_until


def _count(wrapped: Any, request: Any, text: str, room: int, cut: Cut | None) -> None:
    tokens = wrapped.tok_encode(text)
    if cut is not None:
        cut(tokens, room)
    elif len(tokens) > room:
        raise ProblemError(
            f"A prompt has {len(tokens)} tokens, and the model's context has room for {room}",
            where=f"task {request.task_name}, question {request.doc_id}",
            fix="Use fewer solved examples, or give a `Cut(keep='end')` that counts what is cut.",
        )


def _rows(samples: list[dict[str, Any]]) -> Table:
    samples = sorted(samples, key=lambda sample: sample["doc_id"])
    # Corpus metrics (BLEU) keep texts by question, not numbers; they are computed from the answers.
    first = samples[0] if samples else {"metrics": []}
    metrics = [name for name in sorted(first["metrics"]) if not isinstance(first[name], tuple | list)]
    return {
        "unit_id": [str(sample["doc"].get("id", sample["doc_id"])) for sample in samples],
        "answer": [_answer(sample) for sample in samples],
        "gold": [str(sample["target"]) for sample in samples],
        **{metric: [float(sample[metric]) for sample in samples] for metric in metrics},
    }


def _answer(sample: dict[str, Any]) -> str:
    """The text that was generated, or the index of the most probable option."""
    found = sample["filtered_resps"]
    if isinstance(found[0], str):
        return found[0]
    scores = [score for score, _ in found]
    return str(max(range(len(scores)), key=scores.__getitem__))
