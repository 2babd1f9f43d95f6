"""Reading ``paper.toml``: what each table may hold, and on which line it holds something else."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError, field_validator

from harness.claims import Profile
from harness.errors import SuiteError
from harness.suite.paper import Deviation, Paper, Reported, Standing, Statement
from harness.text import parsed_toml

_HEADER = re.compile(r"\s*\[\[\s*([\w.]+)\s*\]\]")
_QUOTES = re.compile(r'"""|\'\'\'')

Place = tuple[str | int, ...]
"""A way into the file: ``("claim", 3, "part", 0, "source")``."""


def _not_zero(value: float) -> float:
    """A threshold; zero is what every rule tests."""
    if value == 0:
        raise ValueError("zero is no threshold, since every rule tests against it")
    return value


_Threshold = Annotated[float, Field(strict=True, allow_inf_nan=False), AfterValidator(_not_zero)]


class _Table(BaseModel):
    """Only what is declared, and of the declared kind."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class _Reported(_Table):
    id: str
    value: int | float | None = None
    unit: str = ""
    where: str
    row: str = ""
    standing: Standing
    note: str = ""


class _Part(_Table):
    id: str
    statement: str
    source: str
    reported: tuple[str, ...] = ()
    relies_on: tuple[str, ...] = ()
    essential: bool = True
    otherwise: str = ""
    note: str = ""
    threshold: tuple[_Threshold, ...] = ()
    same_as: str = ""
    primary: bool = False

    @field_validator("threshold", mode="before")
    @classmethod
    def _one_or_several(cls, value: object) -> object:
        """One number is written without brackets."""
        return [value] if isinstance(value, int | float) else value


class _Claim(_Part):
    parent: str = ""
    part: list[_Part] = Field(default_factory=list)


class _Deviation(_Table):
    id: str
    field: str
    paper: str
    here: str
    effect: str
    profiles: tuple[Profile, ...] = ()
    claims: tuple[str, ...] = ()


class _File(_Table):
    slug: str
    title: str
    authors: tuple[str, ...]
    arxiv: str
    year: int
    venue: str
    bibtex: str
    summary: str
    reported: list[_Reported] = Field(default_factory=list)
    claim: list[_Claim] = Field(default_factory=list)
    deviation: list[_Deviation] = Field(default_factory=list)


def read_paper(path: Path) -> Paper:
    """Read ``paper.toml``; see :meth:`harness.suite.Paper.read`."""
    try:
        text = path.read_text(encoding="utf-8")
        file = _File.model_validate(parsed_toml(text))
    except OSError as error:
        told = error.strerror or str(error)
        raise SuiteError(f"The paper's record cannot be read: {told}", where=str(path)) from error
    except UnicodeDecodeError as error:
        raise SuiteError(f"This is not UTF-8: {error}", where=str(path)) from error
    except ValidationError as error:
        raise _told(path, text, error) from error
    except ValueError as error:  # It names the line itself.
        raise SuiteError(f"This is not TOML: {error}", where=str(path)) from error
    _refuse_twins(path, text, file)
    _refuse_ruled_wholes(path, text, file)
    record = file.model_dump(exclude={"reported", "claim", "deviation"})
    return Paper(
        **record,
        reported={row.id: Reported(**row.model_dump()) for row in file.reported},
        statements=tuple(_statements(file)),
        deviations=tuple(Deviation(**row.model_dump()) for row in file.deviation),
    )


def _statements(file: _File) -> Iterator[Statement]:
    first = {claim.id for claim in file.claim if claim.primary}
    for claim in file.claim:
        known = claim.model_dump(exclude={"part"}) | {"primary": claim.primary or claim.parent in first}
        yield Statement(**known)
        for part in claim.part:
            known = part.model_dump() | {"primary": part.primary or claim.primary}
            yield Statement(**known, parent=claim.id)


def _told(path: Path, text: str, error: ValidationError) -> SuiteError:
    """Everything that is wrong, with its line."""
    faults = [
        f"line {line_of(text, fault['loc'])}: {_name(fault['loc'])}: {fault['msg'].lower()}"
        for fault in error.errors()
    ]
    fix = "" if len(faults) == 1 else "\n  ".join(["Also:", *faults[1:]])
    return SuiteError(f"The paper's record cannot be read, {faults[0]}", where=str(path), fix=fix)


def _name(place: Place) -> str:
    return ".".join(str(step) for step in place if not isinstance(step, int))


def _refuse_twins(path: Path, text: str, file: _File) -> None:
    """Two tables of one kind with one id: the first would be lost."""
    claims: list[tuple[str, Place]] = []
    for number, claim in enumerate(file.claim):
        claims.append((claim.id, ("claim", number, "id")))
        claims += [(part.id, ("claim", number, "part", at, "id")) for at, part in enumerate(claim.part)]
    rows: list[tuple[str, Sequence[tuple[str, Place]]]] = [
        ("reported", [(row.id, ("reported", at, "id")) for at, row in enumerate(file.reported)]),
        ("claimed", claims),
        ("declared", [(row.id, ("deviation", at, "id")) for at, row in enumerate(file.deviation)]),
    ]
    for kind, listed in rows:
        first: dict[str, Place] = {}
        for name, place in listed:
            if name in first:
                lines = f"lines {line_of(text, first[name])} and {line_of(text, place)}"
                what = f"The paper's record cannot be read, {lines}: '{name}' is {kind} 2 times"
                raise SuiteError(what, where=str(path), fix="Give each an id of its own.")
            first[name] = place


def _refuse_ruled_wholes(path: Path, text: str, file: _File) -> None:
    """What only a claim with a rule of its own can say, said of one that its parts decide."""
    parents = {claim.parent for claim in file.claim}
    for number, claim in enumerate(file.claim):
        if not claim.part and claim.id not in parents:
            continue
        for field in ("threshold", "same_as"):
            if getattr(claim, field):
                line = line_of(text, ("claim", number, field))
                what = f"line {line}: '{claim.id}' is decided by its parts, and has no {field}"
                raise SuiteError(
                    f"The paper's record cannot be read, {what}", where=str(path), fix="Give it to a part."
                )


def line_of(text: str, place: Sequence[Any]) -> int:
    """The line, from 1, on which a place of a TOML document stands; of what is missing, its table's."""
    lines = list(enumerate(_without_quoted(text), start=1))
    at, inside, kind = 0, lines, ""
    steps = list(place)
    while len(steps) > 1 and isinstance(steps[1], int):
        longer = f"{kind}.{steps[0]}".strip(".")
        headers = [number for number, line in inside if _header(line) == longer]
        if steps[1] >= len(headers):  # An item of a list that is written as a value.
            break
        kind, at = longer, headers[steps[1]]
        # The table ends with the next one of its own kind; those inside it are named by longer names.
        end = next((n for n, line in inside if n > at and _ends(kind, line)), lines[-1][0] + 1)
        inside = [(n, line) for n, line in inside if at < n < end]
        steps = steps[2:]
    own = inside if not kind else _until_header(inside)
    keys = [number for number, line in own if steps and re.match(rf"\s*{re.escape(str(steps[0]))}\s*=", line)]
    return keys[0] if keys else max(at, 1)


def _header(line: str) -> str:
    found = _HEADER.match(line)
    return found[1] if found else ""


def _ends(kind: str, line: str) -> bool:
    name = _header(line)
    return bool(name) and not name.startswith(f"{kind}.")


def _until_header(lines: Sequence[tuple[int, str]]) -> list[tuple[int, str]]:
    end = next((at for at, (_, line) in enumerate(lines) if _header(line)), len(lines))
    return list(lines[:end])


def _without_quoted(text: str) -> Iterator[str]:
    """The document's lines; those inside a string of several lines are empty."""
    quoted = ""
    for line in text.splitlines():
        yield "" if quoted else line
        for quote in _QUOTES.findall(line):
            if not quoted:
                quoted = quote
            elif quote == quoted:
                quoted = ""
