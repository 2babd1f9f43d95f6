from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from html import unescape
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

AXE = Path(os.environ.get("AXE_CORE", Path(__file__).parents[2] / "node_modules/axe-core/axe.min.js"))
CHECK = """<script>
axe.run(document, {resultTypes: ["violations"]}).then((found) => {
  const told = found.violations.map((one) => `${one.id}: ${one.nodes.map((node) => node.target).join(", ")}`);
  parent.postMessage(JSON.stringify({rules: found.passes.length, told}), "*");
});
</script>"""

# A window cannot be made as narrow as a phone, a frame can.
FRAME = """<!doctype html><title>waiting</title>
<script>addEventListener("message", (event) => { document.title = event.data; });</script>
<iframe src="page.html" style="border:0;width:%dpx;height:2000px"></iframe>"""


def command(folder: Path) -> list[str]:
    """A browser without a window, a network or a past."""
    return [
        str(BROWSER), "--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking",
        "--disable-component-update", "--disable-sync", "--no-first-run",
        f"--user-data-dir={folder / 'profile'}", "--window-size=1400,2200",
    ]  # fmt: skip


def shown(page: str, folder: Path, width: int, *options: str) -> dict[str, str]:
    """What the browser makes of a page: its width, parts that stick out, and the colour of text."""
    found = re.fullmatch(
        r"WIDTH (\d+) OF (\d+) WIDE (\d+) INK (.*)", said(page, MEASURE, folder, width, *options)
    )
    assert found
    return dict(zip(("scroll", "inner", "wide", "ink"), found.groups(), strict=True))


def said(page: str, script: str, folder: Path, width: int, *options: str) -> str:
    """What a script at the end of a page sends to the frame around it."""
    path = folder / "page.html"
    path.write_text(page.replace("</body>", f"{script}</body>"), encoding="utf-8")
    frame = folder / "frame.html"
    frame.write_text(FRAME % width, encoding="utf-8")
    shell = [*command(folder), *options, "--dump-dom", frame.as_uri()]
    done = subprocess.run(shell, capture_output=True, text=True, check=True, timeout=60)
    found = re.search(r"<title>(.*?)</title>", done.stdout, flags=re.DOTALL)
    assert found, done.stdout[:500]
    assert found[1] != "waiting", done.stdout[:500]
    return unescape(found[1])


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


def test_what_a_link_leads_to_is_opened(document: Document, tmp_path: Path) -> None:
    script = """<script>
    const open = (id) => document.getElementById(id).open;
    const before = [open("claim-C1a"), open("claim-C2")];
    document.querySelector('.verdicts a[href="#claim-C1a"]').click();
    const tell = () => parent.postMessage([...before, open("claim-C1a"), open("claim-C2")].join(" "), "*");
    setTimeout(tell, 200);
    </script>"""
    found = said(html.render(document), script, tmp_path, 1280, "--virtual-time-budget=3000")
    assert found == "false false true false"


def test_a_button_opens_all_evidence_and_closes_it(document: Document, tmp_path: Path) -> None:
    script = """<script>
    const cards = [...document.querySelectorAll("#evidence > details")];
    const press = (fold) => document.querySelector(`[data-fold=${fold}]`).click();
    press("open");
    const opened = cards.filter((card) => card.open).length;
    press("close");
    parent.postMessage([cards.length, opened, cards.filter((card) => card.open).length].join(" "), "*");
    </script>"""
    assert said(html.render(document), script, tmp_path, 1280) == "6 6 0"


@pytest.mark.parametrize("javascript", [True, False])
def test_in_print_everything_is_open(document: Document, tmp_path: Path, *, javascript: bool) -> None:
    page = html.render(document)
    path = tmp_path / "page.html"
    path.write_text(
        page if javascript else re.sub(r"<script>.*?</script>", "", page, flags=re.DOTALL), "utf-8"
    )
    printed = tmp_path / "page.pdf"
    subprocess.run([*command(tmp_path), f"--print-to-pdf={printed}", path.as_uri()], check=True, timeout=60)
    reader = shutil.which("pdftotext")
    if reader is None:
        pytest.skip("pdftotext of poppler is not installed")
    text = subprocess.run(
        [reader, printed, "-"], capture_output=True, text=True, check=True, timeout=60
    ).stdout
    assert "p-values are one-sided" in text
    assert "parameters and where their values come from" in text


@pytest.mark.skipif(not AXE.is_file(), reason="no axe-core: npm install axe-core, or AXE_CORE=FILE")
@pytest.mark.parametrize("width", [390, 1280])
@pytest.mark.parametrize("colours", ["light", "dark"])
def test_no_rule_of_accessibility_is_broken(
    document: Document, tmp_path: Path, width: int, colours: str
) -> None:
    page = html.render(document).replace("<details", "<details open")
    script = f"<script>{AXE.read_text(encoding='utf-8')}</script>{CHECK}"
    options = [
        f"--blink-settings=preferredColorScheme={int(colours == 'light')}",
        "--virtual-time-budget=30000",
    ]
    found = json.loads(said(page, script, tmp_path, width, *options))
    assert found["rules"] > 20
    assert found["told"] == []
