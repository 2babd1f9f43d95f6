"""``corroborate new-suite``: the first files of a suite, complete and green."""

from __future__ import annotations

import argparse
import keyword
import re
from importlib.util import find_spec
from pathlib import Path

from harness.cli.outputs import require_folder, writing
from harness.errors import ExitCode, UsageError
from harness.scaffold import LISTS, Facts, files_of, inside, package, registered, write_all
from harness.text import expanded

_NAME = re.compile(r"[a-z][a-z0-9]*(?:-[a-z0-9]+)*")
_ARXIV = re.compile(r"\d{4}\.\d{4,5}")
_YEAR = re.compile(r"(?:19|20)\d\d")
_PERSON = re.compile(r"[^\W\d_][\w .'’-]*")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument("name", help="its name in commands: letters, digits and hyphens, as in il-bench")
    parser.add_argument("--title", metavar="TEXT", default="", help="the paper's title")
    parser.add_argument("--arxiv", metavar="NUMBER", default=Facts.arxiv, help="its number, as in 2410.20625")
    parser.add_argument(
        "--author",
        metavar="NAME",
        action="append",
        default=[],
        help="one of its authors, as 'Van Durme, Benjamin'; repeat it",
    )
    parser.add_argument("--year", default=str(Facts.year), help="when it appeared")
    parser.add_argument("--runs", metavar="TEXT", default=Facts.runs, help="what the suite runs, in a line")
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
    module, facts = slug.replace("-", "_"), _facts(args, slug)
    if args.package is None:
        _in_repository(Path.cwd(), module, slug, facts)
    else:
        _as_package(args.package, module, slug, facts)
    return ExitCode.OK


def _facts(args: argparse.Namespace, slug: str) -> Facts:
    """What the options tell of the paper.

    Raises:
        UsageError: If one of them would spoil the files that it goes into.
    """
    title = args.title.strip() or f"A paper called {slug}"
    for name, text in (("title", title), ("runs", args.runs)):
        if set(text) & set('"\\{}|') or not text.isprintable():
            what = f"The text of --{name} has a quote, a brace, a bar, a backslash or a line break"
            raise UsageError(what, fix="Leave it out, and write it into the files later.")
    for name, text, form in (("arxiv", args.arxiv, _ARXIV), ("year", args.year, _YEAR)):
        if not form.fullmatch(text):
            raise UsageError(f"'{text}' is none", where=f"--{name}", fix="Give it as 2410.20625 and 2024.")
    people = tuple(_person(text) for text in args.author) or Facts.authors
    return Facts(title, args.arxiv, people, int(args.year), args.runs)


def _person(text: str) -> tuple[str, str]:
    """Given name and family name of "Family, Given", or of "Given Family" by its last word."""
    if "," in text:
        family, _, given = (part.strip() for part in text.partition(","))
    else:
        given, _, family = text.strip().rpartition(" ")
    if not _PERSON.fullmatch(family) or (given and not _PERSON.fullmatch(given)):
        raise UsageError(f"'{text}' is no name", where="--author", fix="Give it as 'Van Durme, Benjamin'.")
    return given.strip(), family


def _in_repository(root: Path, module: str, slug: str, facts: Facts) -> None:
    pyproject = root / "pyproject.toml"
    files = [pyproject, *(root / name for name in LISTS)]
    folders = (root / "suites", root / "methods")
    if not (all(path.is_file() for path in files) and all(path.is_dir() for path in folders)):
        fix = "Go to the root of Corroborate's repository, or make a package with --package FOLDER."
        raise UsageError("Suites of the repository are made at its root", where=str(root), fix=fix)
    layout = inside(module, slug)
    changed = {"pyproject.toml": registered(pyproject.read_text(encoding="utf-8"), slug, layout.suite)}
    for name, told in LISTS.items():
        changed[name] = told((root / name).read_text(encoding="utf-8"), slug, facts)
    with writing(root, "The suite"):
        write_all(root, files_of(layout, module, slug, facts))
        for name, text in changed.items():
            (root / name).write_text(text, encoding="utf-8")
    print("\n".join([*layout.files, *(f"{name} (changed)" for name in changed)]))
    print(
        f"\nNext: nox -s reproduce-{slug} -- --profile smoke, which also installs its entry point;\n"
        "until then no command finds it. Then make it the paper's, file by file (CONTRIBUTING.md)."
    )


def _as_package(root: Path, module: str, slug: str, facts: Facts) -> None:
    require_folder(root, "--package")
    if find_spec(module) is not None:
        fix = "Choose another name: one of the two could not be imported."
        raise UsageError(f"There is a module called '{module}' already", where="--package", fix=fix)
    layout = package(module)
    with writing(root, "The package"):
        write_all(root, files_of(layout, module, slug, facts))
    print("\n".join(layout.files))
    print(
        f"\nNext, in {root} and in the environment that corroborate is installed in:\n"
        f"pip install -e . && corroborate run {slug} --profile smoke && pytest"
    )
