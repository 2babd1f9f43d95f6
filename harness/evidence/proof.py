"""What is stored against what the records give: verdicts field by field, values, printed numbers."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from harness.claims.findings import NotMeasuredError
from harness.claims.labels import cell_label
from harness.declared import cell_key
from harness.errors import LEFT_OUT
from harness.evidence.rows import KeptRows
from harness.evidence.series import Reader, Series
from harness.store.kept import KeptCell, KeptValue
from harness.store.numbers import PrintedNumber
from harness.store.records import ControlRecord, VerdictRecord, VerdictsRecord

_CLOSE = 1e-9
"""Other processors add up in another order; a relative difference beyond this is no such thing."""


@dataclass(frozen=True)
class Checked:
    """What became of one kind of thing that is stored.

    Attributes:
        kind: What was checked: "verdicts".
        equal: How many are as the records give them.
        differ: Those that are not, each with what is stored and what the records give.
        missing: What should be stored and is not, or is stored and should not be.
        underivable: What the records cannot give any more, with the reason.
        note: What else there is to say.
    """

    kind: str
    equal: int = 0
    differ: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()
    underivable: tuple[str, ...] = ()
    note: str = ""

    @property
    def proved(self) -> bool:
        """Whether nothing speaks against it."""
        return not (self.differ or self.missing or self.underivable)

    @property
    def total(self) -> int:
        """How many were looked at."""
        return self.equal + len(self.differ) + len(self.missing) + len(self.underivable)


def check_verdicts(stored: VerdictsRecord, derived: VerdictsRecord) -> list[Checked]:
    """Verdicts with all their fields, compound ones included, and the outcomes of controls."""
    return [
        _compared("verdicts", _by_claim(stored), _by_claim(derived)),
        _compared("controls", _by_control(stored), _by_control(derived)),
    ]


def _by_claim(record: VerdictsRecord) -> dict[str, VerdictRecord]:
    wholes = {f"{verdict.claim} as a whole": verdict for verdict in record.wholes}
    return {**{verdict.claim: verdict for verdict in record.verdicts}, **wholes}


def _by_control(record: VerdictsRecord) -> dict[str, ControlRecord]:
    return {f"{control.control} on {control.claim}": control for control in record.controls}


def check_numbers(stored: Iterable[PrintedNumber], derived: Iterable[PrintedNumber]) -> Checked:
    """The numbers of a report."""
    found = [{" ".join(item.place): item for item in side} for side in (stored, derived)]
    return _compared("printed numbers", *found)


def check_values(kept: Mapping[str, KeptCell], reader: Reader) -> Checked:
    """Kept values by replicate against the rows that are kept beside them.

    Args:
        kept: By the key of their cell.
        reader: Of the committed results, after verdicts and report were made from them.
    """
    equal, taken, differ = 0, 0, list[str]()
    for cell, found in reader.found.items():
        if not isinstance(found, Series):
            continue
        values = {item.key: item for item in kept.get(cell_key(cell), KeptCell()).values}
        for at, key in enumerate(found.keys):
            if found.rows[at].worst is not None:
                continue
            if isinstance(found.rows[at], KeptRows):
                taken += 1
            elif told := _value_difference(values.get(key), found, at):
                differ.append(f"{cell_label(cell)}, {key}: {told}")
            else:
                equal += 1
    note = f"{taken} more are taken as they were kept: their rows are left out" if taken else ""
    return Checked("values by replicate", equal, tuple(differ), note=note)


def _value_difference(stored: KeptValue | None, found: Series, at: int) -> str:
    if stored is None:
        return "not kept"
    rows = found.rows[at]
    try:
        value: float | None = found.value(at)
    except NotMeasuredError:
        value = None
    derived = {"value": value, "units": rows.size, "set of units": rows.unit_set}
    kept = {"value": stored.value, "units": stored.size, "set of units": stored.unit_set}
    return "; ".join(_differences(kept, derived))


def _compared(kind: str, stored: Mapping[str, Any], derived: Mapping[str, Any]) -> Checked:
    equal, differ, underivable = 0, list[str](), list[str]()
    for name in stored.keys() & derived.keys():
        left, right = _plain(stored[name]), _plain(derived[name])
        told = list(_differences(left, right))
        if told and (lacking := _left_out(right)):
            underivable.append(f"{name}: {lacking}")
        elif told:
            differ.append(f"{name}: {'; '.join(told)}")
        else:
            equal += 1
    missing = [f"{name}: not stored" for name in derived.keys() - stored.keys()]
    missing += [f"{name}: stored, and the records do not give it" for name in stored.keys() - derived.keys()]
    return Checked(kind, equal, tuple(sorted(differ)), tuple(sorted(missing)), tuple(sorted(underivable)))


def _left_out(derived: Mapping[str, Any]) -> str:
    """What a derived record says of rows that were left out, or nothing."""
    said = (derived.get("reason"), derived.get("detail"))
    return next((text for text in said if text and LEFT_OUT in text), "")


def _plain(value: Any) -> dict[str, Any]:
    """A record as names and values."""
    return dict(value._asdict() if isinstance(value, PrintedNumber) else value.model_dump())


def _differences(stored: Any, derived: Any, place: str = "") -> Iterator[str]:
    """What differs between two values of a record, field by field."""
    if isinstance(stored, dict) and isinstance(derived, dict):
        for name in dict.fromkeys([*stored, *derived]):
            inner = f"{place}.{name}" if place else str(name)
            yield from _differences(stored.get(name), derived.get(name), inner)
    elif _is_list(stored) and _is_list(derived) and len(stored) == len(derived):
        for at, (left, right) in enumerate(zip(stored, derived, strict=True), 1):
            yield from _differences(left, right, f"{place} {at}")
    elif not _equal(stored, derived):
        yield f"{place} is stored as {_shown(stored)}, the records give {_shown(derived)}"


def _is_list(value: Any) -> bool:
    return isinstance(value, Sequence) and not isinstance(value, str)


def _equal(stored: Any, derived: Any) -> bool:
    numbers = isinstance(stored, float | int) and isinstance(derived, float | int)
    if not numbers or isinstance(stored, bool) or isinstance(derived, bool):
        return bool(stored == derived)
    if math.isnan(stored) or math.isnan(derived):
        return math.isnan(stored) and math.isnan(derived)
    return math.isclose(stored, derived, rel_tol=_CLOSE, abs_tol=1e-12)


def _shown(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 160 else f"{text[:157]}…"
