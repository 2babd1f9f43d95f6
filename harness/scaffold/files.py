"""What a new suite is made of, and where its files go."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined

_TEMPLATES = Path(__file__).parent / "templates"


@dataclass(frozen=True)
class Facts:
    """What is known of a paper when its suite is begun; each has a placeholder that a gate refuses.

    Attributes:
        title: Its title.
        arxiv: Its arXiv number.
        authors: Given name and family name of each.
        year: When it appeared.
        runs: What the suite runs, in a line.
    """

    title: str
    arxiv: str = "0000.00000"
    authors: tuple[tuple[str, str], ...] = (("A. N.", "Author"),)
    year: int = 2024
    runs: str = "what runs, in a line"

    @property
    def names(self) -> list[str]:
        """Authors as a title page has them."""
        return [f"{given} {family}".strip() for given, family in self.authors]

    def bibtex(self, key: str) -> str:
        """Its entry under a key."""
        authors = " and ".join(f"{family}, {given}" if given else family for given, family in self.authors)
        eprint = f"eprint={{{self.arxiv}}}, archivePrefix={{arXiv}}"
        return f"@misc{{{key}, title={{{self.title}}}, author={{{authors}}}, year={{{self.year}}}, {eprint}}}"


@dataclass(frozen=True)
class Layout:
    """Where a suite's code lies.

    Attributes:
        methods: The package of its algorithm and methods, as it is imported.
        suite: The package of its declarations.
        files: Template by path, relative to the root.
    """

    methods: str
    suite: str
    files: Mapping[str, str]


def inside(module: str, slug: str) -> Layout:
    """Inside this repository: methods, declarations, tests and the card in the house's folders."""
    methods, suite = f"methods.{module}", f"suites.{module}"
    tests = {
        f"tests/methods/{module}/__init__.py": "",
        f"tests/methods/{module}/test_method.py": "test_method.py",
        f"tests/suites/{module}/__init__.py": "",
        f"tests/suites/{module}/test_suite.py": "test_suite.py",
        f"docs/papers/{slug}.md": "card.md",
    }
    return Layout(methods, suite, _code(methods, suite) | tests)


def package(module: str) -> Layout:
    """A package of one's own, which is found by its entry point."""
    methods, suite = module, f"{module}.suite"
    rest = {
        f"{module}/py.typed": "",
        "tests/test_method.py": "test_method.py",
        "tests/test_suite.py": "test_suite.py",
        "pyproject.toml": "pyproject.toml",
    }
    return Layout(methods, suite, _code(methods, suite) | rest)


def _code(methods: str, suite: str) -> dict[str, str]:
    first, second = methods.replace(".", "/"), suite.replace(".", "/")
    return {
        f"{first}/__init__.py": "algorithm.py",
        f"{first}/method.py": "method.py",
        f"{first}/sabotage.py": "sabotage.py",
        f"{second}/paper.toml": "paper.toml",
        f"{second}/__init__.py": "suite.py",
    }


def files_of(layout: Layout, module: str, slug: str, facts: Facts) -> dict[str, str]:
    """The text of each file, by its path."""
    names = {
        "methods": layout.methods,
        "suite": layout.suite,
        "module": module,
        "slug": slug,
        "title": facts.title,
        # Imports are sorted: the harness is a stranger to a package of one's own, and of the house here.
        "house_gap": "" if layout.methods == module else "\n",
        "own_gap": "\n" if layout.methods == module else "",
        "arxiv": facts.arxiv,
        "year": str(facts.year),
        "authors": ", ".join(f'"{name}"' for name in facts.names),
        "bibtex": facts.bibtex(module),
    }
    return {path: _rendered(name, names) if name else "" for path, name in layout.files.items()}


def _rendered(name: str, names: Mapping[str, str]) -> str:
    return _environment().get_template(f"{name}.j2").render(names)


@cache
def _environment() -> Environment:
    # What is made is Python, TOML and Markdown; escapes of HTML would spoil them.
    return Environment(
        loader=FileSystemLoader(_TEMPLATES),
        undefined=StrictUndefined,
        keep_trailing_newline=True,
        autoescape=False,  # noqa: S701
    )
