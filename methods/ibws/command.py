"""``corroborate bws``: best-worst scaling of items of one's own, once or in rounds (IBWS)."""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np

from harness.method import ProblemError
from methods.common.outcome import put, say
from methods.ibws.analysis import SCORERS, next_questions, replay, spearman_brown, split_half, worker_quality
from methods.ibws.designs import Ints, balanced_design, repeated_pairs
from methods.ibws.iterated import Iteration
from methods.ibws.listing import pair_rows, score_rows
from methods.ibws.sheets import Sheet, csv_text, design_rows, read_answers, read_items, tuples_text


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the actions and their options."""
    actions = parser.add_subparsers(title="actions", dest="action", metavar="ACTION", required=True)
    _design(actions.add_parser("design", help="tuples for people to answer", allow_abbrev=False))
    _next(
        actions.add_parser("next", help="the next round of IBWS, from the answers so far", allow_abbrev=False)
    )
    _score(actions.add_parser("score", help="scores of items, with intervals", allow_abbrev=False))
    _reliability(actions.add_parser("reliability", help="split-half reliability", allow_abbrev=False))
    _workers(actions.add_parser("workers", help="how each worker agrees with the others", allow_abbrev=False))
    _pairs(
        actions.add_parser("pairs", help="the pairs that answers decide, for crowd-kit", allow_abbrev=False)
    )


def main(args: argparse.Namespace) -> None:
    """Carry an action out."""
    args.carry_out(args)


def _items(parser: argparse.ArgumentParser, name: str = "items") -> None:
    parser.add_argument(
        name, type=Path, metavar="ITEMS", help="a text file with one item a line, or a .csv or .tsv table"
    )
    parser.add_argument("--column", default="", help="the table's column of items")


def _answered(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "answers", type=Path, nargs="+", metavar="ANSWERS", help="a table: Item1, ..., BestItem, WorstItem"
    )


def _written(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--out", type=Path, metavar="FILE", help="write there instead of printing")
    parser.add_argument("--force", action="store_true", help="write over the file if it exists")


def _drawn(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--seed", type=_natural, default=0, help="of what is drawn at random (default 0)")


def _shape(parser: argparse.ArgumentParser, appearances: int) -> None:
    parser.add_argument("--tuple-size", type=_natural, default=4, help="items in a tuple (default 4)")
    parser.add_argument(
        "--appearances",
        type=_natural,
        default=appearances,
        help=f"times that each item is shown (default {appearances})",
    )


def _rounds(parser: argparse.ArgumentParser) -> None:
    _shape(parser, appearances=2)
    parser.add_argument(
        "--split",
        choices=("thirds", "sign"),
        default="thirds",
        help="how a round cuts buckets (default thirds)",
    )


def _by(parser: argparse.ArgumentParser, *more: str) -> None:
    names = ("counts", "bradley-terry", "plackett-luce", *more)
    parser.add_argument("--by", choices=names, default="counts", help="how scores are made (default counts)")


def _natural(text: str) -> int:
    """A whole number of at least 0; argparse tells others as wrong."""
    try:
        value = int(text)
    except ValueError:
        value = -1
    if value < 0:
        raise argparse.ArgumentTypeError(f"'{text}' is no whole number of at least 0")
    return value


def _design(parser: argparse.ArgumentParser) -> None:
    _items(parser)
    _shape(parser, appearances=8)
    _drawn(parser)
    _written(parser)
    parser.set_defaults(carry_out=_do_design)


def _do_design(args: argparse.Namespace) -> None:
    items = read_items(args.items, args.column)
    rng = np.random.default_rng(args.seed)
    tuples = balanced_design(len(items), args.tuple_size, args.appearances, rng, candidates=20)
    _put_design(args, items, [tuples], 1)
    say(f"{len(tuples)} tuples of {len(items)} items; {repeated_pairs(tuples, len(items))} pairs meet again")


def _next(parser: argparse.ArgumentParser) -> None:
    _items(parser)
    parser.add_argument(
        "answers", type=Path, nargs="*", metavar="ANSWERS", help="of all rounds so far; none for the first"
    )
    _rounds(parser)
    _drawn(parser)
    _written(parser)
    parser.set_defaults(carry_out=_do_next)


def _do_next(args: argparse.Namespace) -> None:
    items = read_items(args.items, args.column)
    sheet = read_answers(args.answers, items) if args.answers else None
    state = replay(sheet, len(items), _iteration(args), args.seed)
    tuples = next_questions(state, args.seed)
    done = 0 if sheet is None else int(sheet.rounds.max())
    if not tuples:
        say(f"nothing is left to ask after round {done}: 'bws score --by position' gives the ranking")
        return
    _put_design(args, items, tuples, done + 1)
    asked = [shown for part in tuples for shown in part]
    buckets = {int(state.bucket[shown[0]]) for shown in asked}
    many = "s" * (len(buckets) != 1)
    say(f"round {done + 1}: {len(asked)} tuples in {len(buckets)} bucket{many}")


def _score(parser: argparse.ArgumentParser) -> None:
    _answered(parser)
    parser.add_argument("--items", type=Path, metavar="FILE", help="all items, also those without an answer")
    parser.add_argument("--column", default="", help="the table's column of items")
    _by(parser, "position")
    parser.add_argument(
        "--draws", type=_natural, default=1000, help="of the intervals' bootstrap; 0 for none (default 1000)"
    )
    parser.add_argument("--level", type=float, default=0.95, help="of the intervals (default .95)")
    _rounds(parser)
    _drawn(parser)
    _written(parser)
    parser.set_defaults(carry_out=_do_score)


def _do_score(args: argparse.Namespace) -> None:
    if args.by == "position" and args.items is None:
        raise ProblemError(
            "The ranking of rounds needs their items", where="--by position", fix="Give the file as --items."
        )
    items = read_items(args.items, args.column) if args.items else None
    sheet = read_answers(args.answers, items)
    rows = score_rows(sheet, args.by, _iteration(args), args.seed, draws=args.draws, level=args.level)
    put(csv_text(rows), args.out, force=args.force)
    say(_of(sheet))


def _reliability(parser: argparse.ArgumentParser) -> None:
    _answered(parser)
    _by(parser)
    parser.add_argument("--splits", type=_natural, default=100, help="random splits (default 100)")
    _drawn(parser)
    parser.set_defaults(carry_out=_do_reliability)


def _do_reliability(args: argparse.Namespace) -> None:
    sheet = read_answers(args.answers)
    found = split_half(sheet, SCORERS[args.by], np.random.default_rng(args.seed), max(1, args.splits))
    lines = [
        f"{name:14} {np.mean(values):.3f}  (sd over {values.size} splits {np.std(values):.3f})"
        for name, values in (("Spearman's rho", found.spearman), ("Pearson's r", found.pearson))
    ]
    corrected = spearman_brown(float(np.mean(found.spearman)))
    lines.append(f"of all answers {corrected:.3f}  (Spearman-Brown, from rho)")
    put("\n".join(lines) + "\n", None)
    left = f", {found.single} with one answer left out" if found.single else ""
    say(f"{found.questions} questions divided{left}")


def _workers(parser: argparse.ArgumentParser) -> None:
    _answered(parser)
    _by(parser)
    _written(parser)
    parser.set_defaults(carry_out=_do_workers)


def _do_workers(args: argparse.Namespace) -> None:
    sheet = read_answers(args.answers)
    found = worker_quality(sheet, SCORERS[args.by])
    rows = [(row.worker, row.answers, f"{row.agreement:.4f}", f"{row.chance:.4f}") for row in found]
    put(csv_text([("worker", "answers", "agreement", "chance"), *rows]), args.out, force=args.force)
    say(f"{_of(sheet)}; one who answers at random agrees on .5, give or take 'chance'")


def _pairs(parser: argparse.ArgumentParser) -> None:
    _answered(parser)
    _written(parser)
    parser.set_defaults(carry_out=_do_pairs)


def _do_pairs(args: argparse.Namespace) -> None:
    sheet = read_answers(args.answers)
    put(csv_text(pair_rows(sheet)), args.out, force=args.force)
    say(_of(sheet))


def _put_design(args: argparse.Namespace, items: tuple[str, ...], tuples: list[Ints], number: int) -> None:
    as_table = args.out is None or args.out.suffix.lower() == ".csv"
    text = csv_text(design_rows(items, tuples, number)) if as_table else tuples_text(items, tuples)
    put(text, args.out, force=args.force)


def _iteration(args: argparse.Namespace) -> Iteration:
    return Iteration(tuple_size=args.tuple_size, appearances=args.appearances, split=args.split)


def _of(sheet: Sheet) -> str:
    many = "s" * (sheet.unanswered != 1)
    left = f"; {sheet.unanswered} row{many} without an answer left out" if sheet.unanswered else ""
    return f"{len(sheet.tuples)} answers about {len(sheet.items)} items{left}"
