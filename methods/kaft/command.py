"""``corroborate kaft``: contexts that agree, contradict and mislead, for questions of one's own."""

from __future__ import annotations

import argparse
import json
from collections import Counter
from pathlib import Path

from methods.common.outcome import put, say
from methods.kaft.mixture import Mixture
from methods.kaft.own_questions import (
    OwnQuestions,
    augment,
    read_questions,
    rows_of,
    told_reasons,
    write_tasks,
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the actions and their options."""
    actions = parser.add_subparsers(title="actions", dest="action", metavar="ACTION", required=True)
    training = actions.add_parser(
        "augment", help="training rows of every kind of context", allow_abbrev=False
    )
    _given(training)
    for kind in ("relevant", "counterfactual", "irrelevant", "empty"):
        training.add_argument(f"--{kind}", type=float, default=0.25, help="weight of the kind (default .25)")
    training.add_argument("--no-tags", action="store_true", help="leave out where an answer comes from")
    training.add_argument("--gold", action="store_true", help="gold targets, also where M(q) is known")
    training.add_argument("--out", type=Path, metavar="FILE", help="write there instead of printing")
    training.add_argument("--force", action="store_true", help="write over the file if it exists")
    training.set_defaults(carry_out=_augment)
    tasks = actions.add_parser("tasks", help="a folder of tasks for lm-eval", allow_abbrev=False)
    _given(tasks)
    tasks.add_argument("--out", type=Path, required=True, metavar="FOLDER", help="a new folder")
    tasks.set_defaults(carry_out=_tasks)


def main(args: argparse.Namespace) -> None:
    """Carry an action out."""
    args.carry_out(args)


def _given(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "questions",
        type=Path,
        metavar="FILE",
        help="SQuAD's .json, or .jsonl: question, context, answers; title, model_answer",
    )
    parser.add_argument("--seed", type=int, default=0, help="of what is drawn (default 0)")


def _read(args: argparse.Namespace) -> OwnQuestions:
    own = read_questions(args.questions, seed=abs(args.seed))
    bare = f"; {own.unanswerable} without an answer" if own.unanswerable else ""
    left = told_reasons(own.left_out)
    say(f"{len(own.questions)} questions{bare}" + (f"; {left}" if left else ""))
    return own


def _augment(args: argparse.Namespace) -> None:
    own = _read(args)
    mixture = Mixture(
        relevant=args.relevant,
        irrelevant=args.irrelevant,
        empty=args.empty,
        counterfactual=args.counterfactual,
        targets="gold" if args.gold else "model",
        tags=not args.no_tags,
    )
    rows = rows_of(augment(own, mixture, seed=abs(args.seed)))
    put("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), args.out, force=args.force)
    kinds = Counter(row["kind"] for row in rows)
    told = ", ".join(f"{count} {kind}" for kind, count in kinds.items())
    without = "M(q)" if own.beliefs and not args.gold else "gold answers"
    say(f"{told}; targets without support: {without}")


def _tasks(args: argparse.Namespace) -> None:
    sizes = write_tasks(_read(args), args.out)
    say(", ".join(f"{name}: {count} questions" for name, count in sizes.items()))
    shown = f"--tasks {','.join(sizes)} --include_path {args.out}"
    say(f"lm_eval --model hf --model_args pretrained=MODEL {shown}")
