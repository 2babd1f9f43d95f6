"""The retrieval set from function bodies: what is read, what is left out, how it is split."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from methods.lite.functions import FunctionBodies
from methods.lite.functions_build import body_text, build_functions, functions, read_functions
from methods.lite.passages import HELD_OUT, IN_DOMAIN, TEST, TRAIN, VALIDATION, Library

LIBRARY = Library("one", "one", "MIT")
SPLITS = (TRAIN, VALIDATION, TEST)


def listed(text: str) -> list[str]:
    return text.split()


WORDS = listed(
    "aardvark badger cheetah dolphin echidna falcon gazelle hedgehog iguana jaguar kestrel lemur apricot "
    "barley cabbage durian endive fennel garlic haricot lentil mango nutmeg olive anvil bellows chisel drill"
)


def word(*places: int) -> str:
    return WORDS[sum(place * (7 + 4 * i) for i, place in enumerate(places)) % len(WORDS)]


def definition(i: int, j: int) -> str:
    """A function whose query, description and body are like those of no other one."""
    query = f"Feed the {WORDS[i]} and the {WORDS[12 + j]} with {word(i, j)} leaves of day{word(j, i)}."
    told = " ".join(f"{word(i, j, k)}{word(k, i)} told" for k in range(24))
    body = "\n".join(f"    {word(i, j, k)}_{word(k, j)} = {word(k, i)}{word(j, k)}({k})" for k in range(12))
    return f'def feed{i}x{j}(x):\n    """{query}\n\n    {told}.\n    """\n{body}\n    return feed{i}x{j}\n'


@pytest.fixture
def library(tmp_path: Path) -> Path:
    root = tmp_path / "one"
    root.mkdir()
    for i in range(12):
        text = "\n\n".join(definition(i, j) for j in range(8))
        (root / f"mod_{i}.py").write_text(text, encoding="utf-8")
    return root


def only(source: str) -> tuple[str, ast.FunctionDef | ast.AsyncFunctionDef]:
    (found,) = functions(ast.parse(source))
    return found


LONG = "\n".join(f"    total_{w} = {w.title()}Maker(scale=rate).value" for w in WORDS)


def test_a_body_is_its_words_without_docstring_comments_punctuation_and_own_name() -> None:
    name, node = only(
        f'class Zoo:\n  async def openGates(self, rate):\n    """Secret docstring."""\n    # Secret comment\n'
        f"    Zoo.openGates(HTTPServer2)\n{LONG}\n"
    )
    assert name == "Zoo.openGates"
    text = body_text(node, name)
    assert text.split()[:4] == ["http", "server", "2", "total"]
    assert text.split()[4:9] == ["aardvark", "aardvark", "maker", "scale", "rate"]
    assert not {"secret", "zoo", "gates", "docstring", "comment"} & set(text.split())
    assert len(text.split()) == 120


def test_short_bodies_make_no_passage() -> None:
    name, node = only('def f(x):\n    """Text."""\n    return x + 1\n')
    assert body_text(node, name) == ""
    repeated = "\n".join("    x = x + x" for _ in range(40))
    name, node = only(f'def f(x):\n    """Text."""\n{repeated}\n')
    assert body_text(node, name) == ""


def test_functions_are_found_below_conditions_and_classes_but_not_inside_functions() -> None:
    source = """
if True:
    def one(): ...
else:
    class Two:
        def three(self):
            def hidden(): ...
try:
    async def four(): ...
except ImportError:
    pass
"""
    assert [name for name, _ in functions(ast.parse(source))] == ["one", "Two.three", "four"]


def test_queries_are_first_sentences_and_passages_come_from_the_same_function(library: Path) -> None:
    pairs = {pair.source.name: pair for pair in read_functions(LIBRARY, library)}
    assert len(pairs) == 96
    pair = pairs["feed3x5"]
    assert pair.query.startswith(f"Feed the {WORDS[3]} and the {WORDS[17]} with")
    assert pair.passage.split()[:4] == [word(3, 5, 0), word(0, 5), word(0, 3) + word(5, 0), "0"]
    assert "told" not in pair.passage
    assert "feed" not in pair.passage


def test_a_name_that_is_defined_twice_gives_one_pair(tmp_path: Path) -> None:
    root = tmp_path / "one"
    root.mkdir()
    first, second = definition(1, 2), definition(3, 4).replace("feed3x4", "feed1x2")
    (root / "mod.py").write_text(f"if True:\n{indented(first)}\nelse:\n{indented(second)}\n")
    pairs = read_functions(LIBRARY, root)
    assert [pair.source.name for pair in pairs] == ["feed1x2"]


def indented(text: str) -> str:
    return "\n".join(f"    {line}" for line in text.splitlines())


def test_splits_hold_whole_modules_and_share_no_candidate(library: Path) -> None:
    data = build_functions([LIBRARY], sizes=dict.fromkeys(SPLITS, (50, 5)), most=90, roots={"one": library})
    assert len(data.passages) == 90
    corpora = {split: {name for q in data.split(split) for name in q.candidates} for split in SPLITS}
    assert all(len(corpora[split]) > 5 for split in SPLITS)
    assert not any(corpora[a] & corpora[b] for a in SPLITS for b in SPLITS if a < b)
    for query in data.queries:
        assert sum(query.grades) == 1
        assert query.candidates[query.relevant[0]] == query.id
    assert data.card["libraries"]["one"] == {"functions": 96, "passages": 90, "licence": "MIT"}
    assert data.card["splits"][TRAIN]["queries"] <= 50
    for found in data.card["splits"].values():
        assert 0 < found["random MRR@10"] < 1


def test_the_set_does_not_depend_on_where_libraries_are(library: Path, tmp_path: Path) -> None:
    sizes = dict.fromkeys(SPLITS, (50, 5))
    first = build_functions([LIBRARY], sizes=sizes, most=90, roots={"one": library})
    moved = library.rename(tmp_path / "elsewhere")
    second = build_functions([LIBRARY], sizes=sizes, most=90, roots={"one": moved})
    assert (first, first.card) == (second, second.card)
    (moved / "mod_0.py").unlink()
    third = build_functions([LIBRARY], sizes=sizes, most=90, roots={"one": moved})
    assert third.card["sha256"] != first.card["sha256"]


def test_no_library_is_trained_on_in_both_sets() -> None:
    assert FunctionBodies().libraries == HELD_OUT
    assert not set(HELD_OUT) & set(IN_DOMAIN)
