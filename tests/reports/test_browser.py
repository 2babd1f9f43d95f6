from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from reports import html
from reports.document import Document

BROWSER = shutil.which("chromium") or shutil.which("google-chrome") or shutil.which("chromium-browser")
pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(BROWSER is None, reason="neither chromium nor google-chrome is installed"),
]

MEASURE = """<script>
const scrolls = ".table:not(.verdicts) .scroll, .listing, .drawing";
const wide = [...document.querySelectorAll("main *")].filter((part) =>
  part.getBoundingClientRect().right > innerWidth + 1 && !part.closest(scrolls));
const scroll = document.documentElement.scrollWidth;
const ink = getComputedStyle(document.body).color;
parent.postMessage(`WIDTH ${scroll} OF ${innerWidth} WIDE ${wide.length} INK ${ink}`, "*");
</script>"""

# A window cannot be made as narrow as a phone, a frame can.
FRAME = """<!doctype html><title>waiting</title>
<script>addEventListener("message", (event) => { document.title = event.data; });</script>
<iframe src="page.html" style="border:0;width:%dpx;height:2000px"></iframe>"""


def shown(page: str, folder: Path, width: int, *options: str) -> dict[str, str]:
    """What the browser makes of a page: its width, parts that stick out, and the colour of text."""
    path = folder / "page.html"
    path.write_text(page.replace("</body>", f"{MEASURE}</body>"), encoding="utf-8")
    frame = folder / "frame.html"
    frame.write_text(FRAME % width, encoding="utf-8")
    command = [
        str(BROWSER), "--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking",
        "--disable-component-update", "--disable-sync", "--no-first-run",
        f"--user-data-dir={folder / 'profile'}", "--window-size=1400,2200", *options, "--dump-dom",
        frame.as_uri(),
    ]  # fmt: skip
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60)
    found = re.search(r"<title>WIDTH (\d+) OF (\d+) WIDE (\d+) INK ([^<]*)</title>", done.stdout)
    assert found, done.stdout[:500]
    return dict(zip(("scroll", "inner", "wide", "ink"), found.groups(), strict=True))


@pytest.mark.parametrize("width", [390, 820, 1280])
def test_nothing_sticks_out_sideways(document: Document, tmp_path: Path, width: int) -> None:
    found = shown(html.render(document), tmp_path, width)
    assert int(found["inner"]) == width
    assert int(found["scroll"]) <= width
    assert found["wide"] == "0"


def test_the_dark_has_its_own_colours(document: Document, tmp_path: Path) -> None:
    page = html.render(document)
    light = shown(page, tmp_path, 1280)["ink"]
    dark = shown(page, tmp_path, 1280, "--blink-settings=preferredColorScheme=0")["ink"]
    assert sum(map(int, re.findall(r"\d+", light)[:3])) < 200
    assert sum(map(int, re.findall(r"\d+", dark)[:3])) > 500
