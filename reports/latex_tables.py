r"""Tables in LaTeX: booktabs, numbers aligned at fixed precision, never wider than their column.

A table of numbers becomes one ``tabular`` whose intervals stand beside the values (double
column) or below them (single column); an ``adjustbox`` shrinks it only if it would stick out.
A table of prose gets columns of fixed width, shared out by the length of its words.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from typing import Literal

from reports.document import (
    Badge,
    Break,
    Code,
    Glyph,
    Link,
    NotMeasured,
    Number,
    Span,
    Spans,
    Strong,
    Table,
    Text,
)
from reports.glyph import places
from reports.latex_text import latex, latex_code
from reports.text import Shown, cause_text, show

Columns = Literal["single", "double"]

STANDING_MARK = {
    "secondary": r"\textsuperscript{\textdagger}",
    "unverified": r"\textsuperscript{\textdaggerdbl}",
}
VERDICT_MARK = {
    "reproduced": r"$\bullet$",
    "not reproduced": r"$\times$",
    "inconclusive": r"$\circ$",
    "not comparable": r"$\neq$",
    "not run": "--",
    "as predicted": r"$\bullet$",
    "otherwise": r"$\times$",
    "undecided": r"$\circ$",
}
_LINE = 104
"""Letters of footnote size on a line of the standalone report."""
_GAP = 3
_LETTER = 4.6
_SMALL_LETTER = 3.5
_TABCOLSEP = 6.0
"""Rough widths in points, of letters at 9 and 7 points and of the space between columns."""
_GLYPH_WIDTH = 100
_GLYPH_PAD = 5
_DRAWING = 11
"""Letters that are as wide as the drawing of an interval."""
_BREAKABLE = 16
_LONG_ROWS = 36
_PROSE_CELL = 26
_LONG_LABEL = 40


def tabular(table: Table, columns: Columns = "double") -> str:
    r"""One table, ready for ``\input`` inside a ``table`` environment.

    Args:
        table: What to set.
        columns: Whether it must fit a single column of a two-column page.
    """
    return _prose(table) if is_prose(table) else _numeric(table, columns)


def longtable(table: Table, caption: str) -> str:
    """A table of prose that may run over pages, with its caption above."""
    kinds = _paragraph_columns(table)
    head = " & ".join(rf"\textbf{{{latex(column.header)}}}" for column in table.columns) + r" \\"
    lines = [
        rf"\begin{{longtable}}{{@{{}}{kinds}@{{}}}}",
        rf"\caption{{{caption}}}\label{{tab:{table.id}}}\\",
        rf"\toprule {head}",
        r"\midrule\endfirsthead",
        rf"\toprule {head}",
        r"\midrule\endhead",
        r"\bottomrule\endfoot",
        *_rows(table),
        r"\end{longtable}",
    ]
    return "\n".join(lines)


def is_prose(table: Table) -> bool:
    """Whether a table holds running text, or too many rows for one page."""
    if len(table.rows) > _LONG_ROWS:
        return True
    wordy = [at for at, column in enumerate(table.columns) if at and column.align == "text"]
    return any(len(_plain(row.cells[at])) > _PROSE_CELL for row in table.rows for at in wordy)


def natural_width(table: Table) -> float:
    """Roughly how wide a table of numbers is before it is shrunk, in points."""
    widths = []
    for at, column in enumerate(table.columns):
        cells = [_cell_width(row.cells[at]) for row in table.rows]
        widths.append(max([len(column.header) * _LETTER, *cells]))
    return sum(widths) + 2 * _TABCOLSEP * (len(widths) - 1)


def _cell_width(cell: Spans) -> float:
    if len(cell) != 1 or not isinstance(cell[0], Number):
        return min(len(_plain(cell)), _LONG_LABEL) * _LETTER
    shown = show(cell[0])
    letters = len(shown.value) + len(shown.unit) + len(shown.remark)
    return letters * _LETTER + len(shown.interval) * _SMALL_LETTER


def spans(items: Spans, *, stacked: bool = False) -> str:
    """Running text in LaTeX."""
    return "".join(_span(item, stacked=stacked) for item in items)


def number(item: Number, *, stacked: bool = False) -> str:
    """A number with its unit, mark and interval."""
    shown = show(item)
    value = rf"\textbf{{{_math(shown.value, bold=True)}}}" if item.bold else _math(shown.value)
    unit = rf"~{latex(shown.unit)}" if shown.unit else ""
    remark = rf"~\emph{{{latex(shown.remark)}}}" if shown.remark else ""
    value = f"{value}{unit}{STANDING_MARK.get(item.standing, '')}{remark}"
    if not shown.low:
        return value
    ends = rf"{{\scriptsize {interval(shown)}}}"
    return rf"\shortstack[r]{{{value}\\{ends}}}" if stacked else f"{value} {ends}"


def interval(shown: Shown) -> str:
    """The interval of a number."""
    return f"[{_math(shown.low)}, {_math(shown.high)}]"


def _math(text: str, *, bold: bool = False) -> str:
    """A printed number in mathematics: a true minus, thousands kept together, powers of ten."""
    mantissa, _, exponent = text.partition("e")
    body = latex(mantissa) if not mantissa.lstrip("-<> ")[:1].isdigit() else mantissa.replace(",", "{,}")
    power = rf"\times 10^{{{int(exponent)}}}" if exponent else ""
    return rf"$\mathbf{{{body}}}{power}$" if bold else f"${body}{power}$"


def _span(span: Span, *, stacked: bool) -> str:
    match span:
        case Number():
            return number(span, stacked=stacked)
        case NotMeasured(reason=reason):
            return rf"\textit{{not measured: {words(reason)}}}"
        case Text(text=text):
            return words(text)
        case Strong(text=text):
            return rf"\textbf{{{words(text)}}}"
        case Code(text=text):
            return rf"\texttt{{{latex_code(text)}}}"
        case Link(text=text):
            return words(text)
        case Badge(verdict=verdict, cause=cause, word=word):
            return badge(verdict, cause, word)
        case Glyph():
            return glyph(span)
        case Break():
            return r"\newline "


def glyph(item: Glyph) -> str:
    """A small drawing of an interval against zero and thresholds, with LaTeX's own picture commands."""
    found = places(item, _GLYPH_WIDTH, _GLYPH_PAD)
    parts = [] if found.zero is None else [rf"\put({found.zero},0){{\line(0,1){{16}}}}"]
    parts += [rf"\multiput({mark},0)(0,4){{4}}{{\line(0,1){{2}}}}" for mark in found.marks]
    length = round(found.high - found.low, 1)
    parts.append(rf"\put({found.low},8){{\linethickness{{1.1pt}}\line(1,0){{{length}}}}}")
    parts.append(rf"\put({found.at},8){{\circle*{{6}}}}")
    return rf" {{\unitlength=0.5pt\begin{{picture}}({_GLYPH_WIDTH},16){''.join(parts)}\end{{picture}}}}"


def badge(verdict: str, cause: str = "", word: str = "") -> str:
    """A verdict as a sign and a word."""
    sign = f"{VERDICT_MARK[verdict]}~" if verdict in VERDICT_MARK else ""
    tail = f" ({latex(cause_text(cause))})" if cause else ""
    return f"{sign}{latex(word or verdict)}{tail}"


def words(text: str) -> str:
    """Text whose long words may break, since a narrow column cannot hold them."""
    return "".join(latex_code(w) if len(w) > _BREAKABLE else latex(w) for w in re.split(r"(\s+)", text))


def _numeric(table: Table, columns: Columns) -> str:
    stacked = columns == "single"
    bare = [_bare_format(table, at) for at in range(len(table.columns))]
    kinds = [
        form or ("l" if column.align == "text" else "r")
        for form, column in zip(bare, table.columns, strict=True)
    ]
    if max((len(_plain(row.cells[0])) for row in table.rows), default=0) > _LONG_LABEL:
        kinds[0] = r">{\raggedright\arraybackslash}p{0.34\linewidth}"
    heads = [
        f"{{{latex(column.header)}}}" if form else latex(column.header)
        for form, column in zip(bare, table.columns, strict=True)
    ]
    reasons = _reasons(table)
    size = r"\footnotesize\setlength{\tabcolsep}{3.5pt}" if stacked else r"\small"
    lines = [
        rf"\begin{{adjustbox}}{{max width=\linewidth,max totalheight=0.9\textheight}}{size}",
        rf"\begin{{tabular}}{{@{{}}{''.join(kinds)}@{{}}}}",
        r"\toprule",
        " & ".join(heads) + r" \\",
        r"\midrule",
        *_rows(table, stacked=stacked, bare=bare, reasons=reasons),
        r"\bottomrule",
        r"\end{tabular}",
        r"\end{adjustbox}",
    ]
    notes = [rf"\textsuperscript{{{mark}}}~not measured: {words(why)}." for why, mark in reasons.items()]
    if notes:
        lines.append(rf"\par\smallskip\parbox{{\linewidth}}{{\footnotesize\raggedright {' '.join(notes)}}}")
    return "\n".join(lines)


def _reasons(table: Table) -> dict[str, str]:
    """The reasons for missing entries, each with the letter that refers to it."""
    found: dict[str, str] = {}
    for row in table.rows:
        for cell in row.cells:
            for span in cell:
                if isinstance(span, NotMeasured) and span.reason not in found:
                    found[span.reason] = "abcdefghijklmnopqrstuvwxyz"[len(found) % 26]
    return found


def _prose(table: Table) -> str:
    kinds = _paragraph_columns(table)
    heads = " & ".join(rf"\textbf{{{latex(column.header)}}}" for column in table.columns)
    lines = [
        r"{\footnotesize",
        rf"\begin{{tabular}}{{@{{}}{kinds}@{{}}}}",
        r"\toprule",
        heads + r" \\",
        r"\midrule",
        *_rows(table),
        r"\bottomrule",
        r"\end{tabular}}",
    ]
    return "\n".join(lines)


def _rows(
    table: Table, *, stacked: bool = False, bare: Sequence[str] = (), reasons: Mapping[str, str] | None = None
) -> list[str]:
    lines: list[str] = []
    group = ""
    for row in table.rows:
        if row.group != group:
            group = row.group
            rule = [r"\addlinespace"] if lines else []
            head = rf"\multicolumn{{{len(table.columns)}}}{{@{{}}l}}{{\textit{{{latex(group)}}}}} \\"
            lines += [*rule, head] if group else rule
        if len(row.cells) != len(table.columns):
            raise ValueError(f"Table {table.id}: {len(row.cells)} entries for {len(table.columns)} columns")
        forms = bare or [""] * len(row.cells)
        cells = [
            _cell(cell, stacked=stacked, form=form, reasons=reasons or {})
            for cell, form in zip(row.cells, forms, strict=True)
        ]
        if lines and not bare:
            # Before a row and never after the last one, which would open an empty page.
            lines.append(r"\addlinespace[1.5pt]")
        indent = r"\quad " if row.kind == "part" else ""
        lines.append(f"{indent}{' & '.join(cells)} \\\\")
    return lines


def _cell(cell: Spans, *, stacked: bool, form: str, reasons: Mapping[str, str]) -> str:
    if form and len(cell) == 1 and isinstance(cell[0], Number):
        return show(cell[0]).value
    parts = [
        rf"--\textsuperscript{{{reasons[span.reason]}}}"
        if isinstance(span, NotMeasured) and span.reason in reasons
        else _span(span, stacked=stacked)
        for span in cell
    ]
    text = "".join(parts)
    # A bracket at the start of a row would be read as an argument of the line break before it.
    return f"{{}}{text}" if text.startswith(("[", "*")) else text


def _bare_format(table: Table, at: int) -> str:
    """The siunitx column for numbers without intervals, marks or units; else nothing."""
    entries = [row.cells[at] for row in table.rows if row.cells[at]]
    numbers = [cell[0] for cell in entries if len(cell) == 1 and isinstance(cell[0], Number)]
    if not numbers or len(numbers) < len(entries) or not all(_is_bare(item) for item in numbers):
        return ""
    texts = [show(item).value for item in numbers]
    whole = max(len(text.lstrip("-").partition(".")[0]) for text in texts)
    decimal = max(len(text.partition(".")[2]) for text in texts)
    sign = "-" if any(text.startswith("-") for text in texts) else ""
    return f"S[table-format={sign}{whole}.{decimal}]"


def _is_bare(item: Number) -> bool:
    plain = item.low is None and not any((item.standing, item.unit, item.bold, item.coverage))
    return plain and re.fullmatch(r"-?\d+(\.\d+)?", show(item).value) is not None


def _plain(cell: Spans) -> str:
    return "".join(_span_text(span) for span in cell)


def _span_text(span: Span) -> str:
    match span:
        case Number():
            return show(span).plain
        case NotMeasured(reason=reason):
            return f"not measured: {reason}"
        case Badge(verdict=verdict, cause=cause, word=word):
            return f"* {word or verdict}" + (f" ({cause_text(cause)})" if cause else "")
        case Glyph() | Break():
            return " "
        case Text(text=text) | Strong(text=text) | Code(text=text) | Link(text=text):
            return text


def _widths(table: Table) -> list[float]:
    """Shares of the line for each column, so that every unbreakable word fits.

    A column gets at least its longest word; what is left is shared by the square root of the
    longest entry, so that long prose does not starve the rest.
    """
    least: list[float] = []
    wish: list[float] = []
    for at, column in enumerate(table.columns):
        texts = [_plain(row.cells[at]) for row in table.rows]
        found = [min(len(word), _BREAKABLE) for text in (*texts, column.header) for word in text.split()]
        if any(isinstance(span, Glyph) for row in table.rows for span in row.cells[at]):
            found.append(_DRAWING)
        least.append(max(found, default=1) + 1.5)
        wish.append(math.sqrt(max((len(text) for text in texts), default=1)))
    room = _LINE - _GAP * (len(least) - 1)
    spare = max(0.0, room - sum(least))
    total = max(sum(least), room)
    return [(low + spare * part / sum(wish)) / total for low, part in zip(least, wish, strict=True)]


def _paragraph_columns(table: Table) -> str:
    kinds = []
    for share, column in zip(_widths(table), table.columns, strict=True):
        ragged = r"\raggedleft" if column.align == "number" else r"\raggedright"
        width = rf"\dimexpr {share:.4f}\linewidth-2\tabcolsep\relax"
        kinds.append(rf">{{{ragged}\arraybackslash\hspace{{0pt}}}}p{{{width}}}")
    return "".join(kinds)
