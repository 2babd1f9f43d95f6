"""The source runs nothing that it reads; where the linter has a rule for it, no exception is new."""

from __future__ import annotations

import ast
import re
import tomllib
from collections.abc import Iterator
from functools import cache
from typing import Any

from tests.test_repository import PACKAGES, ROOT, modules

RULES = {
    "S102": "exec",
    "S202": "archives unpacked without a filter",
    "S301": "pickle",
    "S302": "marshal",
    "S307": "eval",
    "S314": "XML that expands",
    "S501": "certificates that are not checked",
    "S506": "yaml.load",
    "S602": "a shell",
    "S605": "a shell",
    "S614": "torch.load of more than tensors",
    "S701": "templates without escapes",
    "S704": "marked as safe",
}
"""Rules of ruff, which ``lint`` runs over everything."""
EXCEPTIONS = {
    ("harness/checks/battery.py", "S301"),  # What this process has pickled itself, as the next two.
    ("harness/checks/bench.py", "S301"),
    ("harness/engine/cluster/shipping.py", "S301"),  # On a node, the driver's job.
    ("harness/engine/worker.py", "S301"),
    ("harness/scaffold/files.py", "S701"),  # Python and TOML; what goes in is checked before.
    ("methods/common/sharded/rank.py", "S301"),  # What the trial's own process has pickled.
    ("reports/latex.py", "S701"),  # Every value is escaped for LaTeX.
    ("reports/html.py", "S704"),  # Files of the package, and drawings whose text is escaped.
}
PICKLING = {
    "harness/checks/battery.py",
    "harness/checks/bench.py",
    "harness/checks/state.py",
    "harness/engine/cluster/shipping.py",  # On a node, the driver's job.
    "harness/engine/worker.py",
    "harness/resources/convert_worker.py",  # The name of an error only.
    "methods/common/sharded/crew.py",  # A training for the processes that a trial starts, as the next.
    "methods/common/sharded/rank.py",
}
"""Modules that import it; none of them reads a file with it."""
NEVER = {"dill", "cloudpickle", "joblib", "marshal", "shelve"}


@cache
def sources() -> tuple[tuple[str, str], ...]:
    """The name and the text of each module."""
    paths = [*modules(), ROOT / "noxfile.py", *sorted((ROOT / "examples").rglob("*.py"))]
    return tuple((path.relative_to(ROOT).as_posix(), path.read_text(encoding="utf-8")) for path in paths)


@cache
def nodes(text: str) -> tuple[ast.AST, ...]:
    """What a module consists of, as far as a test asks for it."""
    wanted = (ast.Call, ast.Import, ast.ImportFrom)
    return tuple(node for node in ast.walk(ast.parse(text)) if isinstance(node, wanted))


def calls(text: str, name: str) -> Iterator[dict[str, Any]]:
    """The keywords of each call of a function or method of that name; ``...`` for what is no constant."""
    if name not in text:
        return
    for node in nodes(text):
        if isinstance(node, ast.Call) and ast.unparse(node.func).endswith(name):
            yield {
                word.arg or "**": word.value.value if isinstance(word.value, ast.Constant) else ...
                for word in node.keywords
            }


def test_the_linter_looks_for_it_everywhere() -> None:
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["ruff"]["lint"]
    ignored = [settings["ignore"], *settings["per-file-ignores"].values()]
    assert settings["select"] == ["ALL"]
    assert not [rule for rules in ignored for rule in rules if rule == "S" or rule in RULES]


def test_no_exception_is_new() -> None:
    found = {
        (name, rule)
        for name, text in sources()
        for line in re.findall(r"#\s*(?:ruff: )?noqa:([^\n]*)", text)
        for rule in RULES
        if rule in line
    }
    assert found == EXCEPTIONS


def test_no_blanket_exception_hides_one() -> None:
    assert [name for name, text in sources() if re.search(r"#\s*(ruff: )?noqa(?!:)", text)] == []


def test_pickles_are_read_where_they_were_made_only() -> None:
    imported = {
        (name, module.partition(".")[0])
        for name, text in sources()
        for node in nodes(text)
        for module in imported_by(node)
    }
    assert {name for name, module in imported if module == "pickle"} == PICKLING
    assert not {(name, module) for name, module in imported if module in NEVER}


def imported_by(node: ast.AST) -> list[str]:
    if isinstance(node, ast.Import):
        return [alias.name for alias in node.names]
    return [node.module] if isinstance(node, ast.ImportFrom) and node.module else []


def test_every_model_is_loaded_without_its_code_and_from_a_folder() -> None:
    found = [(name, given) for name, text in sources() for given in calls(text, ".from_pretrained")]
    assert len(found) > 5
    for name, given in found:
        assert given.get("trust_remote_code") is False, name
        assert given.get("local_files_only") is True, name


def test_sentence_transformers_reads_folders_alone_and_runs_no_code_of_theirs() -> None:
    opened = [
        (name, given)
        for name, text in sources()
        for model in ("MultiVectorEncoder", "SentenceTransformer", "CrossEncoder", "SparseEncoder")
        for given in library_calls(text, model)
        if "modules" not in given  # Made of parts that are open already.
    ]
    assert len(opened) > 1
    for name, given in opened:
        assert given.get("trust_remote_code") is False, name
        assert given.get("local_files_only") is True, name


def library_calls(text: str, name: str) -> Iterator[dict[str, Any]]:
    """Calls of a class of sentence-transformers; ours may have the name of one of its."""
    if "sentence_transformers" in text:
        yield from calls(text, name)


def test_tensors_alone_are_read() -> None:
    given = [(name, one) for name, text in sources() for one in calls(text, "torch.load")]
    assert [name for name, _ in given] == ["harness/resources/convert_worker.py"]
    assert all(one.get("weights_only") is True for _, one in given)
    arrays = [(name, one) for name, text in sources() for one in calls(text, "np.load")]
    assert not [name for name, one in arrays if one.get("allow_pickle") is not False]


def test_no_template_marks_text_as_safe() -> None:
    templates = [path for name in PACKAGES for path in (ROOT / name).rglob("*.j2")]
    assert len(templates) > 2
    for path in templates:
        text = path.read_text(encoding="utf-8")
        assert not re.search(r"\|\s*safe\b|autoescape\s+false", text), path.name


def test_a_call_that_leaves_it_out_would_be_seen() -> None:
    text = "Auto.from_pretrained(folder, **options); torch.load(path, weights_only=flag)"
    assert list(calls(text, ".from_pretrained")) == [{"**": ...}]
    assert list(calls(text, "torch.load")) == [{"weights_only": ...}]
