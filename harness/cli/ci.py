"""What CI servers read: JUnit files and GitHub's annotations."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal
from xml.etree import ElementTree as ET

_NOT_IN_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


@dataclass(frozen=True)
class Case:
    """One line of a gate.

    Attributes:
        name: What was checked.
        status: ``failed`` if something was lost, ``error`` if it could not be checked for a
            reason outside the experiment, ``skipped`` if there was nothing to compare.
        detail: The figures or the reason.
    """

    name: str
    status: Literal["passed", "failed", "error", "skipped"]
    detail: str = ""


_TAGS = {"failed": "failure", "error": "error", "skipped": "skipped"}


def write_junit(path: Path, suite: str, cases: Iterable[Case], properties: Mapping[str, str]) -> None:
    """Write a JUnit file with one test suite.

    Args:
        path: Where to write.
        suite: Name of the suite.
        cases: Its test cases.
        properties: What identifies the run.
    """
    listed = list(cases)
    counts = {name: str(sum(case.status == name for case in listed)) for name in _TAGS}
    root = ET.Element(
        "testsuite",
        name=suite,
        tests=str(len(listed)),
        failures=counts["failed"],
        errors=counts["error"],
        skipped=counts["skipped"],
    )
    holder = ET.SubElement(root, "properties")
    for name, value in properties.items():
        ET.SubElement(holder, "property", name=_clean(name), value=_clean(value))
    for case in listed:
        element = ET.SubElement(root, "testcase", classname=suite, name=_clean(case.name))
        if case.status in _TAGS:
            ET.SubElement(element, _TAGS[case.status], message=_clean(case.detail))
    tree = ET.ElementTree(root)
    ET.indent(tree)
    path.parent.mkdir(parents=True, exist_ok=True)
    tree.write(path, encoding="utf-8", xml_declaration=True)


def _clean(text: str) -> str:
    """Text without the characters that XML cannot hold."""
    return _NOT_IN_XML.sub("\ufffd", text)


def annotation(case: Case, title: str) -> str:
    """A case as a workflow command that GitHub shows beside the commit; empty if it passed."""
    level = {"failed": "error", "error": "error", "skipped": "notice"}.get(case.status, "")
    if not level:
        return ""
    return f"::{level} title={_escaped(title, ',:')}::{_escaped(f'{case.name}: {case.detail}')}"


def _escaped(text: str, also: str = "") -> str:
    """Text as GitHub's workflow commands want it."""
    for character in ["%", "\r", "\n", *also]:
        text = text.replace(character, f"%{ord(character):02X}")
    return text
