"""``corroborate new-suite``: the first files of a suite, complete and green."""

from __future__ import annotations

import argparse
import keyword
import re
from importlib.util import find_spec
from pathlib import Path

from harness.cli.outputs import require_folder, writing
from harness.errors import ExitCode, UsageError
from harness.scaffold import files_of, inside, package, registered, write_all
from harness.text import expanded

_NAME = re.compile(r"[a-z][a-z0-9]*(?:-[a-z0-9]+)*")

_ROW = "| `{slug}` | [{title}](https://arxiv.org/abs/0000.00000) | what runs, in a line |"
_CITATION = """\
  - type: article
    title: "{title}"
    authors:
      - family-names: Author
        given-names: A. N.
    year: 2024
    identifiers:
      - type: other
        value: "arXiv:0000.00000"
        description: The arXiv preprint
    scope: Suite {slug}"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument("name", help="its name in commands: letters, digits and hyphens, as in il-bench")
    parser.add_argument("--title", metavar="TEXT", default="", help="the paper's title")
    parser.add_argument(
        "--package",
        metavar="FOLDER",
        type=expanded,
        help="make a package of its own in this folder, instead of a suite of the repository one stands in",
    )


def main(args: argparse.Namespace) -> ExitCode:
    """Write the files and say what comes next."""
    slug = str(args.name)
    if not _NAME.fullmatch(slug) or keyword.iskeyword(slug):
        fix = "Use small letters, digits and single hyphens, as in 'il-bench', and no word of Python's own."
        raise UsageError(f"'{slug}' is no name for a suite", fix=fix)
    module, title = slug.replace("-", "_"), args.title.strip() or f"A paper called {slug}"
    if set(title) & set('"\\{}') or not title.isprintable():
        what = "The title has a quote, a brace, a backslash or a line break"
        raise UsageError(what, fix="Leave it out, and write it into paper.toml later.")
    if args.package is None:
        _in_repository(Path.cwd(), module, slug, title)
    else:
        _as_package(args.package, module, slug, title)
    return ExitCode.OK


def _in_repository(root: Path, module: str, slug: str, title: str) -> None:
    pyproject = root / "pyproject.toml"
    if not (pyproject.is_file() and (root / "suites").is_dir() and (root / "methods").is_dir()):
        fix = "Go to the root of Corroborate's repository, or make a package with --package FOLDER."
        raise UsageError("Suites of the repository are made at its root", where=str(root), fix=fix)
    layout = inside(module, slug)
    changed = registered(pyproject.read_text(encoding="utf-8"), slug, layout.suite)
    with writing(root, "The suite"):
        write_all(root, files_of(layout, module, slug, title))
        pyproject.write_text(changed, encoding="utf-8")
    print("\n".join([*layout.files, "pyproject.toml (its entry point)"]))
    print(
        f"\nNext: nox -s reproduce-{slug} -- --profile smoke, which also installs its entry point;\n"
        "until then no command finds it. Then make it the paper's, file by file.\n"
        "Before it is merged it needs a row in README.md and a reference in CITATION.cff, with the paper's\n"
        "own number and authors (CONTRIBUTING.md has all gates):\n"
    )
    print(f"{_ROW.format(slug=slug, title=title)}\n\n{_CITATION.format(slug=slug, title=title)}")


def _as_package(root: Path, module: str, slug: str, title: str) -> None:
    require_folder(root, "--package")
    if find_spec(module) is not None:
        fix = "Choose another name: one of the two could not be imported."
        raise UsageError(f"There is a module called '{module}' already", where="--package", fix=fix)
    layout = package(module)
    with writing(root, "The package"):
        write_all(root, files_of(layout, module, slug, title))
    print("\n".join(layout.files))
    print(
        f"\nNext, in {root} and in the environment that corroborate is installed in:\n"
        f"pip install -e . && corroborate run {slug} --profile smoke && pytest"
    )
