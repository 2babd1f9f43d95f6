"""The tasks of IL-Bench: learn from labelled texts, and label others.

Parts of the scores, one row an input with ``unit_id``, ``correct`` (0 or 1) and ``calls`` (executor calls
that the answer took): ``test``; ``train``; the shifted sets ``order``, ``json``, ``sentence``, ``margin`` and
``nuisance``; ``transfer`` (the same program, run by another executor); ``proxy`` (the printed program,
read again and followed exactly). Besides: ``search`` (one row: what the search asked and found),
``growth`` (one row for each expansion) and ``program`` (one row for each module, to be drawn).
"""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Literal

from harness.method import Context, ProblemError, Scores, Task, param
from methods.il_bench.models import READER, WRITER, Speaker
from methods.il_bench.problem import Budget, Learned, ProgramProblem, Spent, open_executor

if TYPE_CHECKING:
    from methods.il_bench.asking import Executor
    from methods.il_bench.items import Benchmark
    from methods.il_bench.symbols import Table


@dataclass(frozen=True, kw_only=True)
class Learning(Task[ProgramProblem, Learned]):
    """Label the texts of a benchmark.

    Attributes:
        writer: Writes instructions.
        reader: Follows them.
        other: Follows the finished program, too: part ``transfer``.
    """

    writer: Speaker = WRITER
    reader: Speaker = READER
    other: Speaker | None = None
    options: bool = param(default=False, source="ours", doc="choose the likeliest label")
    budget: int = param(32, source="card, section 8", doc="requests to the learner")
    shifted: bool = param(default=False, source="card, section 9", doc="score the shifted sets")
    proxy: bool = param(default=False, source="card, section 9", doc="follow the printed program exactly")
    drawn: bool = param(default=False, source="ours", doc="rows of the program for a drawing")

    @abstractmethod
    def benchmark(self, ctx: Context) -> Benchmark:
        """The items of this seed."""

    def problem(self, ctx: Context) -> ProgramProblem:
        """Training and validation items; test items are not part of it."""
        found = self.benchmark(ctx)
        return ProgramProblem(
            question=found.question,
            labels=found.labels,
            train=found.train,
            validation=found.validation,
            writer=self.writer,
            reader=self.reader,
            options=self.options,
            budget=self._budget(found),
        )

    def evaluate(self, result: Learned, ctx: Context) -> Scores:
        """Let the predictor label all sets; during a search, the test set alone, in one row.

        Raises:
            ProblemError: If the search asked more than it may.
        """
        from methods.il_bench import scoring

        found = self.benchmark(ctx)
        self._check_budget(result.spent, found)
        executor = result.executor or self._executor(self.reader, found, result, ctx)
        if ctx.stage == "tune":
            return Scores({"validation": scoring.rows(result.predictor, found.validation, executor)})
        tested = scoring.rows(result.predictor, found.test, executor)
        if not result.finished:
            return Scores({"main": scoring.average(tested, result, len(found.train))})
        parts: dict[str, Any] = {"test": tested}
        parts["train"] = scoring.rows(result.predictor, found.train, executor)
        if self.shifted:
            parts |= {
                name: scoring.rows(result.predictor, items, executor) for name, items in found.shifted.items()
            }
        if self.other is not None:
            other = self.stranger(self.other, found, result, ctx)
            parts["transfer"] = scoring.rows(result.predictor, found.test, other)
        return Scores(parts | self._of_program(result, found, executor, tested))

    def _of_program(
        self, result: Learned, found: Benchmark, executor: Executor, tested: dict[str, list[Any]]
    ) -> dict[str, Any]:
        """What can be said of a search and of the program that it found."""
        from methods.il_bench import exhibit, scoring

        parts: dict[str, Any] = {"search": scoring.search_row(result, tested, executor)}
        if result.growth:
            parts["growth"] = scoring.growth_rows(result.growth, found.train, executor)
        program = result.predictor.program
        if program is None:
            return parts
        if self.proxy and scoring.has_rules(program):
            parts["proxy"] = scoring.proxy_rows(program, found)
        if self.drawn:
            parts["program"] = exhibit.program_rows(program, found.train, executor)
        return parts

    def stranger(self, other: Speaker, found: Benchmark, result: Learned, ctx: Context) -> Executor:
        """The executor of ``transfer``; a negative control changes it."""
        return self._executor(other, found, result, ctx)

    def _executor(self, reader: Speaker, found: Benchmark, result: Learned, ctx: Context) -> Executor:
        return open_executor(reader, found.labels, ctx, options=self.options, new_tokens=result.new_tokens)

    def _budget(self, found: Benchmark) -> Budget:
        # Each proposal may be tried on every item that can be learnt from or chosen by.
        return Budget(self.budget, self.budget * (len(found.train) + len(found.validation)))

    def _check_budget(self, spent: Spent, found: Benchmark) -> None:
        allowed = self._budget(found)
        if spent.learner > allowed.learner or spent.executor > allowed.executor:
            raise ProblemError(
                f"The search asked the learner {spent.learner} times and the executor {spent.executor} "
                f"times; {allowed.learner} and {allowed.executor} are allowed",
                where=type(self).__name__,
                fix="Stop at `learner.left == 0`, and try no proposal on more than the given items.",
            )


@dataclass(frozen=True, kw_only=True)
class SynTreeTask(Learning):
    """SynTree: labels by a hidden tree over symbolic variables, a fresh one for each seed."""

    depth: int = param(2, source="card, section 9", doc="D: variables asked on each path")
    variables: int = param(6, source="card, section 9", doc="d: variables of an input")
    values: int = param(3, source="ours: card, section 9", doc="v: values of a variable")
    labels: int = param(3, source="card, section 9", doc="K: labels")
    train: int = param(400, source="card, section 9", doc="items to learn from")
    validation: int = param(100, source="ours", doc="items to choose by")
    test: int = param(1000, source="card, section 9", doc="items of the test and of each shifted set")

    def benchmark(self, ctx: Context) -> Benchmark:
        """See :class:`Learning`."""
        sizes = (self.depth, self.variables, self.values, self.labels, self.train, self.validation, self.test)
        return _syntree(sizes, _entropy(ctx))


@dataclass(frozen=True, kw_only=True)
class WaveformTask(Learning):
    """Breiman's waveforms, each of 21 values low, middle or high; fresh draws for each seed."""

    train: int = param(300, source="Breiman et al. (1984)", doc="items to learn from")
    validation: int = param(100, source="ours", doc="items to choose by")
    test: int = param(500, source="ours", doc="items of the test")

    def benchmark(self, ctx: Context) -> Benchmark:
        """See :class:`Learning`."""
        return _waveform((self.train, self.validation, self.test), _entropy(ctx))


@dataclass(frozen=True, kw_only=True)
class TableTask(Learning):
    """A data set of scikit-learn in symbols, with anonymous names; a fresh split for each seed."""

    table: Literal["iris", "wine", "breast cancer", "digits"] = param(
        "iris", source="ours", doc="which data set"
    )
    train: int = param(80, source="ours", doc="items to learn from")
    validation: int = param(20, source="ours", doc="items to choose by; the rest is the test set")

    def benchmark(self, ctx: Context) -> Benchmark:
        """See :class:`Learning`."""
        return _table(self.table, self.train, self.validation, _entropy(ctx))


@dataclass(frozen=True, kw_only=True)
class DigitsTask(TableTask):
    """Digits of three shapes that are easily confused, in cells of 2 × 2 pixels."""

    table: Literal["iris", "wine", "breast cancer", "digits"] = param(
        "digits", source="ours", doc="which data set"
    )
    train: int = param(250, source="ours", doc="items to learn from")
    validation: int = param(50, source="ours", doc="items to choose by; the rest is the test set")


def _entropy(ctx: Context) -> int:
    """A number that names the draw, so that the same items need not be made for each evaluation."""
    return int(ctx.rng("benchmark").integers(2**62))


@lru_cache(maxsize=2)
def _syntree(sizes: tuple[int, ...], entropy: int) -> Benchmark:
    import numpy as np

    from methods.il_bench.syntree import SynTree, make_syntree

    return make_syntree(SynTree(*sizes), np.random.default_rng(entropy))[0]


@lru_cache(maxsize=2)
def _waveform(sizes: tuple[int, int, int], entropy: int) -> Benchmark:
    import numpy as np

    from methods.il_bench.symbols import make_waveform

    return make_waveform(*sizes, np.random.default_rng(entropy))


@lru_cache(maxsize=2)
def _table(table: Table, train: int, validation: int, entropy: int) -> Benchmark:
    import numpy as np

    from methods.il_bench.symbols import make_table

    return make_table(table, train, validation, np.random.default_rng(entropy))
