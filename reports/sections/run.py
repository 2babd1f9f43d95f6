"""What the run was made with, and how to make it again."""

from __future__ import annotations

import shlex
from collections.abc import Iterable
from pathlib import PurePath

from harness.hub import installed_facts, licence_of, source_text
from harness.method.references import Resource
from harness.plan.references import all_references
from harness.store.asked import asked_of
from harness.store.records import RunRecord
from reports.document import (
    Block,
    Code,
    Column,
    Facts,
    Link,
    Listing,
    NotMeasured,
    Paragraph,
    Row,
    Section,
    Spans,
    Table,
    Text,
)
from reports.numbers import Ledger
from reports.sections.common import words
from reports.sections.evidence import seeds_of

_NAMED = 5
"""Trials that are named, at most."""


def provenance(ledger: Ledger) -> Section:
    """Code, machine, packages, data and their licences."""
    record = ledger.view.record
    made = record.provenance
    memory = ledger.recorded("provenance/memory", made.memory_gb, unit="GB")
    cores = ledger.recorded("provenance/cores", made.cores)
    facts: list[tuple[str, Spans]] = [
        ("Created", words(made.created)),
        ("Commit", _or_not(made.code())),
        *_continuations(record),
        ("Lock file, hash", _or_not(made.lock_sha256)),
        ("Claims, hash", (Code(record.claims_sha256),)),
        ("Python", words(made.python or "not recorded")),
        ("Platform", words(made.platform or "not recorded")),
        ("Processor", (Text(f"{made.cpu or 'not recorded'}, cores: "), cores, Text(", memory: "), memory)),
        ("GPU", words(_gpu(record))),
        *_products(ledger),
        *_smaller_passes(ledger),
        ("Seeds of main trials", words(seeds_of(ledger))),
        ("Environment keys", _environments(ledger)),
        (
            "Packages",
            words(", ".join(f"{name} {version}" for name, version in sorted(made.packages.items()))),
        ),
    ]
    blocks: list[Block] = [Facts(tuple(facts))]
    resources = _resources(ledger)
    if resources:
        blocks.append(_resource_table(resources))
    return Section("provenance", "Provenance", tuple(blocks))


def _continuations(record: RunRecord) -> list[tuple[str, Spans]]:
    """When, and with what code and machine, the run was gone on with."""
    told = [
        f"{made.created}, commit {made.code() or 'not recorded'}, "
        f"{made.gpu or made.cpu or 'machine not recorded'}"
        for made in record.continued
    ]
    return [("Continued", words("; ".join(told)))] if told else []


def _gpu(record: RunRecord) -> str:
    made = record.provenance
    found = ", ".join(part for part in (made.gpu, made.driver) if part)
    return f"{found} (not used)" if found and record.device == "cpu" else found or "none used"


def _products(ledger: Ledger) -> list[tuple[str, Spans]]:
    """Which experiments computed products of float32 in TF32, and why they may."""
    trials = ledger.view.trials.values()
    names = sorted({record.experiment for record in trials if record.float32_products and record.experiment})
    told = [f"{name}: {ledger.experiments[name].tf32}" for name in names if name in ledger.experiments]
    return [("Products of float32 in TF32", words("; ".join(told)))] if told else []


def _smaller_passes(ledger: Ledger) -> list[tuple[str, Spans]]:
    """Trials whose passes were divided after the GPU's memory had not sufficed."""
    names = sorted(record.trial for record in ledger.view.trials.values() if record.passes > 1)
    told = f"{', '.join(names[:_NAMED])}{f' and {len(names) - _NAMED} more' if len(names) > _NAMED else ''}"
    return [("Passes halved for memory, at equal batches", words(told))] if names else []


def _or_not(text: str) -> Spans:
    return (Code(text),) if text else (NotMeasured("not recorded"),)


def _environments(ledger: Ledger) -> Spans:
    keys = sorted({record.environment for record in ledger.view.trials.values() if record.environment})
    spans: list[Code | Text] = []
    for key in keys:
        spans += [Text(", "), Code(key)] if spans else [Code(key)]
    return tuple(spans) or words("none")


def _resources(ledger: Ledger) -> list[Resource]:
    found: dict[str, Resource] = {}
    for experiment in ledger.experiments.values():
        for ref in all_references((tuple(experiment.tasks.values()), tuple(experiment.methods.values()))):
            if isinstance(ref, Resource):
                found.setdefault(ref.name, ref)
    return list(found.values())


def _resource_table(resources: Iterable[Resource]) -> Table:
    columns = (
        Column("Resource", "resource"),
        Column("Kind", "kind"),
        Column("Version", "version"),
        Column("Licence", "licence"),
        Column("Sources, in order", "sources"),
    )
    rows = tuple(
        Row(
            (
                (Code(resource.name),),
                words(resource.kind),
                words(resource.version),
                _licence(resource),
                words("; ".join(source_text(source, installed_facts()) for source in resource.sources)),
            )
        )
        for resource in resources
    )
    return Table("resources", words("Data and models from outside, with their licences."), columns, rows)


def _licence(resource: Resource) -> Spans:
    name = licence_of(resource, installed_facts())
    if resource.terms.startswith("https://"):
        return (Link(name, resource.terms),)
    return words(f"{name} ({resource.terms})" if resource.terms else name)


def rerun(ledger: Ledger) -> Section:
    """The commands that make this run and this report again."""
    record, slug = ledger.view.record, ledger.suite.slug
    lines: list[str] = []
    if record.provenance.commit:
        lines.append(f"git checkout {record.provenance.commit}")
        later = dict.fromkeys(made.commit for made in record.continued)
        lines += [f"# continued with {name}" for name in later if name != record.provenance.commit]
    if record.rehearsal is not None:
        # Its bindings are stand-ins in a folder that is gone.
        scale = f"--profile {record.profile}{' --full' if record.full else ''}"
        lines.append(f"corroborate rehearse {slug} {scale} --dtype {record.rehearsal.dtype}")
    else:
        lines.append(f"nox -s reproduce-{slug} -- {_options(ledger)}")
    blocks: list[Block] = [Paragraph(words("From a clone of the repository:")), Listing(tuple(lines))]
    if record.provenance.command:
        command = [PurePath(record.provenance.command[0]).name, *record.provenance.command[1:]]
        blocks += [Paragraph(words("The command as it was given:")), Listing((shlex.join(command),))]
    return Section("rerun", "How to run it again", (*blocks, *_from_records(ledger)))


def _from_records(ledger: Ledger) -> tuple[Block, ...]:
    record, slug = ledger.view.record, ledger.suite.slug
    if record.rehearsal is not None:
        said, again = "This report", [f"corroborate report runs/rehearsals/{record.run}"]
    else:
        committed = f" --reference --profile {record.profile}{'-full' if record.full else ''}"
        run, of = (slug, committed) if ledger.view.is_committed else (record.run, "")
        said, again = "This report, and a table for a paper", [f"corroborate report {run}{of}"]
        again += [
            f"corroborate table {slug} {table.id} --format latex{of}" for table in ledger.suite.tables[:1]
        ]
    return Paragraph(words(f"{said}, from the records alone:")), Listing(tuple(again))


def _options(ledger: Ledger) -> str:
    record = ledger.view.record
    licences = [resource.accept for resource in _resources(ledger) if resource.accept]
    looks = ["--until-settled"] if record.looks else []
    accepted = [word for key in dict.fromkeys(licences) for word in ("--accept-licence", key)]
    return shlex.join([*asked_of(record), *looks, *accepted])
