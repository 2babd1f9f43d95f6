"""``corroborate sparsity``: how many neurons of a model's MLP blocks are active on texts of one's own."""

from __future__ import annotations

import argparse
import csv
from io import StringIO
from pathlib import Path

from methods.common.outcome import put, say


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument("model", type=Path, metavar="FOLDER", help="a model as save_pretrained() writes it")
    parser.add_argument(
        "--texts", type=Path, required=True, metavar="FILE", help="one text a line, or .jsonl with a field"
    )
    parser.add_argument("--field", default="text", help="the field of .jsonl that is the text")
    parser.add_argument(
        "--zero",
        metavar="RULE",
        help="what counts as zero: exact, 1%% (of the token's largest) or 0.01; by default exact behind "
        "ReLU, else 1%%",
    )
    parser.add_argument(
        "--length", type=_positive, default=512, help="tokens of a text, at most (default 512)"
    )
    parser.add_argument("--batch", type=_positive, default=8, help="texts of a pass (default 8)")
    parser.add_argument("--device", default="cpu", help="cpu or cuda (default cpu)")
    parser.add_argument("--out", type=Path, metavar="FILE", help="write the table there instead of printing")
    parser.add_argument("--figure", type=Path, metavar="FILE", help="draw it there: .svg, .pdf or .png")
    parser.add_argument("--save", type=Path, metavar="FILE", help="keep all counts there, as safetensors")
    parser.add_argument("--force", action="store_true", help="write over files that exist")


def main(args: argparse.Namespace) -> None:
    """Read, count, and write the table."""
    from methods.common.causal_lm import load_tokenizer
    from methods.common.own_models import checked_folder
    from methods.common.own_texts import read_texts
    from methods.sparsity.measuring import COLUMNS, measure
    from methods.sparsity.reading import load_reader
    from methods.sparsity.zeros import Zero

    _require_new(args)
    zero = Zero.parse(args.zero) if args.zero else None
    texts = read_texts(args.texts, args.field)
    checked_folder(args.model)
    model = load_reader(args.model, args.device)
    found = measure(model, texts, load_tokenizer(args.model), zero=zero, length=args.length, batch=args.batch)
    table = StringIO()
    csv.writer(table, lineterminator="\n").writerows([COLUMNS, *found.rows()])
    put(table.getvalue(), args.out, force=args.force)
    if args.figure:
        found.figure().savefig(args.figure)
    if args.save:
        found.save(args.save)
    say(f"{found.counts.nnz_percent:.2f} % of entries are active over all layers; zero is {found.zero}")


def _require_new(args: argparse.Namespace) -> None:
    """Refuse to write over a file, before anything is read for it."""
    from harness.method import ProblemError

    for path in (args.out, args.figure, args.save):
        if path is not None and path.exists() and not args.force:
            raise ProblemError(
                "The file exists already", where=str(path), fix="Name a new one, or add --force."
            )
    if args.figure and args.figure.suffix.lower() not in {".svg", ".pdf", ".png"}:
        raise ProblemError("The figure has no known form", where=str(args.figure), fix="End it in .svg.")


def _positive(text: str) -> int:
    """A whole number of at least 1; argparse tells others as wrong."""
    try:
        value = int(text)
    except ValueError:
        value = -1
    if value < 1:
        raise argparse.ArgumentTypeError(f"'{text}' is no whole number of at least 1")
    return value
