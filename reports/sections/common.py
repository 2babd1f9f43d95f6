"""What several sections say in the same words."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import groupby

from harness.claims import Profile
from harness.claims.forms import form_named
from harness.store.records import VerdictRecord
from harness.suite import Deviation
from reports.document import Code, Glyph, Link, Number, Span, Spans, Text
from reports.numbers import Ledger

PROFILE_MEANING = {
    Profile.SMOKE: "It checks the plumbing on tiny generated inputs; only exact claims count.",
    Profile.SMALL: "It shows the direction of each claim on small models and data that fit any computer.",
    Profile.GPU: "It shows direction and size of each claim on one GPU with public models and data.",
    Profile.PAPER: "It repeats the paper's own numbers at the paper's scale.",
}


def words(text: str) -> Spans:
    """Plain text as spans."""
    return (Text(text),)


def claim_link(ledger: Ledger, claim: str) -> Link:
    """A link to a claim's card."""
    return Link(claim, f"#{ledger.claim_anchors[claim]}")


def joined(parts: Iterable[Span], separator: str = ", ") -> Spans:
    """Spans with text between them."""
    spans: list[Span] = []
    for part in parts:
        spans += [Text(separator), part] if spans else [part]
    return tuple(spans)


def deviations_of(ledger: Ledger, claim: str = "") -> tuple[Deviation, ...]:
    """The deviations of the run's profile, or of one claim under it."""
    profile = ledger.scale.profile
    return tuple(
        deviation
        for deviation in ledger.suite.deviations
        if (not deviation.profiles or profile in deviation.profiles)
        and (not claim or not deviation.claims or _touches(deviation, claim))
    )


def _touches(deviation: Deviation, claim: str) -> bool:
    return claim in deviation.claims or any(
        claim.startswith(whole) and claim[len(whole) :].isalpha() for whole in deviation.claims
    )


def trial_list(trials: Iterable[str]) -> Spans:
    """Trials as readable patterns, seeds drawn together."""
    spans: list[Span] = []
    for stem, group in groupby(sorted(trials), key=lambda trial: trial.rpartition("/")[0]):
        seeds = ranges(trial.rpartition("/")[2] for trial in group)
        spans += [Text("; ")] if spans else []
        spans += [Code(f"{stem}/{seeds}" if stem else seeds)]
    return tuple(spans)


def ranges(seeds: Iterable[str]) -> str:
    """``["100", "101", "102", "200"]`` as ``"{100..102,200}"``."""
    numbers = sorted({int(seed) for seed in seeds if seed.lstrip("-").isdigit()})
    if not numbers:
        return "*"
    runs: list[list[int]] = []
    for number in numbers:
        if runs and number == runs[-1][-1] + 1:
            runs[-1].append(number)
        else:
            runs.append([number])
    texts = [f"{run[0]}..{run[-1]}" if len(run) > 1 else str(run[0]) for run in runs]
    return f"{{{','.join(texts)}}}" if len(numbers) > 1 else texts[0]


def effects(ledger: Ledger, verdict: VerdictRecord) -> tuple[Number, ...]:
    """θ of every test of a verdict."""
    return tuple(ledger.effect(verdict, at) for at in range(len(verdict.tests)))


def thresholds(verdict: VerdictRecord) -> tuple[float, ...]:
    """Where θ has to lie: δ for a direction, the ends of the margin for an equivalence."""
    return () if verdict.delta is None else form_named(verdict.form).thresholds(verdict.delta)


def drawn(number: Number, verdict: VerdictRecord) -> Spans:
    """θ, with a drawing of its interval if it has one."""
    return (number,) if number.low is None else (number, Glyph(number, thresholds(verdict)))


def run_note(ledger: Ledger) -> str:
    """Profile, hardware and run, as captions end."""
    record = ledger.view.record
    hardware = record.hardware or "hardware not recorded"
    width = ", full width" if record.full else ""
    return f"Profile {record.profile}{width}; {hardware}; run {record.run}."
