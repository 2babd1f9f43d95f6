"""Three sentences made from the verdicts: what held, what did not, and what is open and why."""

from __future__ import annotations

from collections.abc import Sequence

from harness.claims.settling import replicate_noun
from harness.store.records import VerdictRecord
from harness.text import plural
from reports.document import Link, Paragraph, Span, Spans, Strong, Text
from reports.numbers import Ledger
from reports.sections.common import claim_link, joined
from reports.sections.verdicts import parts_held, parts_of, statement_of

_IN_WORDS = 3
"""Claims that a sentence gives in words; others by their names."""


def sentences(ledger: Ledger) -> tuple[Paragraph, ...]:
    """What held, what did not, what is open; of whole claims, those of the paper's headlines in words."""
    held = _told(ledger, ("reproduced",))
    fell = _told(ledger, ("not reproduced",))
    left = _told(ledger, ("inconclusive", "not run"), why=True)
    spans: list[Span] = [Strong("What is open:"), *(left or _NONE)]
    proxies = _told(ledger, ("not comparable",), counted=False)
    if proxies:
        spans += [Text(" Measured by a proxy, which counts neither way:"), *proxies]
    return (
        Paragraph((Strong("What held:"), *(held or _NONE))),
        Paragraph((Strong("What did not hold:"), *(fell or _NONE))),
        Paragraph(tuple(spans)),
    )


_NONE: Spans = (Text(" no claim."),)


def _told(ledger: Ledger, verdicts: Sequence[str], *, why: bool = False, counted: bool = True) -> Spans:
    """How many whole claims have one of some verdicts, and which; nothing if none has.

    Args:
        ledger: The evidence.
        verdicts: The verdicts.
        why: Whether to say why claims are open.
        counted: Whether it is worth saying that no primary claim is among them.
    """
    whole = [verdict for verdict in ledger.verdicts.in_order() if not verdict.parent]
    primary = [claim for claim in whole if claim.primary]
    others = [claim for claim in whole if not claim.primary]
    told, rest = ([one for one in group if one.verdict in verdicts] for group in (primary, others))
    spans: list[Span] = []
    if told or (rest and primary and counted):
        spans.append(Text(share(len(told), len(primary), "primary claim")))
    if told:
        spans += [Text(", "), *_listed(ledger, told, why=why)]
    if rest:
        noun = "other claim" if primary else "claim"
        joint = ", and " if told else ", but " if spans else ""
        spans.append(Text(f"{joint}{share(len(rest), len(others), noun)}"))
        in_words = not primary or (not told and len(rest) == 1)
        spans += [Text(", "), *_listed(ledger, rest, why=why)] if in_words else _names(ledger, rest)
    return (Text(" "), *spans, Text(".")) if spans else ()


def _names(ledger: Ledger, claims: Sequence[VerdictRecord]) -> Spans:
    """Claims by name only, in brackets; those that were not run apart."""
    run, absent = ([one for one in claims if (one.verdict == "not run") is left] for left in (False, True))
    named = [*joined(claim_link(ledger, claim.claim) for claim in run)]
    if absent:
        named += [Text(f"{'; ' if run else ''}not run: ")]
        named += joined(claim_link(ledger, claim.claim) for claim in absent)
    return (Text(" ("), *named, Text(")"))


def share(count: int, total: int, noun: str) -> str:
    """``"2 of the 4 claims"``, as one says it for none, one, both and all."""
    if count == 0:
        few = {1: f"not the one {noun}", 2: f"neither of the two {noun}s"}
        return few.get(total, f"none of the {total} {noun}s")
    if count == total:
        return {1: f"the one {noun}", 2: f"both {noun}s"}.get(total, f"all {total} {noun}s")
    return f"{count} of the {total} {noun}s"


def _listed(ledger: Ledger, claims: Sequence[VerdictRecord], *, why: bool) -> Spans:
    """Claims one after the other, each a link to its evidence; of many, the last ones by name only."""
    in_words = claims if len(claims) <= _IN_WORDS + 1 else claims[:_IN_WORDS]
    items: list[Spans] = [_in_words(ledger, claim, why=why) for claim in in_words]
    items += [(claim_link(ledger, claim.claim),) for claim in claims[len(in_words) :]]
    spans: list[Span] = [*items[0]]
    for item in items[1:-1]:
        spans += [Text(", "), *item]
    if len(items) > 1:
        spans += [Text(" and " if len(items) == 2 else ", and "), *items[-1]]
    return tuple(spans)


def _in_words(ledger: Ledger, claim: VerdictRecord, *, why: bool) -> Spans:
    """What the paper says, linked to its evidence, with the claim's name and why it is open."""
    statement = statement_of(ledger, claim).strip().removesuffix(".")
    target = claim_link(ledger, claim.claim).target
    reason = f": {why_open(ledger, claim)}" if why else ""
    return (Text("“"), Link(statement, target), Text(f"” ({claim.claim}{reason})"))


def why_open(ledger: Ledger, claim: VerdictRecord) -> str:
    """Why a claim is neither shown nor excluded, in a few words; of a compound one by its parts."""
    parts = parts_of(ledger, claim)
    if claim.verdict != "inconclusive" or not parts:
        return _cause([claim])
    groups: dict[str, list[VerdictRecord]] = {}
    for part in parts:
        if part.verdict not in ("reproduced", "not comparable"):
            groups.setdefault(_cause([part], sizes=False), []).append(part)
    told = [f"{held} parts held" for held in [parts_held(ledger, claim)] if held]
    return "; ".join([*told, *(f"{_and(group)} {_cause(group)}" for group in groups.values())])


def _and(claims: Sequence[VerdictRecord]) -> str:
    names = [claim.claim for claim in claims]
    return " and ".join(filter(None, (", ".join(names[:-1]), names[-1])))


def _cause(claims: Sequence[VerdictRecord], *, sizes: bool = True) -> str:
    """Why some claims are open alike: what they need, with or without how many seeds, or what failed."""
    first = claims[0]
    if first.verdict != "inconclusive":
        return {"not reproduced": "did not hold"}.get(first.verdict, first.verdict)
    if first.cause == "assay":
        failed = next((found.name for found in first.assays if not found.passed), "")
        return f"failed the precondition '{failed}'" if failed else "failed a precondition"
    if first.cause == "no witness":
        return "found no witness"
    if first.cause == "invalid":
        return "was not validly measured" if len(claims) == 1 else "were not validly measured"
    return f"{_seeds(claims, sizes=sizes)}{' after the correction' if first.cause == 'multiplicity' else ''}"


def _seeds(claims: Sequence[VerdictRecord], *, sizes: bool) -> str:
    """How many seeds claims lack: ``"needs 12 to 40 seeds"``."""
    noun = replicate_noun(claims[0].replication)
    needed = [size for claim in claims for size in claim.needed_seeds.values()]
    known = sorted(size for size in needed if size is not None)
    several = len(claims) > 1
    if not known:
        stays = f"stay{'' if several else 's'} open with any number of {noun}s"
        return stays if needed or claims[0].no_seeds else f"had too few {noun}s"
    if not sizes:
        return f"needs {noun}s"
    least, most = f"{known[0]:,} to " if known[0] < known[-1] else "", plural(known[-1], noun)
    beyond = " or more than 10,000" if None in needed else ""
    return f"need{'' if several else 's'} {least}{most}{beyond}"
