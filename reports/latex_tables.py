r"""Tables in LaTeX: booktabs, numbers aligned at fixed precision, never wider than their column.

A table of numbers becomes one ``tabular`` whose intervals stand beside the values (double
column) or below them (single column); an ``adjustbox`` shrinks it only if it would stick out.
A table of prose gets columns of fixed width, shared out by the length of its words.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Literal

from reports.document import (
    Badge,
    Break,
    Code,
    Column,
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
from reports.latex_widths import (
    BREAKABLE,
    LINE,
    LONG_LABEL,
    TURNED_LINE,
    is_prose,
    long_note,
    plain_text,
    widths,
)
from reports.text import Shown, cause_text, sentence, show

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
_GLYPH_WIDTH = 100
_GLYPH_PAD = 5


def tabular(table: Table, columns: Columns = "double") -> str:
    r"""One table, ready for ``\input`` inside a ``table`` environment.

    Args:
        table: What to set.
        columns: Whether it must fit a single column of a two-column page.
    """
    return _prose(table) if is_prose(table) else _numeric(table, columns)


def longtable(table: Table, caption: str, *, turned: bool = False) -> str:
    """A table of prose that may run over pages, with its caption above; turned, its lines are longer."""
    kinds = _paragraph_columns(table, TURNED_LINE if turned else LINE)
    head = " & ".join(rf"\textbf{{{_heading(column)}}}" for column in table.columns) + r" \\"
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
    if not stacked:
        return f"{value} {ends}"
    # The value, and not the interval below it, stands in the line of the row's name.
    return rf"\begin{{tabular}}[t]{{@{{}}r@{{}}}}{value}\\{ends}\end{{tabular}}"


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
    return "".join(latex_code(w) if len(w) > BREAKABLE else latex(w) for w in re.split(r"(\s+)", text))


def _numeric(table: Table, columns: Columns) -> str:
    stacked = columns == "single"
    bare = [_bare_format(table, at) for at in range(len(table.columns))]
    kinds = [
        form or ("l" if column.align == "text" else "r")
        for form, column in zip(bare, table.columns, strict=True)
    ]
    if max((len(plain_text(row.cells[0])) for row in table.rows), default=0) > LONG_LABEL:
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
    notes = [rf"\textsuperscript{{{mark}}}~{sentence(words(why))}" for why, mark in reasons.items()]
    if notes:
        lines.append(rf"\par\smallskip\parbox{{\linewidth}}{{\footnotesize\raggedright {' '.join(notes)}}}")
    return "\n".join(lines)


def _reasons(table: Table) -> dict[str, str]:
    """Why entries are missing, and what the paper says in words, each with the letter that refers to it."""
    found: dict[str, str] = {}
    for row in table.rows:
        for cell, column in zip(row.cells, table.columns, strict=True):
            note = long_note(cell, column)
            if note and note not in found:
                found[note] = "abcdefghijklmnopqrstuvwxyz"[len(found) % 26]
    return found


def _prose(table: Table) -> str:
    kinds = _paragraph_columns(table)
    heads = " & ".join(rf"\textbf{{{_heading(column)}}}" for column in table.columns)
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
            _cell(cell, stacked=stacked, form=form, mark=(reasons or {}).get(long_note(cell, column), ""))
            for cell, form, column in zip(row.cells, forms, table.columns, strict=True)
        ]
        if lines and not bare:
            # Before a row and never after the last one, which would open an empty page.
            lines.append(r"\addlinespace[1.5pt]")
        indent = r"\quad " if row.kind == "part" else ""
        lines.append(f"{indent}{' & '.join(cells)} \\\\")
    return lines


def _cell(cell: Spans, *, stacked: bool, form: str, mark: str) -> str:
    if form and len(cell) == 1 and isinstance(cell[0], Number):
        return show(cell[0]).value
    parts = [
        rf"--\textsuperscript{{{mark}}}"
        if mark and isinstance(span, NotMeasured | Text)
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


def _paragraph_columns(table: Table, line: float = LINE) -> str:
    kinds = []
    for share, column in zip(widths(table, line), table.columns, strict=True):
        ragged = r"\raggedleft" if column.align == "number" else r"\raggedright"
        width = rf"\dimexpr {share:.4f}\linewidth-2\tabcolsep\relax"
        kinds.append(rf">{{{ragged}\arraybackslash\hspace{{0pt}}}}p{{{width}}}")
    return "".join(kinds)


def _heading(column: Column) -> str:
    """What stands above a narrow column, which may have to break at a hyphen."""
    return " ".join(latex_code(word) if "-" in word else latex(word) for word in column.header.split(" "))
