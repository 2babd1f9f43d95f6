"""Running drawn trials of a run again in an empty home, and comparing their rows with the stored ones."""

from __future__ import annotations

import argparse
import random
import tempfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import NoReturn

from harness.cli.display import display
from harness.cli.request import add_request, make_request
from harness.cli.runs import OpenedRun
from harness.engine.run import RunRequest, execute_again
from harness.errors import CorroborateError, RecordError
from harness.evidence.coverage import declared
from harness.evidence.proof import Checked
from harness.evidence.rerun import Repeated, repeated
from harness.evidence.series import shared_reader
from harness.plan.looks import seeds_planned
from harness.resources import Resolver
from harness.store import RunReader, open_run
from harness.store.asked import asked_of
from harness.store.records import RunRecord


def run_again(run: OpenedRun, count: int, seed: int, engine: str) -> Checked:
    """Execute some finished trials again and compare what they return.

    Args:
        run: The run, or committed results, judged and reported on before.
        count: Trials to draw.
        seed: Of the draw.
        engine: ``pool`` or ``inline``.
    """
    drawn = draw(run.reader, count, seed)
    with tempfile.TemporaryDirectory() as place:
        request = _request(run.reader.record, Path(place), engine)
        found = [_repeated(run, request, trial) for trial in drawn]
    return Checked(
        "trials run again",
        equal=sum(item.kind == "equal" for item in found),
        differ=tuple(item.text for item in found if item.kind == "differ"),
        underivable=tuple(item.text for item in found if item.kind == "unjudged"),
        note=f"drawn with --seed {seed}: {', '.join(drawn)}",
    )


def draw(reader: RunReader, count: int, seed: int) -> list[str]:
    """Names of finished trials, drawn without replacement."""
    finished = [
        name
        for name, record in sorted(reader.trials.items())
        if record.kind == "trial" and record.status in ("ok", "diverged")
    ]
    return random.Random(seed).sample(finished, min(count, len(finished)))  # noqa: S311 - no secret


def _repeated(run: OpenedRun, request: RunRequest, trial: str) -> Repeated:
    reader = shared_reader(run.reader, declared(run.suite, run.scale))
    try:
        with display() as shown:
            finished = execute_again(request, run.reader.trials[trial], shown)
        return repeated(run.suite, run.scale, reader, open_run(finished.folder), trial)
    except CorroborateError as error:
        return Repeated("unjudged", f"{trial} cannot be run here: {error}")


class _Parser(argparse.ArgumentParser):
    """A parser that ends no command: what it reads comes from a record."""

    def error(self, message: str) -> NoReturn:
        raise RecordError(f"The record's options are none: {message}", where="run.json")


def _request(record: RunRecord, place: Path, engine: str) -> RunRequest:
    """What the run was asked for, once more, with an empty cache and nothing to reuse."""
    parser = _Parser(allow_abbrev=False)
    add_request(parser)
    made = make_request(parser.parse_args(list(_options(record, place))), engine=engine, fresh=True)
    old = made.resolver
    home = place / "home"
    if record.looks:
        made = replace(made, selection=replace(made.selection, extended=seeds_planned(record.planned)))
    return replace(made, resolver=Resolver(old.bindings, old.accepted, home, old.mirror, old.facts))


def _options(record: RunRecord, place: Path) -> Iterator[str]:
    """The command line that a run record stands for."""
    yield from (record.suite, *asked_of(record), "--runs", str(place / "runs"))
    yield from ["--device", record.device] if record.device else []
