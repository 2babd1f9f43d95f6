"""How Sphinx builds the site; ``nox -s docs`` calls it with the pages that ``gather.py`` collected."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import TYPE_CHECKING, Any

from docutils import nodes
from latex2mathml.converter import convert
from sphinx.errors import SphinxError

if TYPE_CHECKING:
    from sphinx.application import Sphinx

ROOT = Path(__file__).resolve().parents[2]

project = "Corroborate"
release = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["version"]
html_show_copyright = False
extensions = [
    "autoapi.extension",
    "myst_parser",
    "sphinx.ext.napoleon",
    "sphinx_copybutton",
    "sphinx_design",
]
html_theme = "furo"
html_title = project
html_static_path = ["_static"]
html_css_files = ["site.css"]
# The reports, as the product writes them.
html_extra_path = [str(ROOT / "build" / "docs-work" / "extra")]
html_copy_source = False
html_show_sphinx = False
html_math_renderer = "mathml"
templates_path: list[str] = []

# Anchors are those of GitHub, so that links to sections work in both places.
myst_heading_anchors = 6
myst_enable_extensions = ["colon_fence", "dollarmath"]
myst_dmath_double_inline = True

# The API is read from the sources and imported by nobody: PyTorch need not be installed here.
autoapi_dirs = [str(ROOT / "harness"), str(ROOT / "methods")]
SHOWN = {"claims", "method", "model_files", "store", "suite"}
"""Packages of the harness with a page, and what they export from others."""
autoapi_ignore = [
    f"*/harness/{path.name}/*"
    for path in (ROOT / "harness").iterdir()
    if path.is_dir() and path.name not in SHOWN
]
autoapi_generate_api_docs = False
autoapi_add_toctree_entry = False
autoapi_keep_files = False
autoapi_python_class_content = "class"
napoleon_google_docstring = True
napoleon_use_ivar = True
default_role = "code"
suppress_warnings = [
    "autoapi.python_import_resolution",  # Constants that are assigned several at once.
]
add_module_names = False
python_use_unqualified_type_names = True
copybutton_prompt_text = "$ "


COLON = "\N{RATIO}"
"""Stands for a colon while Napoleon reads a docstring."""


def mathml(self: Any, node: nodes.Node) -> None:
    """Formulas as MathML, which browsers draw themselves: no script and no font from elsewhere."""
    display = "block" if isinstance(node, nodes.math_block) else "inline"
    # The converter has no name for this operator, and sets a tag right behind the formula.
    formula = re.sub(r"\\tag\{(.+?)\}", r"\\qquad (\1)", node.astext()).replace(
        r"\arg", r"\operatorname{arg}"
    )
    drawn = convert(formula, display=display)
    if unknown := re.search(r"\\[a-zA-Z]+", drawn):
        raise SphinxError(
            f"{node.source}: {unknown[0]} cannot be drawn in {node.astext()!r}; write it otherwise."
        )
    self.body.append(f'<div class="math">{drawn}</div>' if display == "block" else drawn)
    raise nodes.SkipNode


def before(app: Sphinx, what: str, *rest: Any) -> None:
    """Let |x| be an absolute value, and no name that something else stands for; keep colons of attributes."""
    lines: list[str] = rest[-1]
    lines[:] = [re.sub(r"\|(\S(?:[^|]*\S)?)\|", r"\\|\1\\|", line) for line in lines]
    if what in {"attribute", "data", "property"}:
        # What stands before a colon would be taken for a type.
        lines[:] = [re.sub(r":(?=\s)", COLON, line) for line in lines]


def after(app: Sphinx, what: str, *rest: Any) -> None:
    """Give the colons back."""
    lines: list[str] = rest[-1]
    lines[:] = [line.replace(COLON, ":") for line in lines]


def setup(app: Sphinx) -> None:
    """Register how formulas are drawn, and how docstrings are read."""
    app.add_html_math_renderer("mathml", (mathml, None), (mathml, None))
    # Napoleon, which reads Google's style, comes between.
    app.connect("autodoc-process-docstring", before, priority=400)
    app.connect("autodoc-process-docstring", after, priority=600)
