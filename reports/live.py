"""The page of a run that goes on: what there is so far, how far it is, and that it looks again by itself."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

from markupsafe import Markup

from harness.store.records import VerdictsRecord
from harness.store.view import RunView
from harness.suite import Scale, Suite
from reports import html
from reports.build import build
from reports.current import resumption
from reports.document import Code, Paragraph, Section
from reports.own_files import refuse_foreign
from reports.progress import Progress
from reports.write import write_file

_BANNER = re.compile(r'<div class="live".*?</div>', re.DOTALL)
_REFRESH = re.compile(r'<meta http-equiv="refresh"[^>]*>\n?')


def write_live_page(  # noqa: PLR0917 - as write_report, with how far the run is
    suite: Suite, scale: Scale, view: RunView, verdicts: VerdictsRecord, folder: Path, progress: Progress
) -> Path:
    """Write the page of a run that goes on, and nothing else of its report.

    Raises:
        HandleError: If a number lacks current evidence.
        UsageError: If there is a page that no report has written.
        RecordError: If it cannot be written.
    """
    refuse_foreign(folder, ["index.html"])
    document = build(suite, scale, view, verdicts)
    sections = tuple(_without(section, Code(resumption(suite, view))) for section in document.sections)
    page = html.render(replace(document, sections=sections), progress)
    return write_file(folder / "index.html", page)


def _without(section: Section, advice: Code) -> Section:
    """A section without what tells how to finish a run, which this one does by itself."""
    kept = [block for block in section.blocks if not (isinstance(block, Paragraph) and advice in block.spans)]
    return replace(section, blocks=tuple(kept))


def mark_interrupted(folder: Path, resumption: str) -> bool:
    """Let the page of a run that has ended early say so, and no longer load itself again.

    Args:
        folder: The folder of its report.
        resumption: The command that finishes the run.

    Returns:
        Whether there was such a page.
    """
    path = folder / "index.html"
    text = path.read_text(encoding="utf-8") if path.is_file() else ""
    if not _BANNER.search(text):
        return False
    told = Markup(
        '<div class="interrupted"><p class="warning"><strong>Interrupted.</strong> The run ended before '
        "all of its trials had finished. To finish it: <code>{}</code></p></div>"
    ).format(resumption)
    text = _BANNER.sub(lambda _: str(told), _REFRESH.sub("", text), count=1)
    write_file(path, text)
    return True
