"""From a run and its verdicts to a document."""

from __future__ import annotations

from harness.store.records import VerdictsRecord
from harness.store.view import RunView, not_finished
from harness.suite import PaperTable, Scale, Suite
from reports.document import Document, Section, Table
from reports.numbers import Ledger
from reports.sections.added import added
from reports.sections.cost import cost
from reports.sections.evidence import evidence
from reports.sections.fidelity import controls, fidelity
from reports.sections.headline import abstract, commit_name, summary, title_facts
from reports.sections.methods import methods
from reports.sections.run import provenance, rerun
from reports.sections.sample_views import sample_views
from reports.sections.served import served
from reports.sections.tables import figures, paper_table, tables
from reports.sections.tuning import tuning
from reports.sections.verdicts import verdicts as verdict_section
from reports.unique_names import with_unique_names


def build(suite: Suite, scale: Scale, view: RunView, verdicts: VerdictsRecord) -> Document:
    """The report of one run: what came out, what was measured, what verdicts rest on, how it was made.

    Raises:
        HandleError: If a number of the report lacks evidence, or its evidence is stale.
    """
    ledger = Ledger(suite, scale, view, verdicts)
    sections = (
        summary(ledger),
        tables(ledger),
        figures(ledger),
        sample_views(ledger),
        added(ledger),
        verdict_section(ledger),
        evidence(ledger),
        methods(ledger),
        fidelity(ledger),
        controls(ledger),
        tuning(ledger),
        cost(ledger),
        served(ledger),
        provenance(ledger),
        rerun(ledger),
    )
    return frame(ledger, tuple(section for section in sections if section is not None))


def frame(ledger: Ledger, sections: tuple[Section, ...]) -> Document:
    """A document of some sections, with title, origin and citation."""
    suite, record = ledger.suite, ledger.view.record
    made = Document(
        title=suite.paper.title,
        byline=", ".join(suite.paper.authors),
        facts=title_facts(ledger),
        abstract=abstract(ledger),
        sections=sections,
        slug=suite.slug,
        run=record.run,
        commit=commit_name(ledger),
        machine=record.hardware or "hardware not recorded",
        profile=_profile(ledger.view),
        created=record.provenance.created,
        bibtex=suite.paper.bibtex,
    )
    return with_unique_names(made)


def _profile(view: RunView) -> str:
    """The run's profile, with what readers of any single file of the report have to know of it."""
    name = view.record.profile
    if view.record.rehearsal:
        return f"{name} (a rehearsal: no results)"
    return f"{name} (an unfinished run)" if not_finished(view) else name


def one_table(ledger: Ledger, table: PaperTable) -> tuple[Document, Table]:
    """One declared table alone, with the document that says where it is from."""
    made = paper_table(ledger, table)
    return frame(ledger, (Section("tables", "Tables", (made,)),)), made
