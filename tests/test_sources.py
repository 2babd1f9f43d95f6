"""What code, reports and pages cite is there: sections of cards, files behind links, forms of claims."""

from __future__ import annotations

import ast
import re
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import pytest

from harness.claims.forms import FORMS

ROOT = Path(__file__).parents[1]
PAPERS = ROOT / "docs" / "papers"
EVIDENCE = ROOT / "docs" / "evidence.md"
SLUGS = sorted(
    tomllib.loads(path.read_text(encoding="utf-8"))["slug"] for path in ROOT.glob("suites/*/paper.toml")
)
COMMON = "common"

NUMBER = r"\d+(?:\.\d+)*"
SECTIONS = rf"(?:sections?\s+|§\s*){NUMBER}(?:(?:,\s*|\s+and\s+|\s*[-–]\s*)(?:section\s+|§\s*){NUMBER})*"
PLURAL = rf"sections\s+{NUMBER}(?:(?:,\s*|\s+and\s+|\s*[-–]\s*){NUMBER})*"
CITED = re.compile(
    rf"\bcard(?:'s)?,?\s+(?P<after>{PLURAL}|{SECTIONS})"
    rf"|(?P<before>{PLURAL}|{SECTIONS})\s+of\s+the\s+(?:paper's\s+|paper\s+)?card\b"
)
CLAIM = re.compile(r"\bcard,?\s+claim\s+([A-Z]\d+)\b")
ITEM = re.compile(r"\bcard\b[^.;\"()]{0,20}?\b((?:pitfall|lesson|set-up)\s+\w+)")
"""Items of a list in a section: "card §8, pitfall 12"."""
LOOSE = re.compile(
    r"\bcard\b[^.;:\"]{0,25}(?:§|\bsections?\s+\d)|(?:§\s*|\bsections?\s+)\d[\d., ]*of the \S* ?card\b"
)
"""Whatever looks like a citation, so that a new way to write one is not passed over."""


@dataclass(frozen=True)
class Citation:
    """A section (``"3.4"``), claim (``"C9"``) or item (``"pitfall 2"``) of a card, and where it is cited."""

    where: str
    slug: str
    name: str


def joined(text: str) -> str:
    """The text with sentences that go over several lines, strings or comments in one."""
    return re.sub(r"[\"']?[ \t]*\n[ \t]*(?:#+[ \t]*)?(?:[rf]?[\"'](?![\"']))?", " ", text)


def slug_of(path: Path, root: Path) -> str:
    """The paper that a file is about: ``methods/lora_rite/…`` is about ``lora-rite``; or ``common``."""
    parts = path.relative_to(root).parts
    folder = parts[2] if parts[0] == "tests" else parts[1]
    return folder.replace("_", "-")


def sources(root: Path) -> Iterator[Path]:
    """Modules and declarations of methods and suites, and their tests."""
    for folder in ("methods/*", "suites/*", "tests/methods/*", "tests/suites/*"):
        for kind in ("*.py", "*.toml"):
            yield from sorted(path for one in root.glob(folder) if one.is_dir() for path in one.rglob(kind))


@cache
def citations(root: Path) -> list[Citation]:
    """All that is cited of cards."""
    found = []
    for path in sources(root):
        text, name = joined(path.read_text(encoding="utf-8")), path.relative_to(root).as_posix()
        for match in CITED.finditer(text):
            numbers = re.findall(NUMBER, match["after"] or match["before"])
            found += [Citation(name, slug_of(path, root), number) for number in numbers]
        named = [*CLAIM.findall(text), *ITEM.findall(text)]
        found += [Citation(name, slug_of(path, root), what) for what in named]
    return found


def headings(page: Path) -> set[str]:
    """Numbers of a page's headings: "## 9. Small scale" gives 9, "### 3.4 Defaults" 3.4."""
    text = page.read_text(encoding="utf-8")
    return set(re.findall(rf"^#{{2,4}} ({NUMBER})\.?(?=\s|$)", text, flags=re.MULTILINE))


def says(page: Path, name: str) -> bool:
    """Whether a page names a claim, or has an item of that number: "Pitfall 12", "12." or "(12)"."""
    text = page.read_text(encoding="utf-8")
    if re.search(rf"\b{re.escape(name)}\b", text, flags=re.IGNORECASE):
        return True
    number = name.partition(" ")[2]
    listed = rf"^\s*{re.escape(number)}\.\s|\({re.escape(number)}\)"
    return bool(number and re.search(listed, text, flags=re.MULTILINE))


def unresolved(found: list[Citation], papers: Path) -> list[str]:
    """Citations that lead nowhere, with the reason."""
    faults = []
    for one in found:
        page = papers / f"{one.slug}.md"
        if one.slug == COMMON:
            faults.append(f"{one.where}: 'card, {one.name}' does not say of which paper")
        elif not page.is_file():
            faults.append(f"{one.where}: there is no page {page.name}")
        elif one.name[0].isdigit() and one.name not in headings(page):
            faults.append(f"{one.where}: {page.name} has no section {one.name}")
        elif not says(page, one.name):
            faults.append(f"{one.where}: {page.name} says nothing of {one.name}")
    return list(dict.fromkeys(faults))


@pytest.mark.parametrize("slug", SLUGS)
def test_every_paper_has_its_card(slug: str) -> None:
    assert (PAPERS / f"{slug}.md").is_file()


@pytest.mark.parametrize("slug", [*SLUGS, COMMON])
def test_every_citation_of_a_card_leads_to_a_section(slug: str) -> None:
    found = [one for one in citations(ROOT) if one.slug == slug]
    assert unresolved(found, PAPERS) == []


def test_citations_belong_to_papers_and_are_found() -> None:
    found = citations(ROOT)
    assert {one.slug for one in found} <= {*SLUGS, COMMON}
    assert len(found) > 100


def test_nothing_that_looks_like_a_citation_is_passed_over() -> None:
    passed = []
    for path in sources(ROOT):
        text = joined(path.read_text(encoding="utf-8"))
        read = [match.span() for match in CITED.finditer(text)]
        passed += [
            (path.relative_to(ROOT).as_posix(), match[0])
            for match in LOOSE.finditer(text)
            if not any(start < match.end() and match.start() < end for start, end in read)
        ]
    assert passed == []


@pytest.mark.parametrize(
    ("line", "numbers"),
    [
        ('source="card, section 9", doc="3 of 4"', ["9"]),
        ("# The card, section 3.4, and 5 more", ["3.4"]),
        ("(card, sections 3 and 4).", ["3", "4"]),
        ("(card §3.3, §10).", ["3.3", "10"]),
        ("as in section 3.4 of the card", ["3.4"]),
        ('reason="the "\n    "card, section 8"', ["8"]),
        ("# As the card,\n    # section 7, asks", ["7"]),
        ("card, claim C13", ["C13"]),
        ("(card §8, pitfall 12)", ["8", "pitfall 12"]),
        ("the card's pitfall 2 at its worst", ["pitfall 2"]),
        ('source="section 9", doc="a card"', []),
    ],
)
def test_citations_are_read_in_all_their_forms(line: str, numbers: list[str], tmp_path: Path) -> None:
    path = tmp_path / "methods" / "some_paper" / "method.py"
    path.parent.mkdir(parents=True)
    path.write_text(line + "\n", encoding="utf-8")
    found = citations(tmp_path)
    assert [one.name for one in found] == numbers
    assert {one.slug for one in found} <= {"some-paper"}


def test_what_leads_nowhere_is_told(tmp_path: Path) -> None:
    text = "# A\n\n## 3. Method\n\n### 3.4 Defaults\n\nC9 holds. Pitfalls:\n\n2. Ties.\n"
    (tmp_path / "a-b.md").write_text(text, encoding="utf-8")
    names = ("3", "3.4", "C9", "pitfall 2", "4", "3.40", "C1", "pitfall 3")
    cited = [Citation("m.py", "a-b", name) for name in names]
    lost = [Citation("m.py", "gone", "3"), Citation("m.py", COMMON, "3")]
    assert unresolved([*cited, *lost], tmp_path) == [
        "m.py: a-b.md has no section 4",
        "m.py: a-b.md has no section 3.40",
        "m.py: a-b.md says nothing of C1",
        "m.py: a-b.md says nothing of pitfall 3",
        "m.py: there is no page gone.md",
        "m.py: 'card, 3' does not say of which paper",
    ]


def prose(page: Path) -> str:
    """A page without code and formulas, in which brackets mean something else."""
    text = re.sub(r"^```.*?^```", "", page.read_text(encoding="utf-8"), flags=re.DOTALL | re.MULTILINE)
    return re.sub(r"`(?:[^`\n]|\n(?!\n))*`|\$\$.*?\$\$|\$(?:[^$\n]|\n(?!\n))*\$", "", text, flags=re.DOTALL)


def anchors(page: Path) -> set[str]:
    """What headings of a page are called in links, as GitHub does it."""
    text = re.sub(r"^```.*?^```", "", page.read_text(encoding="utf-8"), flags=re.DOTALL | re.MULTILINE)
    titles = re.findall(r"^#+ (.+)$", text, flags=re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", title.lower()).strip().replace(" ", "-") for title in titles}


def broken_links(page: Path) -> list[str]:
    """Relative links of a page that lead to no file, or to no heading of a page."""
    broken = []
    for link in re.findall(r"\]\(([^)\s]+)(?:\s[^)]*)?\)", prose(page)):
        if re.match(r"[a-z]+:", link):
            continue
        target, _, anchor = link.partition("#")
        place = page.parent / target if target else page
        if not place.exists() or (anchor and place.suffix == ".md" and anchor not in anchors(place)):
            broken.append(link)
    return broken


def pages() -> list[Path]:
    return sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), *ROOT.glob("examples/*/*.md")])


@pytest.mark.parametrize("page", pages(), ids=lambda path: path.relative_to(ROOT).as_posix())
def test_every_relative_link_leads_to_a_file(page: Path) -> None:
    assert broken_links(page) == []


def test_broken_links_are_found(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text(
        "# One & two\n\n[a](#one--two) [b](#three) [c](gone.md) [d](https://x.example) ![e](page.md)\n"
        "[f](page.md#one--two) [g](page.md#no) `[h](code)` $[i](x)$\n",
        encoding="utf-8",
    )
    assert broken_links(page) == ["#three", "gone.md", "page.md#no"]


def terms(page: Path) -> set[str]:
    """What a page explains: its headings and the terms that begin a paragraph in bold."""
    text = page.read_text(encoding="utf-8")
    found = re.findall(r"^#+ (.+)$|^\*\*([^*]+?)\.?\*\*", text, flags=re.MULTILINE)
    return {(heading or term).strip("`. ") for heading, term in found}


@pytest.mark.parametrize("form", sorted(FORMS))
def test_every_form_of_claim_is_described(form: str) -> None:
    assert form in terms(EVIDENCE)


@pytest.mark.parametrize("page", sorted(ROOT.glob("docs/**/*.md")), ids=lambda path: path.stem)
def test_files_that_pages_name_in_text_are_there(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    named = re.findall(
        r"`((?:benchmarks|harness|methods|reports|suites|tests)/[\w./-]+\.(?:py|toml|md))`", text
    )
    assert [name for name in named if not (ROOT / name).exists()] == []


BARE = re.compile(
    r"(?:in )?(?:the )?(?:sections?|appendix|tables?|figures?|theorem|definition|abstract|version|ablation)\b"
    r"|(?:main|in-domain) table|tuned\b|unspecified\b|not stated\b",
    re.IGNORECASE,
)
"""Begins a source that does not say of what work it names a place, or who chose the value."""


def parameter_sources(tree: ast.AST) -> Iterator[str]:
    """The texts given as ``source`` to parameters of methods: ``source="…"`` and ``{"source": "…"}``."""
    for node in ast.walk(tree):
        pairs: list[tuple[object, ast.expr]] = []
        if isinstance(node, ast.Call):
            pairs = [(word.arg, word.value) for word in node.keywords]
        elif isinstance(node, ast.Dict):
            pairs = [
                (getattr(key, "value", None), value)
                for key, value in zip(node.keys, node.values, strict=True)
            ]
        for name, value in pairs:
            if name == "source" and isinstance(value, ast.Constant) and isinstance(value.value, str):
                yield value.value


@pytest.mark.parametrize(
    ("code", "bare"),
    [
        ('param(1, source="section 5")', True),
        ('param(1, source="Table 2")', True),
        ('field(metadata={"source": "unspecified in the paper"})', True),
        ('param(1, source="paper, section 5")', False),
        ('param(1, source="card, section 3")', False),
        ('param(1, source="ours: unspecified in the paper")', False),
    ],
)
def test_a_bare_place_is_noticed(code: str, *, bare: bool) -> None:
    (source,) = parameter_sources(ast.parse(code))
    assert bool(BARE.match(source)) is bare


@pytest.mark.parametrize("folder", sorted((ROOT / "methods").glob("[a-z]*/")), ids=lambda path: path.name)
def test_parameters_say_whose_section_or_table_they_cite(folder: Path) -> None:
    bare = [
        f"{path.relative_to(ROOT)}: {source}"
        for path in folder.rglob("*.py")
        for source in parameter_sources(ast.parse(path.read_bytes()))
        if BARE.match(source)
    ]
    assert bare == []
