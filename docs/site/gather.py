"""Gather the pages of the site from where they are kept: ``python docs/site/gather.py TARGET REPORTS``.

The site has no texts of its own but its front page. Pages stand in ``TARGET`` as they stand in the
repository, so that a link between two of them works in both. A link to a file of code leads to a page
that shows the file; an example becomes a page of its text and code.
"""

from __future__ import annotations

import ast
import os
import re
import shutil
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PAGES = (
    "*.md",
    "docs/*.md",
    "docs/methods/*.md",
    "docs/papers/*.md",
    "examples/*/README.md",
    "benchmarks/results/*.md",
)
EXAMPLES = "examples/*.py"
MODULES = ("harness.method", "harness.suite", "harness.claims", "harness.store")
"""What is public beside the names that pages on methods import."""
IMAGES = {".png", ".svg"}
LANGUAGES = {
    ".py": "python",
    ".toml": "toml",
    ".json": "json",
    ".cff": "yaml",
    ".sh": "bash",
    ".yaml": "yaml",
}
FENCE = re.compile(r"^ *```(\w*)[^\n]*\n(.*?)^ *```$", flags=re.MULTILINE | re.DOTALL)
LINK = re.compile(r"(?<=\]\()(?!\w+:|#|<)([^)#\s]+)(?=[)#])")
CELL = re.compile(r"^# %%(?P<text> \[markdown\])?.*\n", flags=re.MULTILINE)
INDEX = "index.md"
REPORTS_SAY = """\
What the suites found, as committed with them. Each report has all verdicts, tables and figures, and is a page
by itself. <a href="reports/index.html">All of them on one page</a>."""
EXAMPLES_SAY = """\
A script a method, on material of its own: `python examples/spectr.py`, or open it as a notebook in an editor
that knows cells, or through jupytext. And packages that add a method of one's own to a suite."""


class GatherError(Exception):
    """A page that cannot be shown; the message says which, why, and what to do."""


@dataclass
class Site:
    """The pages so far, by their place in the repository, and the files that links lead to."""

    root: Path
    pages: dict[str, str] = field(default_factory=dict)
    shown: set[str] = field(default_factory=set)
    images: set[str] = field(default_factory=set)

    def add(self, place: str, text: str) -> None:
        """Take a page in, once."""
        if place in self.pages:
            raise GatherError(f"{place}: two pages have this place; rename one.")
        self.pages[place] = text

    def target(self, page: str, link: str) -> str:
        """Where a link of a page leads on the site, relative to the page.

        Raises:
            GatherError: If there is no such file or folder.
        """
        folder = os.path.dirname(page)  # noqa: PTH120 (a place in the repository, not a file)
        place = os.path.normpath(os.path.join(folder, link))  # noqa: PTH118
        found = self.root / place
        if found.is_dir():
            place = f"{place}/{INDEX}"
            if place not in self.pages:
                raise GatherError(f"{page}: {link!r} is a folder without a page; link a file of it.")
        elif f"{place}.md" in self.pages:
            place = f"{place}.md"
        elif place not in self.pages:
            if not found.exists():
                raise GatherError(f"{page}: the link {link!r} leads nowhere; correct it.")
            if found.suffix in IMAGES:
                self.images.add(place)
            else:
                self.shown.add(place)
                place = f"{place}.md"
        return os.path.relpath(place, folder or ".")


def cells(source: str) -> Iterator[tuple[bool, str]]:
    """The cells of a script in percent format: whether a cell is text, and what it holds."""
    parts = CELL.split(source)
    if parts[0].strip():
        yield False, parts[0].strip()
    for marked, body in zip(parts[1::2], parts[2::2], strict=True):
        if marked:
            lines = [line.removeprefix("#").removeprefix(" ") for line in body.strip().splitlines()]
            yield True, "\n".join(lines)
        elif body.strip():
            yield False, body.strip()


def example_page(place: str, source: str) -> str:
    """A script in percent format as a page: its text, its code, and how it is run."""
    parts = [body if text else f"```python\n{body}\n```" for text, body in cells(source)]
    run = f"Run it: `python {place}`, or open it as a notebook."
    return "\n\n".join([*parts, run, ""])


def public_names(page: str) -> dict[str, list[str]]:
    """The names that the code of a page imports from ``methods``, by module."""
    found: dict[str, set[str]] = {}
    for language, code in FENCE.findall(page):
        if language == "python":
            for node in ast.walk(ast.parse(code)):
                if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("methods."):
                    found.setdefault(str(node.module), set()).update(alias.name for alias in node.names)
    return {module: sorted(names) for module, names in sorted(found.items())}


def documented(module: str, members: str = "") -> str:
    """A module by its docstrings, or only the named members of it."""
    option = f":members: {members}".rstrip()
    return f"```{{eval-rst}}\n.. autoapimodule:: {module}\n   {option}\n```"


def add_reference(site: Site) -> None:
    """A page of each public module, and of each that a page on a method imports from."""
    names: dict[str, set[str]] = {module: set() for module in MODULES}
    for place in sorted(site.pages):
        if place.startswith("docs/methods/") and (found := public_names(site.pages[place])):
            for module, imported in found.items():
                names.setdefault(module, set()).update(imported)
            links = ", ".join(f"[{module}](../../api/{module}.md)" for module in found)
            site.pages[place] += f"\nWhat the names imported here say of themselves: {links}.\n"
    for module, some in names.items():
        site.add(f"api/{module}.md", f"# {module}\n\n{documented(module, ', '.join(sorted(some)))}\n")
    text = "What modules say of themselves: the contract, and what pages on methods import."
    site.add(f"api/{INDEX}", f"# API\n\n{text}\n\n{tree(*names)}\n")


def tree(*entries: str) -> str:
    """A table of contents."""
    listed = "\n".join(entries)
    return f"```{{toctree}}\n:maxdepth: 1\n:glob:\n\n{listed}\n```"


def add_index(site: Site, folder: str, title: str, text: str, *patterns: str) -> None:
    """The page of a folder: all pages that are in it."""
    site.add(f"{folder}/{INDEX}", f"# {title}\n\n{text}\n\n{tree(*(patterns or '*'))}\n")


def add_reports(site: Site, reports: Path) -> None:
    """The page that leads to the reports of the committed results, with the verdicts that each has.

    Raises:
        GatherError: If a suite with committed results has no report.
    """
    parts = [
        "# Reports",
        REPORTS_SAY,
    ]
    for record in sorted(site.root.glob("suites/*/paper.toml")):
        slug = record.parent.name.replace("_", "-")
        for results in sorted(record.parent.glob("reference/*/")):
            folder = reports / "references" / f"{slug}-{results.name}"
            summary = folder / "summary.md"
            if not summary.exists() or not (folder / "index.html").exists():
                raise GatherError(f"{slug}: no report in {folder}; build the site without --keep-reports.")
            place = f"reports/references/{folder.name}/index.html"
            parts += report_entry(summary.read_text(encoding="utf-8"), slug, place)
            card = f"docs/papers/{slug}.md"
            if card in site.pages:
                link = f'<a href="../../{place}">report of the committed results</a>'
                site.pages[card] = noted(site.pages[card], f"What was found: the {link}.")
    site.add("reports.md", "\n\n".join([*parts, ""]))


def report_entry(summary: str, slug: str, place: str) -> list[str]:
    """The title of a report, and its lines that count verdicts, as the report writes them."""
    title = summary.partition("\n")[0].removeprefix("# ")
    counts = [line for line in summary.splitlines() if re.match(r"(The )?\d+ (claim|part)", line)]
    if not counts:
        raise GatherError(f"{slug}: its summary counts no verdicts; report_entry() reads another form.")
    return [
        f"## {slug}",
        f'<a href="{place}">{title}</a>',
        *counts,
        f"Paper: [the card](docs/papers/{slug}.md)",
    ]


def noted(page: str, note: str) -> str:
    """A page with a note under its title."""
    title, _, rest = page.partition("\n")
    return f"{title}\n\n{note}\n{rest}"


def gather(root: Path, reports: Path) -> Site:
    """All pages of the site, links adapted."""
    site = Site(root)
    for pattern in PAGES:
        for path in sorted(root.glob(pattern)):
            site.add(path.relative_to(root).as_posix(), path.read_text(encoding="utf-8"))
    for path in sorted(root.glob(EXAMPLES)):
        place = path.relative_to(root).as_posix()
        site.add(f"{place}.md", example_page(place, path.read_text(encoding="utf-8")))
    add_index(site, "docs/methods", "Methods", "Each method for models and data of one's own.")
    add_index(
        site, "docs/papers", "Papers", "What each suite takes from its paper, and how far it was verified."
    )
    add_index(site, "examples", "Examples", EXAMPLES_SAY, "*", "*/README")
    add_index(site, "benchmarks/results", "Benchmarks", "What was measured of this code itself.")
    add_reference(site)
    add_reports(site, reports)
    site.add(INDEX, (root / "docs" / "site" / "front.md").read_text(encoding="utf-8"))
    for place, text in list(site.pages.items()):
        site.pages[place] = with_links(site, place, text)
    for place in sorted(site.shown):
        site.pages[f"{place}.md"] = source_page(place, (root / place).read_text(encoding="utf-8"))
    return site


def with_links(site: Site, place: str, text: str) -> str:
    """A page with its links as they are on the site; code is left alone."""
    parts, end = [], 0
    for fence in re.finditer(r"^ *```.*?^ *```$|`[^`\n]+`", text, flags=re.MULTILINE | re.DOTALL):
        parts += [LINK.sub(lambda found: site.target(place, found[1]), text[end : fence.start()]), fence[0]]
        end = fence.end()
    return "".join([*parts, LINK.sub(lambda found: site.target(place, found[1]), text[end:])])


def source_page(place: str, source: str) -> str:
    """A file as a page; it is in no table of contents."""
    fence = "`" * max(3, 1 + max((len(run) for run in re.findall("`+", source)), default=0))
    language = LANGUAGES.get(Path(place).suffix, "text")
    return f"---\norphan: true\nnosearch: true\n---\n\n# {place}\n\n{fence}{language}\n{source}\n{fence}\n"


def write(site: Site, target: Path) -> None:
    """Write the pages anew."""
    shutil.rmtree(target, ignore_errors=True)
    for place, text in site.pages.items():
        path = target / place
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    for place in site.images:
        (target / place).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(site.root / place, target / place)


if __name__ == "__main__":
    try:
        write(gather(ROOT, Path(sys.argv[2])), Path(sys.argv[1]))
    except GatherError as error:
        sys.exit(f"error: {error}")
