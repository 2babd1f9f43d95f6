"""What ``corroborate lite`` does: build an index, train a scorer, rank."""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import torch

from harness.method import ProblemError
from methods.common.outcome import put, say
from methods.lite.late import CONFIG, LateInteraction, LateOptions
from methods.lite.losses import LossName
from methods.lite.own_encoder import TokenEncoder, open_encoder
from methods.lite.own_files import Named, read_candidates, read_examples, read_named
from methods.lite.own_folders import left_behind, new_folder
from methods.lite.own_index import Index, build_index, open_index
from methods.lite.own_ranking import (
    check_fit,
    csv_table,
    plain_scorer,
    rank_all,
    rank_candidates,
    rows_of,
    trec_run,
)
from methods.lite.own_training import Collected, OwnRun, Vectors, collect, mrr
from methods.lite.own_training import train as train_scorer
from methods.lite.ranker import Reduction
from methods.lite.training import Course

_SECONDS = 15.0
"""Between two notes of progress."""
_NEGATIVES = 4
"""As in the suite."""


def index(args: argparse.Namespace) -> None:
    """Build an index of a file of documents."""
    _tell_left(args.to)
    documents = read_named(args.documents, args.text)
    tokens, vectors, reduction = _shape(args)
    encoder = open_encoder(args.encoder, document_tokens=tokens, device=args.device)
    _tell_texts(documents, encoder, "documents")
    told = _progress(len(documents.ids), "documents")
    build_index(
        encoder,
        documents.ids,
        documents.texts,
        args.to,
        vectors=vectors,
        reduction=reduction,
        force=args.force,
        progress=told,
    )
    size = (args.to / "vectors.f16").stat().st_size
    say(f"{len(documents.ids)} documents; {size / 1e6:.1f} MB of vectors with {encoder.dim} dimensions")


def train(args: argparse.Namespace) -> None:
    """Train a scorer on rows, over vectors of an encoder that stays as it is."""
    _tell_left(args.to)
    data = collect(read_examples(args.rows), args.rows)
    loss = _loss(args, data)
    tokens, vectors, reduction = _shape(args)
    encoder = open_encoder(
        args.encoder, query_tokens=args.query_tokens, document_tokens=tokens, device=args.device
    )
    late = LateInteraction(
        LateOptions(
            dim=encoder.dim,
            scorer=args.scorer,
            query_tokens=args.query_tokens,
            document_tokens=tokens,
            vectors=vectors,
            reduction=reduction if vectors else "block-mean",
            seed=args.seed,
            encoder=encoder.identity,
        )
    ).to(args.device)
    with new_folder(args.to, mark=CONFIG, force=args.force) as place:
        with _vectors(encoder, data, late.options, args.to) as folder:
            vectors_of = Vectors(*(open_index(Path(folder) / name) for name in ("queries", "documents")))
            _train_and_test(late, vectors_of, data, _course(args, loss, data), args)
        late.save_pretrained(place)


def rank(args: argparse.Namespace) -> None:
    """Rank the documents of an index for a file of queries."""
    if args.out is not None and args.out.exists() and not args.force:
        raise ProblemError(
            "The file exists already", where=str(args.out), fix="Name a new one, or add --force."
        )
    queries = read_named(args.queries, args.text)
    if empty := queries.empty:
        raise ProblemError(
            "The query is empty", where=f"{queries.path}, line {queries.lines[empty[0]]}", fix="Remove it."
        )
    there = open_index(args.index)
    late = _late(args, there).to(args.device)
    encoder = open_encoder(
        args.encoder or Path(there.made.folder),
        query_tokens=late.options.query_tokens,
        document_tokens=there.made.document_tokens,
        device=args.device,
    )
    check_fit(there, late, encoder)
    candidates = None
    if args.candidates is not None:
        candidates = rows_of(there, queries.ids, read_candidates(args.candidates), str(args.candidates))
        if not any(candidates):
            raise ProblemError("The run has none of the queries", where=str(args.candidates))
    _tell_texts(queries, encoder, "queries")
    vectors = encoder.queries(queries.texts)
    if candidates is None:
        found = rank_all(there, late, vectors, args.top)
    else:
        found = rank_candidates(there, late, vectors, candidates, args.top)
    if args.out is not None and args.out.suffix.lower() == ".csv":
        text = csv_table(queries.ids, there, found)
    else:
        text = trec_run(queries.ids, there, found, late.options.scorer)
    put(text, args.out, force=args.force)
    bare = sum(not len(best.rows) for best in found)
    without = f"; {bare} queries have no candidates" if bare else ""
    say(f"{len(queries.ids)} queries over {len(there)} documents with {late.options.scorer}{without}")


def _shape(args: argparse.Namespace) -> tuple[int, int, Reduction]:
    """Document tokens, vectors and reduction: as asked for, or as the scorer beside the encoder has them."""
    if (args.encoder / CONFIG).exists() and not (args.document_tokens or args.vectors):
        options = LateInteraction.load(args.encoder).options
        return options.document_tokens, options.vectors, options.reduced_by
    if args.reduction and not args.vectors:
        raise ProblemError("A reduction needs a number of vectors", where="--reduction", fix="Add --vectors.")
    tokens, vectors = args.document_tokens or 128, args.vectors or 0
    way: Reduction = args.reduction or "block-mean"
    if vectors > tokens or (vectors and way == "block-mean" and tokens % vectors):
        raise ProblemError(
            f"{tokens} tokens do not become {vectors} vectors",
            where="--vectors",
            fix="Choose a divisor of --document-tokens; truncate and k-means take any that is smaller.",
        )
    return tokens, vectors, way if vectors else "none"


def _loss(args: argparse.Namespace, data: Collected) -> LossName:
    scored = bool(torch.isfinite(data.lists.teacher[data.lists.lists.real]).all())
    found: LossName = args.loss or ("margin-mse" if scored else "one-hot")
    if found != "one-hot" and not scored:
        raise ProblemError(
            f"The loss {found} needs a teacher's scores, which the rows do not have",
            where=str(args.rows),
            fix="Train with --loss one-hot, or add positive_score and negative_score.",
        )
    return found


def _course(args: argparse.Namespace, loss: LossName, data: Collected) -> Course:
    counts = np.sort((data.lists.lists.real & ~data.lists.relevant).sum(1).numpy())
    # Nine tenths of the queries have so many; with the fewest that one has, the others would lose theirs.
    negatives = args.negatives or max(1, min(_NEGATIVES, int(counts[len(counts) // 10])))
    if (out := int((counts < negatives).sum())) and out < len(counts):
        say(f"{out} of {len(counts)} queries have fewer than {negatives} negatives and are left out")
    return Course(loss, args.steps, args.batch, negatives, args.rate, encoder_rate=0.0)


def _vectors(
    encoder: TokenEncoder, data: Collected, options: LateOptions, target: Path
) -> AbstractContextManager[str]:
    """A folder with vectors of all queries and documents, beside the target, where large files may be."""
    folder = TemporaryDirectory(dir=target.absolute().parent, prefix=f".{target.name[:80]}-vectors-")
    try:
        for name, texts in (("queries", data.queries), ("documents", data.documents)):
            asked = name == "queries"
            if cut := encoder.too_long(texts, queries=asked):
                limit = options.query_tokens if asked else options.document_tokens
                say(f"{len(cut)} of {len(texts)} {name} are longer than {limit} tokens and are cut")
            build_index(
                encoder,
                [str(row) for row in range(len(texts))],
                texts,
                Path(folder.name) / name,
                vectors=0 if asked else options.vectors,
                reduction="none" if asked else options.reduced_by,
                queries=asked,
                progress=_progress(len(texts), name),
            )
    except BaseException:
        folder.cleanup()
        raise
    return folder


def _train_and_test(
    late: LateInteraction,
    vectors: Vectors,
    data: Collected,
    course: Course,
    args: argparse.Namespace,
) -> None:
    order = np.random.default_rng([args.seed, 1]).permutation(len(data.queries)).tolist()
    count = round(args.held_out * len(order))
    held, rest = data.part(order[:count]), data.part(order[count:])
    plain = plain_scorer(vectors.documents, args.query_tokens).to(args.device)
    before = [mrr(one, vectors, held) for one in (plain, late)] if count else []
    last = time.monotonic()

    def told(done: float, message: str) -> None:
        nonlocal last
        if time.monotonic() - last > _SECONDS:
            last = time.monotonic()
            say(f"{100 * done:.0f} % of the steps; {message}")

    train_scorer(late, vectors, rest, course, OwnRun(args.seed, told))
    say(f"trained on {len(order) - count} queries with {course.loss}, {course.negatives} negatives each")
    if count:
        after = mrr(late, vectors, held)
        say(
            f"MRR@10 of {count} held-out queries among their own candidates: {after:.3f}; "
            f"before training {before[1]:.3f}, MaxSim {before[0]:.3f}"
        )


def _late(args: argparse.Namespace, there: Index) -> LateInteraction:
    if args.scorer is None:
        return plain_scorer(there, args.query_tokens or 32)
    late = LateInteraction.load(args.scorer)
    if args.query_tokens not in (None, late.options.query_tokens):
        raise ProblemError(
            f"The scorer is for queries of {late.options.query_tokens} tokens",
            where="--query-tokens",
            fix="Leave the option out.",
        )
    return late


def _tell_left(folder: Path) -> None:
    if left := left_behind(folder):
        names = ", ".join(path.name for path in left)
        # Another command may be writing them right now, so that they are not removed here.
        say(f"not complete, of a command that was killed or still runs; remove it if none does: {names}")


def _tell_texts(texts: Named, encoder: TokenEncoder, what: str) -> None:
    if empty := texts.empty:
        say(f"empty {what}: {texts.told(empty)}; they have the vectors of special tokens only")
    asked = what == "queries"
    if cut := encoder.too_long(texts.texts, queries=asked):
        limit = encoder.query_tokens if asked else encoder.document_tokens
        say(f"{what} longer than {limit} tokens, which are cut: {texts.told(cut)}")


def _progress(total: int, what: str) -> Callable[[int], None]:
    last = time.monotonic()

    def told(done: int) -> None:
        nonlocal last
        if time.monotonic() - last > _SECONDS and done < total:
            last = time.monotonic()
            say(f"{done} of {total} {what}")

    return told
