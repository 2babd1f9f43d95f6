"""The site of the documentation: what is gathered, what is refused, and what a built one is checked for."""

from __future__ import annotations

import importlib.util
import re
import sys
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).parents[1]
SUITES = sorted(path.parent.name.replace("_", "-") for path in ROOT.glob("suites/*/paper.toml"))


def script(name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(f"docs_site_{name}", ROOT / "docs" / "site" / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # Dataclasses look their module up.
    spec.loader.exec_module(module)
    return module


gathering, checking = script("gather"), script("check")


@pytest.fixture(scope="module")
def reports(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder as reports are written to, each with a page and its counts."""
    folder = tmp_path_factory.mktemp("reports")
    for slug in SUITES:
        place = folder / "references" / f"{slug}-small"
        place.mkdir(parents=True)
        (place / "index.html").write_text("<p>report</p>", encoding="utf-8")
        (place / "summary.md").write_text(
            f"# Title of {slug}\n\nIntroduction.\n\n3 claims: **2** reproduced\n", encoding="utf-8"
        )
    return folder


def test_every_page_of_the_repository_is_on_the_site(reports: Path) -> None:
    site = gathering.gather(ROOT, reports)
    wanted = [*ROOT.glob("*.md"), *ROOT.glob("docs/*.md"), *ROOT.glob("docs/[mp]*/*.md")]
    assert {path.relative_to(ROOT).as_posix() for path in wanted} <= {*site.pages}
    for slug in SUITES:
        assert f"reports/references/{slug}-small/index.html" in site.pages["reports.md"]
        assert f"../../reports/references/{slug}-small/index.html" in site.pages[f"docs/papers/{slug}.md"]
    assert "3 claims: **2** reproduced" in site.pages["reports.md"]
    # A link to code leads to a page that shows it, and a folder to its index.
    assert "(../../benchmarks/results/lora_rite.md)" in site.pages["docs/methods/lora-rite.md"]
    assert "(papers/index.md)" in site.pages["docs/design.md"]
    assert "(../../methods/spectr/hook.py.md)" in site.pages["examples/own_selection/README.md"]
    shown = (ROOT / "methods" / "spectr" / "hook.py").read_text(encoding="utf-8")
    assert shown in site.pages["methods/spectr/hook.py.md"]


def test_each_method_s_page_has_an_example_and_the_names_that_it_imports(reports: Path) -> None:
    site = gathering.gather(ROOT, reports)
    for page in sorted(ROOT.glob("docs/methods/*.md")):
        example = f"examples/{page.stem.replace('-', '_')}.py"
        text = site.pages[f"docs/methods/{page.name}"]
        assert (ROOT / example).exists(), f"{page.name}: write {example}"
        assert f"(../../{example}.md)" in text
        for module in gathering.public_names(page.read_text(encoding="utf-8")):
            assert f"(../../api/{module}.md)" in text
            assert f".. autoapimodule:: {module}" in site.pages[f"api/{module}.md"]


def test_an_example_becomes_text_and_code() -> None:
    source = "# %% [markdown]\n# # Title\n#\n# Words.\n\n# %%\nprint(1)\n\n# %%\nprint(2)\n"
    page = gathering.example_page("examples/one.py", source)
    assert page.startswith("# Title\n\nWords.\n\n```python\nprint(1)\n```\n\n```python\nprint(2)\n```\n")
    assert "`python examples/one.py`" in page


@pytest.fixture
def small(tmp_path: Path) -> Path:
    (tmp_path / "docs" / "site").mkdir(parents=True)
    (tmp_path / "docs" / "site" / "front.md").write_text("# Front\n", encoding="utf-8")
    return tmp_path


@pytest.mark.parametrize(("link", "said"), [("gone.md", "leads nowhere"), ("docs", "folder without a page")])
def test_a_link_that_leads_nowhere_is_refused_with_its_page(small: Path, link: str, said: str) -> None:
    (small / "README.md").write_text(f"# One\n\n[two]({link})\n", encoding="utf-8")
    with pytest.raises(gathering.GatherError, match=rf"README\.md: .*{said}"):
        gathering.gather(small, small)


def test_links_in_code_and_to_other_hosts_are_left_alone(small: Path) -> None:
    text = "# One\n\n`[a](gone.md)` [b](https://example.org/c) [d](#one)\n\n```text\n[e](gone.md)\n```\n"
    (small / "README.md").write_text(text, encoding="utf-8")
    assert gathering.gather(small, small).pages["README.md"] == text


def test_committed_results_without_a_report_are_refused(small: Path) -> None:
    (small / "suites" / "one" / "reference" / "small").mkdir(parents=True)
    (small / "suites" / "one" / "paper.toml").touch()
    with pytest.raises(gathering.GatherError, match="one: no report"):
        gathering.gather(small, small / "nothing")


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ('<a href="b.html#there">b</a> <a href="https://example.org">c</a>', ""),
        ('<a href="b.html#missing">b</a>', "b.html#missing leads nowhere"),
        ('<a href="c.html">c</a>', "c.html leads nowhere"),
        ('<script src="https://cdn.example.org/x.js"></script>', "loads https://cdn.example.org/x.js"),
        ('<img src="//example.org/x.png">', "loads //example.org/x.png"),
        ('<link rel="stylesheet" href="https://example.org/x.css">', "loads https://example.org/x.css"),
        ("<style>@import 'https://example.org/y.css';</style>", "loads https://example.org/y.css"),
        ('<link rel="canonical" href="https://example.org/">', ""),
        ('<img src="gone.png">', "gone.png leads nowhere"),
    ],
)
def test_a_built_site_is_checked(tmp_path: Path, body: str, said: str) -> None:
    (tmp_path / "a.html").write_text(f"<html>{body}</html>", encoding="utf-8")
    (tmp_path / "b.html").write_text('<h1 id="there">b</h1>', encoding="utf-8")
    assert checking.faults(tmp_path.resolve()) == ([f"a.html: {said}"] if said else [])


def test_a_style_sheet_that_loads_a_font_is_found(tmp_path: Path) -> None:
    (tmp_path / "a.css").write_text("@font-face { src: url('https://example.org/f.woff') }", encoding="utf-8")
    assert checking.faults(tmp_path) == ["a.css: loads https://example.org/f.woff"]


def test_the_front_page_has_each_part_of_the_site(reports: Path) -> None:
    site = gathering.gather(ROOT, reports)
    entries = "\n".join(re.findall(r"```\{toctree\}\n(.*?)```", site.pages["index.md"], flags=re.DOTALL))
    for page in ("README", "reports", "docs/methods/index", "docs/papers/index", "docs/*", "api/index"):
        assert page in entries


def test_what_the_front_page_takes_out_of_the_readme_is_there() -> None:
    front = (ROOT / "docs" / "site" / "front.md").read_text(encoding="utf-8")
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    marks = re.findall(r'^:(?:start-after|end-before): "(.*)"$', front, flags=re.MULTILINE)
    assert len(marks) == 3
    assert [mark for mark in marks if mark not in readme] == []
