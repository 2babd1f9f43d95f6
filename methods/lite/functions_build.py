"""The retrieval set from function bodies: read from source files, without duplicates, split."""

from __future__ import annotations

import ast
import hashlib
import re
import warnings
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from methods.common.ranking import mrr, rank_queries
from methods.lite.passages import Library, Query, RetrievalSet
from methods.lite.passages_build import assemble, limited, split_of, without_duplicates
from methods.lite.passages_sources import package_folder, read_library
from methods.lite.passages_text import PASSAGE_WORDS, Pair, content_words, make_pair

Function = ast.FunctionDef | ast.AsyncFunctionDef

_NAME = re.compile(r"[^\W\d]\w*|\d+")
_PART = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+")
"""Words inside a name: ``fit_LinearModel2`` holds fit, Linear, Model and 2."""
_SHORTEST_NAME = 3
"""Letters of a name that is removed from its own body: shorter ones are words of other names."""


def build_functions(
    libraries: Sequence[Library],
    *,
    sizes: Mapping[str, tuple[int, int]],
    most: int,
    progress: Callable[[float], None] = lambda done: None,
    roots: Mapping[str, Path] | None = None,
) -> RetrievalSet:
    """The retrieval set of some libraries.

    Args:
        libraries: Where functions come from.
        sizes: Most queries, and candidates of each, by split.
        most: Most functions of each library.
        progress: Told the share done.
        roots: Folders of libraries by import name, if not where they are installed.
    """
    pairs: list[Pair] = []
    for done, library in enumerate(libraries):
        pairs += read_functions(library, (roots or {}).get(library.package))
        progress(0.9 * (done + 1) / len(libraries))
    found = Counter(pair.source.library for pair in pairs)
    pairs = limited(without_duplicates(pairs), {library.package: most for library in libraries})
    kept = Counter(pair.source.library for pair in pairs)
    data = assemble(pairs, {pair: split_of(pair, ()) for pair in pairs}, sizes)
    counts = {
        library.package: {
            "functions": found[library.package],
            "passages": kept[library.package],
            "licence": library.licence,
        }
        for library in libraries
    }
    return RetrievalSet(data.queries, data.passages, _card(data, sizes, counts))


def read_functions(library: Library, root: Path | None = None) -> list[Pair]:
    """The public functions and methods of a library that make a query and a passage.

    The docstring must make a query by the rules of :mod:`methods.lite.passages_text`, with a
    description behind it: what is documented in full is worth looking for.

    Args:
        library: The library.
        root: Its folder, if not where it is installed.
    """
    root = root or package_folder(library.package)
    wanted: dict[str, dict[str, Pair]] = {}
    for source in read_library(library, root):
        pair = make_pair(source)
        if pair is not None:
            wanted.setdefault(source.module, {})[source.name] = pair
    found = []
    for module, pairs in wanted.items():
        for name, node in functions(_parsed(root / f"{module}.py")):
            pair = pairs.get(name)
            if pair is None or ast.get_docstring(node) != pair.source.text:
                continue
            del pairs[name]
            if body := body_text(node, name):
                found.append(replace(pair, passage=body))
    return found


def _parsed(path: Path) -> ast.Module:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", SyntaxWarning)
        return ast.parse(path.read_bytes())


def functions(parent: ast.AST, prefix: str = "") -> Iterator[tuple[str, Function]]:
    """Functions of a module and of its classes by qualified name, not those inside functions."""
    for node in ast.iter_child_nodes(parent):
        if isinstance(node, Function):
            yield prefix + node.name, node
        else:
            yield from functions(node, f"{prefix}{node.name}." if isinstance(node, ast.ClassDef) else prefix)


def body_text(node: Function, name: str) -> str:
    """The words of a function's body in their order, without docstring, comments and punctuation.

    Names are split into their words, for the encoder's tokens and BM25's terms alike. The names of the
    function and of its class are left out, as they are in passages.

    Args:
        node: A function whose first statement is its docstring.
        name: Its qualified name.

    Returns:
        At most as many words as a passage has; empty if there are fewer than one must have.
    """
    own = {part for part in name.split(".") if len(part) >= _SHORTEST_NAME}
    source = "\n".join(ast.unparse(statement) for statement in node.body[1:])
    names = (found for found in _NAME.findall(source) if found not in own)
    words = [part.lower() for found in names for part in _PART.findall(found)][: PASSAGE_WORDS[1]]
    text = " ".join(words)
    enough = len(words) >= PASSAGE_WORDS[0] and len(content_words(text)) >= PASSAGE_WORDS[0] // 2
    return text if enough else ""


def _card(
    data: RetrievalSet, sizes: Mapping[str, tuple[int, int]], counts: Mapping[str, Any]
) -> dict[str, Any]:
    """Counts and licences by library, how BM25 and a random order do, and a hash of the content."""
    texts = [(passage.id, passage.text) for passage in data.passages]
    texts += [(query.id, query.text) for query in data.queries]
    content = "\n".join(map(repr, texts))
    return {
        "splits": {name: _baselines(data.split(name)) for name in sizes if data.split(name)},
        "libraries": {name: counts[name] for name in sorted(counts)},
        "sha256": hashlib.sha256(content.encode()).hexdigest(),
    }


def _baselines(queries: Sequence[Query]) -> dict[str, float]:
    ids, grades = [query.id for query in queries], [query.grades for query in queries]
    ranked = rank_queries(ids, [query.bm25 for query in queries], grades)
    tied = rank_queries(ids, [[0.0] * len(row) for row in grades], grades)
    return {
        "queries": len(queries),
        "bm25 MRR@10": round(mrr()(ranked), 4),
        "random MRR@10": round(mrr()(tied), 4),
    }
