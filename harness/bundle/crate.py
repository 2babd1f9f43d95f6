"""The metadata of a bundle: RO-Crate 1.2, and Process Run Crate for how its files were made.

Both are vocabularies of linked data: one JSON object an entity, which refer to each other by ``@id``. People
are not among them; who made a run is not recorded.
"""

from __future__ import annotations

import json
import shlex
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any
from urllib.parse import quote

from harness.bundle.files import LICENCES, LOCK, METADATA, PAPER, README, REPORT, SUMS, Stamp
from harness.bundle.licences import Input, spdx
from harness.store.packs import FOLDER
from harness.store.records import RunRecord
from harness.suite import Paper

CRATE = "https://w3id.org/ro/crate/1.2"
PROCESS_RUN = "https://w3id.org/ro/wfrun/process/0.5"
ACTION = "#run"
_COMPLETED = "http://schema.org/CompletedActionStatus"

_FORMATS = {
    ".gz": "application/gzip",
    ".html": "text/html",
    ".json": "application/json",
    ".jsonl": "application/jsonl",
    ".md": "text/markdown",
    ".parquet": "application/vnd.apache.parquet",
    ".toml": "application/toml",
}
_WORDS = {
    "run.json": "What was asked for, with which code, packages and machine",
    "trials.jsonl": "One line a finished trial or artifact: fingerprint, environment, status, cost",
    "trials.jsonl.gz": "One line a finished trial or artifact: fingerprint, environment, status, cost",
    "verdicts.json": "The verdict on each claim, with its evidence",
    "fingerprints.json": "What each trial depends on, with the hash of each module of its code",
    "units.parquet": "The unit rows of all trials: raw scores, one row a unit",
    "omitted.json": "The evaluation sets that were left out for their size",
    PAPER: "What the paper is, says and reports, and where the run differs from it",
    LOCK: "The versions of all packages that the run was locked to",
    LICENCES: "Models and data that were used, with their licences; none of them is included",
    SUMS: "SHA-256 of every other file",
    README: "How to verify, read and run it again",
    f"{REPORT}/index.html": "The report",
}
_FOLDERS = {
    f"{REPORT}/": "The report",
    f"{FOLDER}/": "Unit rows: raw scores, one row a unit, one file or a few an experiment",
}
Entity = dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class Described:
    """What the metadata tells of.

    Attributes:
        record: What was asked for.
        paper: Of the suite.
        stamps: Size and hash of each file but the metadata and the hashes, by path.
        sums_size: Size of the list of hashes in bytes, which itself holds the hash of the metadata.
        rows: Whose unit rows each file of them holds, in words, by path.
        inputs: Models and data that were used.
        licence: SPDX identifier of the licence that the bundle is given away under.
        finished: Whether every planned trial has a result.
    """

    record: RunRecord
    paper: Paper
    stamps: Mapping[str, Stamp]
    sums_size: int
    rows: Mapping[str, str]
    inputs: Sequence[Input]
    licence: str
    finished: bool


def metadata(what: Described) -> bytes:
    """The text of ``ro-crate-metadata.json``."""
    words = {**_WORDS, **{name: f"Unit rows of {whose}" for name, whose in what.rows.items()}}
    files = [
        {**_file(name, stamp.size, words.get(name, "")), "sha256": stamp.sha256}
        for name, stamp in sorted(what.stamps.items())
    ]
    files.append(_file(SUMS, what.sums_size, words[SUMS]))
    folders = sorted({f"{PurePosixPath(name).parts[0]}/" for name in what.stamps if "/" in name})
    graph = [
        _descriptor(),
        _root(what, [one["@id"] for one in files if "/" not in one["@id"]] + folders),
        *(_folder(name, files) for name in folders),
        *files,
        *_action(what, [_id(name) for name in what.stamps if "/" not in name], folders),
        _paper(what.paper),
        *_inputs(what.inputs),
        *_profile(),
    ]
    graph += [_licence(what.licence)] if all(one["@id"] != _licence_id(what.licence) for one in graph) else []
    content = {"@context": f"{CRATE}/context", "@graph": graph}
    return json.dumps(content, indent=1, ensure_ascii=False).encode() + b"\n"


def _id(path: str) -> str:
    return quote(path)


def _refer(names: Iterable[str]) -> Any:
    """References to entities: one alone is written without a list, as the specification recommends."""
    found = [{"@id": name} for name in names]
    return found[0] if len(found) == 1 else found


def _descriptor() -> Entity:
    return {
        "@id": METADATA,
        "@type": "CreativeWork",
        "name": "RO-Crate metadata",
        "conformsTo": {"@id": CRATE},
        "about": {"@id": "./"},
    }


def _root(what: Described, parts: Sequence[str]) -> Entity:
    record = what.record
    scale = f"profile {record.profile}{', full width' if record.full else ''}"
    return {
        "@id": "./",
        "@type": "Dataset",
        "name": f"{what.paper.title}: its experiments run again ({scale})",
        "description": "Records, unit rows, verdicts on the paper's claims and the report of the run "
        f"{record.run} of suite {record.suite}, {scale}.",
        "datePublished": record.ended or record.provenance.created,
        "license": {"@id": _licence_id(what.licence)},
        "conformsTo": {"@id": PROCESS_RUN},
        "citation": {"@id": _paper_id(what.paper)},
        "mentions": {"@id": ACTION},
        "hasPart": _refer(parts),
    }


def _folder(name: str, files: Iterable[Entity]) -> Entity:
    words = _FOLDERS.get(name, "Unit rows: raw scores, one row a unit, one file a trial")
    parts = [one["@id"] for one in files if one["@id"].startswith(name)]
    return {
        "@id": name,
        "@type": "Dataset",
        "name": name.rstrip("/"),
        "description": words,
        "hasPart": _refer(parts),
    }


def _file(path: str, size: int, words: str) -> Entity:
    return {
        "@id": _id(path),
        "@type": "File",
        "name": path,
        "description": words or f"A file of the {PurePosixPath(path).parts[0]}",
        "contentSize": str(size),
        "encodingFormat": _FORMATS.get(PurePosixPath(path).suffix, "text/plain"),
    }


def _action(what: Described, files: Sequence[str], folders: Sequence[str]) -> list[Entity]:
    """The run as an action: what it was made from, by what program, and what came of it."""
    record, made = what.record, what.record.provenance
    given = [name for name in files if name in (PAPER, LOCK)]
    described = [name for name in files if name in (README, LICENCES)]
    results = [name for name in files if name not in (*given, *described)]
    program = _program(record)
    action = {
        "@id": ACTION,
        "@type": "CreateAction",
        "name": f"Run {record.run} of suite {record.suite}",
        "description": shlex.join(made.command) or "The command was not recorded.",
        "startTime": made.created,
        "instrument": {"@id": program["@id"]},
        "object": _refer([*given, *(_input_id(one) for one in what.inputs)]),
        "result": _refer([*results, *folders]),
    }
    if record.ended:
        action["endTime"] = record.ended
    if what.finished:
        action["actionStatus"] = _COMPLETED
    if LOCK in files:
        program["softwareRequirements"] = {"@id": LOCK}
    return [action, program]


def _program(record: RunRecord) -> Entity:
    made = record.provenance
    changed = {True: ", with local changes", None: ", perhaps with local changes"}.get(made.dirty, "")
    added = "".join(f"; {name} is {place}, from outside" for name, place in sorted(record.added.items()))
    known = len(made.commit) == 40
    # A commit names the code by itself, wherever it is kept; this address resolves once it is archived.
    intrinsic = f"swh:1:rev:{made.commit}" if known else f"pkg:generic/corroborate@{made.corroborate}"
    name = f"https://archive.softwareheritage.org/{intrinsic}" if known else intrinsic
    return {
        "@id": name,
        "@type": "SoftwareApplication",
        "name": "corroborate",
        "description": f"Commit {made.commit or 'not recorded'}{changed if made.commit else ''}{added}",
        "version": made.corroborate,
        "identifier": intrinsic,
        "url": name,
    }


def _paper_id(paper: Paper) -> str:
    return f"https://arxiv.org/abs/{paper.arxiv}" if paper.arxiv else "#paper"


def _paper(paper: Paper) -> Entity:
    return {
        "@id": _paper_id(paper),
        "@type": "ScholarlyArticle",
        "name": paper.title,
        "description": f"{', '.join(paper.authors)}. {paper.venue}, {paper.year}.",
        "datePublished": str(paper.year),
    }


def _input_id(one: Input) -> str:
    return f"#{quote(one.name)}"


def _inputs(inputs: Sequence[Input]) -> list[Entity]:
    found: list[Entity] = []
    for one in inputs:
        origin = "files of the user's own" if one.bound else "; ".join(one.sources)
        entity: Entity = {
            "@id": _input_id(one),
            "@type": "CreativeWork",
            "name": one.name,
            "description": f"{'A model' if one.kind == 'model' else 'A data set'}, not included: {origin}",
            "version": one.version,
            "license": {"@id": _terms_id(one)},
        }
        if one.page:
            entity["url"] = one.page
        found.append(entity)
    terms = {_terms_id(one): _terms(one) for one in inputs}
    return [*found, *terms.values()]


def _terms_id(one: Input) -> str:
    known = "" if one.terms else spdx(one.licence)
    return _licence_id(known) if known else f"#licence-{quote(f'{one.licence} {one.terms}'.strip(), safe='')}"


def _terms(one: Input) -> Entity:
    entity = {
        "@id": _terms_id(one),
        "@type": "CreativeWork",
        "name": one.licence,
        "description": one.terms or "The licence as the source of the model or data states it",
    }
    return {**entity, "url": one.terms} if one.terms.startswith("https://") else entity


def _profile() -> list[Entity]:
    return [
        {
            "@id": PROCESS_RUN,
            "@type": ["CreativeWork", "Profile"],
            "name": "Process Run Crate",
            "version": "0.5",
        }
    ]


def _licence_id(licence: str) -> str:
    return f"https://spdx.org/licenses/{quote(licence)}"


def _licence(licence: str) -> Entity:
    return {
        "@id": _licence_id(licence),
        "@type": "CreativeWork",
        "name": licence,
        "description": "The licence of the bundle. Models and data have their own, named with each.",
    }
