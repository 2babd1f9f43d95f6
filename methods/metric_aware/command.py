"""``corroborate decide``: what is best for a metric, from distributions, samples, or a served model."""

from __future__ import annotations

import argparse
import csv
import re
from collections.abc import Sequence
from io import StringIO
from itertools import pairwise
from pathlib import Path

import numpy as np

from harness.method import ProblemError
from methods.common.language_model.capabilities import Need
from methods.common.outcome import put, say
from methods.common.own_endpoint import add_endpoint, named_endpoint
from methods.common.own_tables import read_table
from methods.metric_aware.deciding import METRICS, MetricAware, decisions, from_answers
from methods.metric_aware.distributions import Floats, Predictive, from_scores, read_samples

_NEEDS: dict[str, tuple[Need, ...]] = {
    "score": ("score",),
    "next-token": ("next-token",),
    "sample": ("sample", "several"),
}
"""What is needed of a server, by how it is asked."""
PROMPT = "prompt"
"""The column of prompts."""
_SUM = 1e-3
"""Probabilities of a row that sum to 1 but for this are whole."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument(
        "table",
        type=Path,
        metavar="FILE",
        help=".csv or .tsv; columns named by numbers hold their probabilities, or sample1, ... answers; "
        "with --endpoint a column 'prompt' what a model is asked",
    )
    parser.add_argument("--metric", required=True, metavar="METRIC", help=f"one of {', '.join(METRICS)}")
    parser.add_argument("--logs", action="store_true", help="the numbers are log-probabilities, in nats")
    parser.add_argument(
        "--grid", metavar="VALUES", help="the values, as 1,2,3,4,5: needed for samples and servers"
    )
    add_endpoint(parser)
    parser.add_argument(
        "--how",
        choices=tuple(_NEEDS),
        default="score",
        help="how a served model is asked: the probability of each value's text, that of the next token (for "
        "values of one character), or by counting sampled answers (default: score)",
    )
    parser.add_argument("--temperature", type=float, default=1.0, help="of log-probabilities (default 1)")
    parser.add_argument("--out", type=Path, metavar="FILE", help="write there instead of printing")
    parser.add_argument("--force", action="store_true", help="write over the file if it exists")


def main(args: argparse.Namespace) -> None:
    """Read, decide, and write the table with a column ``decision``."""
    header, rows = read_table(args.table, verbatim=PROMPT)
    if "decision" in header:
        raise ProblemError("The table has a column 'decision' already", where=str(args.table))
    predicted = _predicted(args, header, rows)
    found = decisions(predicted, args.metric)
    table = StringIO()
    lines = [[*row, f"{value:.10g}"] for (_, row), value in zip(rows, found, strict=True)]
    csv.writer(table, lineterminator="\n").writerows([[*header, "decision"], *lines])
    put(table.getvalue(), args.out, force=args.force)
    grid = f"{predicted.values[0]:g} to {predicted.values[-1]:g}"
    say(f"{len(rows)} decisions for {args.metric} on {len(predicted.values)} values from {grid}")


def _predicted(
    args: argparse.Namespace, header: Sequence[str], rows: Sequence[tuple[int, list[str]]]
) -> Predictive:
    if args.endpoint or args.model:
        return _asked(args, header, rows)
    samples = [at for at, name in enumerate(header) if name.lower().startswith("sample")]
    wanted = _values(args.grid) if args.grid else None
    named = {at: value for at, name in enumerate(header) if (value := _number(name)) is not None}
    grid = {at: value for at, value in named.items() if wanted is None or value in wanted}
    if samples and not grid:
        return _from_samples([(line, [row[at] for at in samples if row[at]]) for line, row in rows], args)
    if wanted and (lacking := [value for value in wanted if value not in grid.values()]):
        raise ProblemError(
            f"The table has no column for {', '.join(f'{value:g}' for value in lacking)}",
            where=f"{args.table}: {', '.join(header)[:200]}",
            fix="Give the grid of the table's columns.",
        )
    if len(grid) < 2:
        raise ProblemError(
            "The table has no columns that are named by values",
            where=f"{args.table}: {', '.join(header)[:200]}",
            fix="Name columns 1, 2, 3, ... with their probabilities, or sample1, sample2, ... with answers.",
        )
    order = sorted(grid, key=lambda at: grid[at])
    values = [grid[at] for at in order]
    if twice := [value for value, next_ in pairwise(values) if value == next_]:
        raise ProblemError(f"Two columns are named {twice[0]:g}", where=str(args.table))
    numbers = np.array([[_cell(row[at], args.table, line) for at in order] for line, row in rows])
    return _checked(numbers, values, args, [line for line, _ in rows])


def _from_samples(rows: Sequence[tuple[int, list[str]]], args: argparse.Namespace) -> Predictive:
    values = _grid(args)
    answers = [row for _, row in rows]
    found = from_answers(answers, values, [f"{args.table.name}, line {line}," for line, _ in rows])
    given = sum(map(len, answers))
    read = sum(map(len, read_samples(answers, low=values[0], high=values[-1]).numbers))
    if read < given:
        ends = f"{values[0]:g} to {values[-1]:g}"
        say(f"{given - read} of {given} answers state no number from {ends}: left out")
    return found


def _asked(
    args: argparse.Namespace, header: Sequence[str], rows: Sequence[tuple[int, list[str]]]
) -> Predictive:
    """The distributions of a served model after the prompts of a table."""
    grid = _grid(args)
    if PROMPT not in header:
        raise ProblemError(
            f"The table has no column '{PROMPT}'",
            where=f"{args.table}: {', '.join(header)[:200]}",
            fix="Put what the model is asked there; it ends where the answer begins.",
        )
    model = named_endpoint(args, _NEEDS[args.how])
    at = header.index(PROMPT)
    predicted = MetricAware(model, grid=grid, metric=args.metric, how=args.how).predict(
        [row[at] for _, row in rows]
    )
    assert model is not None
    usage = model.usage
    say(
        f"{usage.requests} requests to {args.model}, {usage.retries} of them repeated; "
        f"{usage.prompt_tokens} tokens read, {usage.completion_tokens} written"
    )
    return predicted


def _grid(args: argparse.Namespace) -> list[float]:
    if not args.grid:
        raise ProblemError(
            "Which values answers may have is not said", where="--grid", fix="Add --grid 1,2,3,4,5."
        )
    return _values(args.grid)


def _checked(
    numbers: Floats, values: Sequence[float], args: argparse.Namespace, lines: Sequence[int]
) -> Predictive:
    if args.logs:
        bad = ~np.isfinite(numbers).any(axis=1) | (numbers > _SUM).any(axis=1) | np.isnan(numbers).any(axis=1)
    else:
        bad = (numbers < 0).any(axis=1) | ~np.isfinite(numbers).all(axis=1) | (numbers.sum(axis=1) == 0)
        bad |= numbers.sum(axis=1) > 1 + _SUM
    if bad.any():
        row = int(bad.argmax())
        told, fix = _fault(numbers[row], logs=args.logs)
        columns = ", ".join(f"{value:g}" for value in values)
        raise ProblemError(
            f"The columns {columns} hold {told}", where=f"{args.table}, line {lines[row]}", fix=fix
        )
    if args.logs:
        return from_scores(values, numbers, temperature=args.temperature)
    if args.temperature != 1:
        raise ProblemError("A temperature needs log-probabilities", where="--temperature", fix="See --logs.")
    mass = numbers.sum(axis=1)
    if (mass < 1 - _SUM).any():
        say(f"rows give the grid {mass.min():.3g} to {mass.max():.3g}; decisions are given that it is on it")
    return Predictive(np.asarray(values), numbers, mass).renormalised


def _fault(row: Floats, *, logs: bool) -> tuple[str, str]:
    """What is wrong with a row, and what to do."""
    if np.isnan(row).any():
        return "no number", "Leave the row out, or fill in what is missing."
    if logs:
        if not np.isfinite(row).any():
            return "no finite log-probability", "Leave the row out."
        return f"{row.max():g}, and log-probabilities are at most 0", "Leave --logs out for probabilities."
    if (row < 0).all():
        return (
            "numbers below 0, and probabilities are not negative",
            "Add --logs, if they are log-probabilities.",
        )
    if (row < 0).any():
        return f"{row.min():g}, and probabilities are not negative", "Mend the row, or leave it out."
    total = float(row.sum())
    if total == 0:
        return "zeros alone, which give no decision", "Leave the row out."
    if abs(total - 100) < 1:
        return f"percentages: they sum to {total:g}", "Divide them by 100."
    return (
        f"numbers that sum to {total:g}, and probabilities sum to at most 1",
        "Name the columns of values with --grid, or divide counts by their sum.",
    )


def _number(name: str) -> float | None:
    try:
        value = float(name)
    except ValueError:
        return None
    return value if np.isfinite(value) else None


def _cell(text: str, path: Path, line: int) -> float:
    try:
        return float(text)
    except ValueError:
        fix = (
            "Leave the row out, or fill in what is missing." if not text else "Mend the row, or leave it out."
        )
        if re.fullmatch(r"-?\d+,\d+", text):
            fix = "Write decimals with a point."
        raise ProblemError(f"'{text}' is no number", where=f"{path}, line {line}", fix=fix) from None


def _values(text: str) -> list[float]:
    values = [_number(part.strip()) for part in text.split(",")]
    known = [value for value in values if value is not None]
    if len(known) < len(values) or len(known) < 2 or known != sorted(set(known)):
        raise ProblemError(
            f"'{text}' are no ascending values", where="--grid", fix="Write 1,2,3,4,5, for example."
        )
    return known
