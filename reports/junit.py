"""Verdicts as JUnit XML, which every CI system can show."""

from __future__ import annotations

from xml.etree import ElementTree as ET

from harness.store.records import VerdictRecord, VerdictsRecord
from reports.text import cause_text, clean


def render(verdicts: VerdictsRecord) -> str:
    """One test case a claim: what was not reproduced fails, what was not judged is skipped."""
    cases = [_case(verdicts, verdict) for verdict in verdicts.verdicts]
    lost = sum(verdict.verdict == "not reproduced" for verdict in verdicts.verdicts)
    judged = sum(verdict.verdict in ("reproduced", "not reproduced") for verdict in verdicts.verdicts)
    suite = ET.Element(
        "testsuite",
        name=clean(f"{verdicts.suite} ({verdicts.profile})"),
        tests=str(len(cases)),
        failures=str(lost),
        errors="0",
        skipped=str(len(cases) - judged),
    )
    suite.extend(cases)
    ET.indent(suite)
    return ET.tostring(suite, encoding="unicode", xml_declaration=True) + "\n"


def _case(verdicts: VerdictsRecord, verdict: VerdictRecord) -> ET.Element:
    case = ET.Element(
        "testcase", classname=clean(f"{verdicts.suite}.{verdicts.profile}"), name=clean(verdict.claim)
    )
    if verdict.verdict == "not reproduced":
        ET.SubElement(case, "failure", message=clean(verdict.reason), type="not reproduced").text = clean(
            verdict.scope
        )
    elif verdict.verdict != "reproduced":
        cause = f" ({cause_text(verdict.cause)})" if verdict.cause else ""
        ET.SubElement(case, "skipped", message=clean(f"{verdict.verdict}{cause}: {verdict.reason}"))
    return case
