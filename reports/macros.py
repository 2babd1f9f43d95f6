r"""``macros.tex``: one LaTeX command for each number of a report.

A command's name is the path of the number's evidence, in letters only:
``\SpectrClaimCThreeTestOneEffect``, and the same with ``Low``, ``High`` and ``Interval``. A number
over part of its units says so itself, and the same with ``Coverage`` gives the remark alone.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import replace

from reports.document import Card, Document, Number
from reports.latex_tables import interval, number
from reports.latex_text import latex
from reports.text import show

_DIGITS = ("Zero", "One", "Two", "Three", "Four", "Five", "Six", "Seven", "Eight", "Nine")
_ENDINGS = ("Low", "High", "Interval", "Coverage")
_SIGNS = {
    "+": " plus ",
    "-1": " minus 1",
    "−": " minus ",
    "@": " at ",
    "=": " is ",
    "†": "",
    "%": " percent ",
}


def macros(document: Document) -> str:
    """All commands of a report as a LaTeX file, with a comment on run and commit."""
    taken: set[str] = set()
    lines = [
        f"% Numbers of suite {document.slug}, profile {document.profile}, run {document.run},",
        f"% code {document.commit}. Generated: do not edit.",
    ]
    for item in document.numbers():
        name = _free(command_name(document.slug, item.handle.kind, item.handle.name), taken)
        lines += _commands(name, item)
    for block in document.blocks():
        if isinstance(block, Card):
            name = _free(command_name(document.slug, "claim", block.claim, "verdict"), taken)
            lines.append(rf"\newcommand{{\{name}}}{{{latex(block.verdict)}}}")
    return "\n".join(lines) + "\n"


def command_name(*parts: str) -> str:
    """Names joined in camel case, of ASCII letters only.

    Digits are spelt out and other characters by their names, so that different paths get
    different commands.
    """
    text = " ".join(parts)
    for sign, word in _SIGNS.items():
        text = text.replace(sign, word)
    text = "".join(_letters(char) for char in unicodedata.normalize("NFKD", text))
    return "".join(word[0].upper() + word[1:] for word in re.split(r"[^A-Za-z]+", text) if word)


def _letters(char: str) -> str:
    if char.isascii():
        return f" {_DIGITS[int(char)]} " if char.isdigit() else char
    if unicodedata.combining(char):
        return ""
    return f" {unicodedata.name(char, 'sign').title()} "


def _free(name: str, taken: set[str]) -> str:
    """The name itself, or with the first letters that make it and what is derived from it unique."""
    free = name
    count = 0
    while taken & _derived(free):
        count += 1
        free = f"{name}X{'i' * count}"
    taken |= _derived(free)
    return free


def _derived(name: str) -> set[str]:
    return {name, *(f"{name}{ending}" for ending in _ENDINGS)}


def _commands(name: str, item: Number) -> list[str]:
    bare = replace(item, low=None, high=None, bold=False, standing="")
    lines = [rf"\newcommand{{\{name}}}{{{number(bare)}}}"]
    if item.coverage:
        lines.append(rf"\newcommand{{\{name}Coverage}}{{{latex(item.coverage)}}}")
        bare = replace(bare, coverage="")
    if item.low is not None and item.high is not None:
        lines += [
            rf"\newcommand{{\{name}Low}}{{{number(replace(bare, value=item.low))}}}",
            rf"\newcommand{{\{name}High}}{{{number(replace(bare, value=item.high))}}}",
            rf"\newcommand{{\{name}Interval}}{{{interval(show(item))}}}",
        ]
    return lines
