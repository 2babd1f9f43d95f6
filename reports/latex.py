r"""LaTeX: a standalone document, one file a table, one command a number.

pdfLaTeX is the engine, since it is what papers are compiled with; text it cannot set is spelt
out (:mod:`reports.latex_text`). Tables need ``booktabs``, ``array``, ``siunitx`` and
``adjustbox``.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache

from jinja2 import Environment, PackageLoader, StrictUndefined

from reports.document import (
    Block,
    Bullets,
    Card,
    Document,
    Facts,
    Figure,
    Listing,
    Paragraph,
    Section,
    Spans,
    Table,
    Tally,
)
from reports.latex_split import FIGURE_WIDTH, LANDSCAPE, LINE_WIDTH, layout, panels, split
from reports.latex_tables import (
    Columns,
    badge,
    longtable,
    number,
    spans,
    tabular,
    words,
)
from reports.latex_text import latex, latex_code
from reports.latex_widths import is_crowded, is_prose, natural_width
from reports.sample_views import Branch, Trajectories, Trajectory, Tree
from reports.text import sentence

_DEEPEST = 12
"""Steps to the right, after which a tree is no longer indented further."""


class Tex(str):
    """Text that is LaTeX already; a template escapes everything else."""

    __slots__ = ()


def render(document: Document) -> str:
    """The report of at most eight pages; it inputs ``preamble.tex``, ``tables/`` and ``figures/``."""
    parts = split(document)
    return (
        environment()
        .get_template("report.tex.j2")
        .render(
            document=document,
            body=_sections(parts.body, floating=True),
            facts=[(term, Tex(spans(items))) for term, items in document.facts],
            abstract=[Tex(spans(items)) for items in document.abstract],
            appendix=[section.title for section in parts.appendix],
            elsewhere=parts.elsewhere,
        )
    )


def render_appendix(document: Document) -> str:
    r"""All that the report has no room for: a document of its own, and a file for ``\input``."""
    body = _sections(split(document).appendix)
    return environment().get_template("appendix.tex.j2").render(document=document, body=body)


def render_preamble(document: Document) -> str:
    """The packages and environments of both."""
    return environment().get_template("preamble.tex.j2").render(document=document)


def _sections(sections: Sequence[Section], *, floating: bool = False) -> list[tuple[str, str, list[Tex]]]:
    made = block if not floating else _floating
    return [(section.id, section.title, [Tex(made(item)) for item in section.blocks]) for section in sections]


@cache
def environment() -> Environment:
    r"""Templates with ``\VAR{}`` and ``\BLOCK{}``, in which every value is escaped."""
    return Environment(
        loader=PackageLoader("reports"),
        undefined=StrictUndefined,
        # HTML escaping would be wrong here; ``finalize`` escapes for LaTeX instead.
        autoescape=False,  # noqa: S701
        finalize=_finalise,
        block_start_string=r"\BLOCK{",
        block_end_string="}",
        variable_start_string=r"\VAR{",
        variable_end_string="}",
        comment_start_string=r"\COMMENT{",
        comment_end_string="}",
        trim_blocks=True,
        lstrip_blocks=True,
    )


def _finalise(value: object) -> str:
    return value if isinstance(value, Tex) else latex(str(value))


def table_file(document: Document, table: Table, columns: Columns) -> str:
    r"""One table as a file for ``\input``, with a comment on where it comes from."""
    environment_name = "table" if columns == "single" else "table*"
    return "\n".join(
        [
            f"% Table {latex(table.id)} of suite {latex(document.slug)}, profile {latex(document.profile)},",
            f"% run {latex(document.run)}, code {latex(document.commit)}. Generated: do not edit.",
            rf"% Needs booktabs, array, siunitx, adjustbox; \input it inside {environment_name}.",
            tabular(table, columns),
            "",
        ]
    )


def block(item: Block) -> str:
    """One block in LaTeX."""
    match item:
        case Paragraph():
            return _paragraph(item)
        case Bullets(items=items):
            points = "\n".join(rf"\item {spans(point)}" for point in items)
            return f"\\begin{{itemize}}\n{points}\n\\end{{itemize}}"
        case Facts(items=items):
            return _facts(items)
        case Listing(lines=lines):
            return _listing(lines)
        case Table():
            return _table(item)
        case Figure():
            return _figure(item)
        case Trajectories():
            return "\n\n".join([rf"\textbf{{{words(item.caption)}}}", *(_course(one) for one in item.items)])
        case Tree():
            return "\n\n".join([rf"\textbf{{{words(item.caption)}}}", *_branch(item.root, 0)])
        case Tally(title=title, counts=counts):
            return f"{words(title)}: " + r"\quad ".join(
                f"{number(count)} {badge(verdict)}" for verdict, count in counts
            )
        case Card():
            return _card(item)


def _paragraph(item: Paragraph) -> str:
    text = spans(item.spans)
    return text if item.kind == "text" else rf"\emph{{{text}}}"


def _facts(items: tuple[tuple[str, Spans], ...]) -> str:
    points = "\n".join(rf"\item[{words(term)}] {spans(value)}" for term, value in items)
    return f"\\begin{{facts}}\n{points}\n\\end{{facts}}"


def _listing(lines: tuple[str, ...]) -> str:
    body = "\\\\\n".join(rf"\texttt{{{latex_code(line)}}}" for line in lines)
    return f"\\begin{{listing}}\n{body}\n\\end{{listing}}"


def _caption(item: Table | Figure) -> str:
    notes = item.notes if isinstance(item, Table) else ()
    return " ".join([spans(item.caption), *(spans(note) for note in notes)])


def _table(item: Table) -> str:
    if not item.rows:
        return "\n".join(_placed(item, "H", ""))
    if is_prose(item):
        return _long(item)
    inner = rf"\input{{tables/{item.id}}}" if item.export else tabular(item)
    lines = [*_placed(item, "H", inner)]
    if natural_width(item) > LANDSCAPE * LINE_WIDTH:
        lines = [r"\begin{landscape}", *lines, r"\end{landscape}"]
    return "\n".join(lines)


def _long(item: Table) -> str:
    turned = is_crowded(item)
    text = f"{{\\footnotesize\n{longtable(item, _caption(item), turned=turned)}\n}}"
    return f"\\begin{{landscape}}\n{text}\n\\end{{landscape}}" if turned else text


def _placed(item: Table, where: str, inner: str, kind: str = "table") -> list[str]:
    return [
        rf"\begin{{{kind}}}[{where}]\centering",
        rf"\caption{{{_caption(item)}}}\label{{tab:{item.id}}}",
        inner,
        rf"\end{{{kind}}}",
    ]


def _floating(item: Block) -> str:
    """A block of the report, where tables and figures stand wherever there is room for them."""
    if isinstance(item, Figure):
        return _figure(item, "htbp", FIGURE_WIDTH)
    if not isinstance(item, Table):
        return block(item)
    source = rf"\input{{tables/{item.id}}}" if item.export else tabular(item)
    match layout(item):
        case "long":
            return _long(item)
        case "whole":
            return "\n".join(_placed(item, "htbp", source))
        case "panels":
            return "\n".join(_placed(item, "htbp", "\n\\par\\medskip\n".join(map(tabular, panels(item)))))
        case "turned":
            # A table shrinks until it fits the height of a page, which is now its width.
            inner = rf"{{\setlength{{\textheight}}{{0.85\textwidth}}{source}}}"
            return "\n".join(_placed(item, "p", inner, "sidewaystable"))


def _figure(item: Figure, where: str = "H", width: float = 0.78) -> str:
    missing = " ".join(f"{words(name)}: not measured, {words(reason)}." for name, reason in item.missing)
    drawing = rf"\includegraphics[width={width:g}\linewidth]{{figures/{item.id}.pdf}}" if item.lines else ""
    return "\n".join(
        [
            rf"\begin{{figure}}[{where}]\centering",
            drawing,
            rf"\caption{{{_caption(item)} {missing}}}\label{{fig:{item.id}}}",
            r"\end{figure}",
        ]
    )


def _course(item: Trajectory) -> str:
    mark = rf"\quad\textit{{{words(item.mark)}}}" if item.mark else ""
    steps = "\n".join(
        rf"\item[{words(step.kind)}] {_typed(step.lines)}" for step in item.steps if step.text.strip()
    )
    listed = f"\n\\begin{{facts}}\n{steps}\n\\end{{facts}}" if steps else ""
    return rf"\textit{{{words(item.heading)}}}{mark}\par{{\small{listed}}}"


def _branch(item: Branch, depth: int) -> list[str]:
    """A node and those below it, each in a box as far to the right as it is deep."""
    edge = rf"\textbf{{{words(item.edge)}}}\quad " if item.edge else ""
    note = rf"\\\textit{{{words(item.note)}}}" if item.note else ""
    shift = rf"{min(depth, _DEEPEST) * 1.5:g}em"
    box = rf"\hspace*{{{shift}}}\begin{{minipage}}[t]{{\dimexpr\linewidth-{shift}}}\small\raggedright "
    text = f"{box}{edge}{_typed(item.lines)}{note}\\end{{minipage}}\\par"
    return [text, *(line for one in item.below for line in _branch(one, depth + 1))]


def _typed(lines: Sequence[str]) -> str:
    return "\\\\\n".join(rf"\texttt{{{latex_code(line)}}}" for line in lines if line.strip())


def _card(item: Card) -> str:
    marks = [
        badge(item.verdict, item.cause),
        item.parts and f"{item.parts} parts",
        "exploratory" * item.exploratory,
    ]
    head = "; ".join(mark for mark in marks if mark)
    parts = [
        rf"\claim{{{latex(item.claim)}}}{{{head}}}",
        rf"\textit{{{words(item.statement)}}}\par",
        f"{sentence(words(item.reason))} {sentence(words(item.scope))}",
        *(block(inner) for inner in item.blocks),
    ]
    return "\n\n".join(parts)
