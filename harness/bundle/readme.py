"""The page in a bundle that says how to verify, read and run it again."""

from __future__ import annotations

import shlex
from collections.abc import Iterable

from harness.bundle.files import LICENCES, LOCK, PAPER, REPORT, SUMS
from harness.store.records import RunRecord
from harness.suite import Paper


def readme(record: RunRecord, paper: Paper, *, locked: bool, notes: Iterable[str]) -> bytes:
    """The page as Markdown.

    Args:
        record: What was asked for.
        paper: Of the suite.
        locked: Whether the lock file is among the files.
        notes: What a reader should know besides.
    """
    lines = [
        f"# {paper.title}: its experiments run again",
        "",
        f"Run `{record.run}` of suite `{record.suite}`, profile `{record.profile}`.",
        f"[{REPORT}/index.html]({REPORT}/index.html) is the report, `{PAPER}` what the paper says and",
        f"reports. `{LICENCES}` names models and data, none of them included; `run.json` code and machine.",
        "",
        *(f"- {note}" for note in notes),
        *_section("Verify", ["corroborate bundle --open FILE.zip --out FOLDER"]),
        "",
        f"It checks every hash; `sha256sum --check {SUMS}` in the folder does so without corroborate.",
        *_section("Read", [f"corroborate {command} FOLDER" for command in ("verdicts", "report")]),
        *_section("Run again", _again(record, locked=locked)),
        "",
        "The last line compares RUN, the new one, with this one.",
    ]
    return ("\n".join(lines) + "\n").encode()


def _section(title: str, commands: Iterable[str]) -> list[str]:
    return ["", f"## {title}", "", *(f"    {command}" for command in commands)]


def _again(record: RunRecord, *, locked: bool) -> list[str]:
    """The commands that make the run again, in a clone of the repository."""
    made = record.provenance
    return [
        *([f"git checkout {made.commit}"] if made.commit else []),
        f"pip install --constraint FOLDER/{LOCK} ." if locked else "pip install .",
        shlex.join(
            ["corroborate", *(made.command[1:] or ["run", record.suite, "--profile", record.profile])]
        ),
        "corroborate regress RUN --baseline FOLDER",
    ]
