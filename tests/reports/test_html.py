from __future__ import annotations

import re
from html.parser import HTMLParser
from pathlib import Path
from typing import get_args

import pytest

from reports import html
from reports.document import Block, Document
from tests.reports import demo

VOID = {"meta", "link", "br", "hr", "img", "input", "col", "use", "path", "rect", "circle", "line"}


class Reader(HTMLParser):
    """Collects elements, attributes, ids and text, and checks nesting."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.open: list[str] = []
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text: list[str] = []
        self.faults: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        if tag in VOID:
            return
        if not self.open or self.open.pop() != tag:
            self.faults.append(f"</{tag}>")

    def handle_data(self, data: str) -> None:
        if self.open and self.open[-1] not in ("script", "style"):
            self.text.append(data)


@pytest.fixture(scope="module")
def page(document: Document) -> str:
    return html.render(document)


@pytest.fixture(scope="module")
def reader(page: str) -> Reader:
    found = Reader()
    found.feed(page)
    found.close()
    return found


def test_the_page_is_well_formed(reader: Reader) -> None:
    assert reader.faults == []
    assert reader.open == []


def test_nothing_is_fetched(page: str, reader: Reader) -> None:
    for tag, attributes in reader.tags:
        for name in ("src", "href", "xlink:href", "data"):
            value = attributes.get(name) or ""
            allowed = value.startswith("#") or (tag == "a" and value.startswith("https://"))
            assert not value or allowed, (tag, name, value)
    assert "@import" not in page
    assert "url(http" not in page


def test_labels_cannot_run_as_script(reader: Reader) -> None:
    scripts = [attributes for tag, attributes in reader.tags if tag == "script"]
    assert len(scripts) == 1
    assert all(not name.startswith("on") for _, attributes in reader.tags for name in attributes)
    assert demo.SCRIPT in "".join(reader.text)


@pytest.mark.parametrize("label", [demo.WRITE18, demo.EMOJI, demo.HEBREW, demo.ARABIC, demo.CHINESE])
def test_labels_arrive_as_they_are(reader: Reader, label: str) -> None:
    assert label in "".join(reader.text)


def test_right_to_left_text_is_isolated(page: str) -> None:
    bare = re.sub(r"<bdi>.*?</bdi>", "", re.sub(r"<svg.*?</svg>", "", page, flags=re.DOTALL))
    bare = re.sub(r'(title|aria-label|data-label)="[^"]*"', "", bare)
    assert not re.search("[\u0590-\u06ff]", bare)


def test_every_link_within_the_page_has_its_target(reader: Reader) -> None:
    ids = [attributes["id"] for _, attributes in reader.tags if attributes.get("id")]
    assert len(ids) == len(set(ids))
    targets = {(attributes.get("href") or "")[1:] for tag, attributes in reader.tags if tag in ("a", "use")}
    targets = {target for target in targets if target and not target.startswith("ttps:")}
    assert targets <= set(ids)


def test_every_claim_has_an_anchor(page: str) -> None:
    for claim in ("C1", "C1a", "C1b", "C2", "C3", "C4"):
        assert f'id="claim-{claim}"' in page


def test_verdicts_are_words_and_shapes_not_only_colours(reader: Reader) -> None:
    badges = [attributes for tag, attributes in reader.tags if "badge" in (attributes.get("class") or "")]
    icons = [attributes for tag, attributes in reader.tags if "icon" in (attributes.get("class") or "")]
    assert len(icons) >= len(badges) > 6
    for word in ("reproduced", "not reproduced", "inconclusive", "not comparable", "not run"):
        assert any(word in text for text in reader.text)


def test_second_hand_and_unverified_numbers_are_marked(page: str) -> None:
    assert 'title="from a secondary source">†' in page
    assert 'title="unverified">‡' in page


def test_figures_take_their_colours_from_the_page(page: str) -> None:
    drawings = re.findall(r'<div class="drawing".*?</svg>', page, flags=re.DOTALL)
    assert len(drawings) == 2
    for drawing in drawings:
        assert "var(--ink)" in drawing
        assert "var(--s0)" in drawing
        assert not re.search(r"#fe[0-9a-f]{4}", drawing)


def test_the_same_document_gives_the_same_page(document: Document, page: str) -> None:
    assert html.render(document) == page


def test_dark_print_and_phone_have_their_styles(page: str) -> None:
    assert "@media (prefers-color-scheme: dark)" in page
    assert "@media print" in page
    assert "@media (max-width:" in page


def test_the_page_has_a_way_to_show_every_kind_of_block() -> None:
    """A kind that the template does not know would be left out without a word."""
    template = (Path(__file__).parents[2] / "reports" / "templates" / "blocks.html.j2").read_text(
        encoding="utf-8"
    )
    known = set(re.findall(r'if name == "(\w+)"', template))
    assert known == {kind.__name__.lower() for kind in get_args(Block)}
