"""Check a built site: ``python docs/site/check.py FOLDER``.

Every link leads somewhere, also to places within pages, and no page loads anything from another host.
"""

from __future__ import annotations

import re
import sys
from dataclasses import dataclass, field
from functools import cache
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

LOADS = {"script": "src", "img": "src", "iframe": "src", "source": "src", "link": "href"}
"""What a browser fetches by itself, by element."""
FOREIGN = re.compile(r"""(?:url\(|@import)\s*["']?\s*((?:https?:)?//[^"')\s]+)""")


@dataclass
class Page(HTMLParser):
    """What a page links, what it loads, and the names of its places."""

    path: Path
    links: list[str] = field(default_factory=list)
    loads: list[str] = field(default_factory=list)
    names: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        """Read the page."""
        super().__init__()
        text = self.path.read_text(encoding="utf-8")
        self.loads += FOREIGN.findall(text)
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Take in an element."""
        found = dict(attrs)
        self.names |= {name for name in (found.get("id"), found.get("name")) if name}
        if tag == "a" and found.get("href"):
            self.links.append(str(found["href"]))
        # A link of another kind than these is not fetched, such as the canonical address.
        fetched = tag != "link" or {*str(found.get("rel")).split()} & {
            "stylesheet",
            "icon",
            "preload",
            "modulepreload",
        }
        if fetched and (address := found.get(LOADS.get(tag, ""))) and not address.startswith("data:"):
            self.loads.append(address)


@cache
def read(path: Path) -> Page:
    """A page, read once."""
    return Page(path)


def faults(site: Path) -> list[str]:
    """What is wrong with a site, a line each; nothing if all is well."""
    found = []
    for path in sorted(site.rglob("*.html")):
        page = read(path)
        where = path.relative_to(site)
        found += [f"{where}: loads {address}" for address in page.loads if is_foreign(address)]
        inner = [address for address in (*page.links, *page.loads) if not is_foreign(address)]
        found += [f"{where}: {address} leads nowhere" for address in inner if not leads(path, address)]
    for path in sorted(site.rglob("*.css")):
        loaded = FOREIGN.findall(path.read_text(encoding="utf-8"))
        found += [f"{path.relative_to(site)}: loads {address}" for address in loaded]
    return found


def is_foreign(address: str) -> bool:
    """Whether an address is of another host."""
    parts = urlsplit(address)
    return bool(parts.scheme or parts.netloc)


def leads(path: Path, address: str) -> bool:
    """Whether a link of a page leads to a file of the site, and to a place in it."""
    parts = urlsplit(address)
    target = (path.parent / unquote(parts.path)).resolve() if parts.path else path
    if not target.is_file():
        return False
    return (
        not parts.fragment
        or target.suffix != ".html"
        or unquote(parts.fragment) in read(target.resolve()).names
    )


if __name__ == "__main__":
    folder = Path(sys.argv[1]).resolve()
    pages = len(list(folder.rglob("*.html")))
    wrong = faults(folder)
    sys.exit("\n".join(wrong) if wrong else 0 if pages else f"error: {folder} has no pages.")
