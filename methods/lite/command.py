"""``corroborate lite``: an index of token vectors, a scorer trained on rows of one's own, and rankings."""

from __future__ import annotations

import argparse
from pathlib import Path

REDUCTIONS = ("truncate", "block-mean", "k-means")
"""Those that are not learnt with a scorer."""
SCORERS = ("de", "de-cls", "maxsim", "knrm", "lite", "lite-flat")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the actions and their options."""
    actions = parser.add_subparsers(title="actions", dest="action", metavar="ACTION", required=True)
    _index(actions.add_parser("index", help="token vectors of documents, on disk", allow_abbrev=False))
    _train(actions.add_parser("train", help="train a scorer, the encoder as it is", allow_abbrev=False))
    _rank(actions.add_parser("rank", help="rank documents of an index", allow_abbrev=False))


def main(args: argparse.Namespace) -> None:
    """Carry an action out."""
    from transformers.utils import logging

    from methods.lite import own_actions

    logging.disable_progress_bar()
    {"index": own_actions.index, "train": own_actions.train, "rank": own_actions.rank}[args.action](args)


def _index(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("encoder", type=Path, metavar="ENCODER", help="a folder of save_pretrained()")
    parser.add_argument(
        "documents", type=Path, metavar="DOCUMENTS", help=".jsonl, or a table, with the columns id and text"
    )
    parser.add_argument("--to", type=Path, required=True, metavar="FOLDER", help="the index, a new folder")
    parser.add_argument("--text", default="text", metavar="COLUMN", help="the column of texts (default text)")
    _shape(parser)
    _common(parser, "replace the index if it exists")


def _train(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("encoder", type=Path, metavar="ENCODER", help="a folder of save_pretrained()")
    parser.add_argument(
        "rows", type=Path, metavar="ROWS", help=".jsonl, or a table: query, positive, negative and more"
    )
    parser.add_argument("--to", type=Path, required=True, metavar="FOLDER", help="the scorer, a new folder")
    parser.add_argument("--scorer", choices=SCORERS, default="lite", help="which scorer (default lite)")
    parser.add_argument(
        "--loss",
        choices=("one-hot", "kl", "margin-mse"),
        help="by default margin-mse where rows have teacher scores, else one-hot",
    )
    parser.add_argument("--steps", type=_positive, default=500, help="updates (default 500)")
    parser.add_argument("--batch", type=_positive, default=32, help="queries of an update (default 32)")
    parser.add_argument(
        "--negatives", type=_positive, help="negatives of a query in an update, by default at most 4"
    )
    parser.add_argument("--rate", type=_rate, default=1e-3, help="largest learning rate (default 0.001)")
    parser.add_argument(
        "--held-out",
        type=_share,
        default=0.1,
        metavar="SHARE",
        help="of the queries, to test on (default 0.1)",
    )
    parser.add_argument("--query-tokens", type=_positive, default=32, help="tokens of a query (default 32)")
    parser.add_argument("--seed", type=_natural, default=0, help="of weights and order (default 0)")
    _shape(parser)
    _common(parser, "replace the scorer if it exists")


def _rank(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("index", type=Path, metavar="INDEX", help="a folder of `corroborate lite index`")
    parser.add_argument(
        "queries", type=Path, metavar="QUERIES", help=".jsonl, or a table, with the columns id and text"
    )
    parser.add_argument(
        "--scorer", type=Path, metavar="FOLDER", help="a trained scorer; MaxSim ranks without one"
    )
    parser.add_argument("--encoder", type=Path, metavar="FOLDER", help="the index's encoder, if it was moved")
    parser.add_argument("--candidates", type=Path, metavar="RUN", help="rank only these: a TREC run file")
    parser.add_argument("--top", type=_positive, default=100, metavar="N", help="of a query (default 100)")
    parser.add_argument("--text", default="text", metavar="COLUMN", help="the column of texts (default text)")
    parser.add_argument(
        "--query-tokens", type=_positive, help="tokens of a query without a scorer (default 32)"
    )
    parser.add_argument(
        "--out",
        type=Path,
        metavar="FILE",
        help="write there, not to the output; .csv is a table, else a TREC run",
    )
    _common(parser, "write over the file if it exists")


def _shape(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--document-tokens", type=_positive, help="tokens of a document; longer ones are cut (default 128)"
    )
    parser.add_argument("--vectors", type=_positive, metavar="K", help="keep K vectors of a document")
    parser.add_argument("--reduction", choices=REDUCTIONS, help="how they become fewer (default block-mean)")


def _common(parser: argparse.ArgumentParser, force: str) -> None:
    parser.add_argument("--device", default="cpu", help="cpu or cuda (default cpu)")
    parser.add_argument("--force", action="store_true", help=force)


def _natural(text: str, least: int = 0) -> int:
    """A whole number; argparse tells others as wrong."""
    value = int(text) if text.isascii() and text.isdecimal() else -1
    if value < least:
        raise argparse.ArgumentTypeError(f"'{text}' is no whole number of at least {least}")
    return value


def _positive(text: str) -> int:
    return _natural(text, 1)


def _number(text: str, told: str, *, below: float = float("inf")) -> float:
    try:
        value = float(text)
    except ValueError:
        value = -1.0
    if not 0 < value < below:
        raise argparse.ArgumentTypeError(f"'{text}' is {told}")
    return value


def _rate(text: str) -> float:
    return _number(text, "no rate: it is above 0")


def _share(text: str) -> float:
    return 0.0 if text == "0" else _number(text, "no share: it is at least 0 and below 1", below=1.0)
