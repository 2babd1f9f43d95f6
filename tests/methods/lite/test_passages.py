"""The retrieval set from docstrings: what is read, cleaned, removed and split."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from harness.method import ProblemError, ResourceError
from methods.lite.docstrings import DocstringPassages
from methods.lite.passages import (
    SPLITS,
    TEST,
    TRAIN,
    VALIDATION,
    ZERO_SHOT,
    Library,
    Passage,
    Query,
    RetrievalSet,
    installed_versions,
    load_retrieval,
    save_retrieval,
)
from methods.lite.passages_build import build_retrieval, without_duplicates
from methods.lite.passages_sources import Docstring, package_folder, read_library
from methods.lite.passages_text import Pair, content_words, make_pair, sentences


def listed(text: str) -> list[str]:
    return text.split()


ANIMALS = listed(
    "aardvark badger cheetah dolphin echidna falcon gazelle hedgehog iguana jaguar kestrel lemur"
)
FOODS = listed("apricot barley cabbage durian endive fennel garlic haricot lentil mango nutmeg olive")
TOOLS = listed("anvil bellows chisel drill easel funnel gimlet hammer jigsaw ladle mallet needle")
NUMBERS = listed("first second third fourth fifth sixth seventh eighth ninth tenth eleventh twelfth")


def definition(i: int, j: int) -> str:
    """A definition that shares its boilerplate with no other one."""
    animal, food, tool = ANIMALS[i], FOODS[j], TOOLS[(i + j) % 12]
    other, dish, device = ANIMALS[(i * 5 + j) % 12], FOODS[(i + 7 * j) % 12], TOOLS[(3 * i + j) % 12]
    query = f"Feed the {animal} with {food} by means of the {tool} on the {NUMBERS[j]} day."
    body = (
        f"{other.title()} {dish} {device} {NUMBERS[i]} {animal} zoo {food} keeper {tool} morning "
        f"{NUMBERS[j]} {device} gate {dish} {other} fence {NUMBERS[(i + j) % 12]} bowl {tool} evening "
        f"{food} {animal} barn {i}{j} {device} water {NUMBERS[(i * j) % 12]} ready."
    )
    return f'def feed_{animal}_{food}(x):\n    """{query}\n\n    {body}\n    """\n'


def fake_library(folder: Path, rows: range, *, columns: range = range(12)) -> Path:
    """A package with a module for each row."""
    for i in rows:
        path = folder / f"part_{i % 3}" / f"mod_{i}.py"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("\n\n".join(definition(i, j) for j in columns), encoding="utf-8")
    return folder


@pytest.fixture
def fakes(tmp_path: Path) -> dict[str, Path]:
    return {
        "one": fake_library(tmp_path / "one", range(5)),
        "two": fake_library(tmp_path / "two", range(4, 9)),
        "away": fake_library(tmp_path / "away", range(9, 12)),
    }


LIBRARIES = {name: Library(name, name, "MIT") for name in ("one", "two", "away")}


def built(roots: dict[str, Path], *, most: int = 1000, queries: int = 1000) -> RetrievalSet:
    return build_retrieval(
        [LIBRARIES["one"], LIBRARIES["two"]],
        [LIBRARIES["away"]],
        sizes=dict.fromkeys(SPLITS, (queries, 5)),
        most=dict.fromkeys(LIBRARIES, most),
        roots=roots,
    )


def test_a_set_is_split_by_module_and_library(fakes: dict[str, Path]) -> None:
    data = built(fakes)
    assert len(data.queries) == len(data.passages) > 100
    assert {query.domain for query in data.split(ZERO_SHOT)} == {"away"}
    assert {query.domain for query in data.split(TRAIN, VALIDATION, TEST)} <= {"one", "two"}
    assert data.split(TRAIN)
    corpora = {split: {name for q in data.split(split) for name in q.candidates} for split in SPLITS}
    for one in SPLITS:
        for other in SPLITS:
            assert one == other or not corpora[one] & corpora[other]
    for query in data.queries:
        assert sum(query.grades) == 1
        assert list(query.candidates) == sorted(query.candidates)
        assert query.candidates[query.relevant[0]] == query.id
        assert {data.by_id[name].domain == "away" for name in query.candidates} == {query.split == ZERO_SHOT}


def test_it_depends_on_nothing_but_the_sources(fakes: dict[str, Path], tmp_path: Path) -> None:
    first = built(fakes)
    moved = {}
    for name, folder in fakes.items():  # Another place, files made in another order.
        moved[name] = tmp_path / "elsewhere" / name
        for path in sorted(folder.rglob("*.py"), reverse=True):
            target = moved[name] / path.relative_to(folder)
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(path.read_bytes())
    second = built(moved)
    assert first == second
    assert first.card == second.card
    (moved["one"] / "part_0" / "mod_0.py").unlink()
    assert built(moved).card["sha256"] != first.card["sha256"]


def test_queries_may_be_fewer_than_passages(fakes: dict[str, Path]) -> None:
    whole, part = built(fakes), built(fakes, queries=7)
    assert part.passages == whole.passages
    assert set(part.queries) < set(whole.queries)
    assert len(part.split(TRAIN)) == len(part.split(ZERO_SHOT)) == 7


def test_copies_between_libraries_are_kept_once(fakes: dict[str, Path]) -> None:
    data = built(fakes)  # Module 4 is in both.
    texts = [passage.text for passage in data.passages]
    assert len(texts) == len(set(texts))
    assert sum(count["pairs"] for count in data.card["libraries"].values()) == len(texts) + 12


def test_a_library_gives_no_more_than_asked_for(fakes: dict[str, Path]) -> None:
    data = built(fakes, most=20)
    counts = [sum(p.domain == name for p in data.passages) for name in LIBRARIES]
    assert counts == [20, 20, 20]
    assert data.card["libraries"]["one"]["passages"] == 20


def pair(query: str, passage: str, name: str = "f") -> Pair:
    return Pair(Docstring("lib", "mod", name, ""), query, passage)


def test_near_copies_are_recognised_from_either_side() -> None:
    long = " ".join(f"word{'abcdefghijklmnopqrstuvwxyz'[i % 26]}{'xyz'[i // 26]}" for i in range(60))
    part = " ".join(long.split()[10:40])
    changed = long.replace("wordcx", "other")
    unrelated = " ".join(reversed(long.split()))
    kept = without_duplicates(
        [
            pair("count the red apples slowly", long, "a"),
            pair("weigh the green pears quickly", part, "b"),
            pair("wash the yellow plums gently", changed, "c"),
            pair("slice the purple grapes thinly", unrelated, "d"),
            pair(
                "Slowly count the red apple", "Quite another text " + unrelated.replace("word", "term"), "e"
            ),
        ]
    )
    names = {p.source.name for p in kept}
    assert len(names & {"a", "b", "c"}) == 1
    assert "d" in names
    assert len(names & {"a", "e"}) <= 1 or "a" not in names


NUMPY_STYLE = """
Compute the Hankel transform of a sampled signal, e.g. of order nu.

The transform is taken along one axis, and :func:`~lib.fht` does most of the work [1]_.
This computes the Hankel transform of a sampled signal.

.. deprecated:: 1.2
    Use something else.

Parameters
----------
a : array_like
    Real periodic input array, uniformly logarithmically spaced in the fast time axis.
mu : float
    Order of the operator; any positive or negative real number will do.

See Also
--------
other : A related thing that must not remain.

Examples
--------
>>> hankel(3)
secretnumber
"""


def test_a_passage_is_the_description_without_what_gives_it_away() -> None:
    made = make_pair(Docstring("lib", "mod", "hankel", NUMPY_STYLE.strip()))
    assert made is not None
    assert made.query == "Compute the Hankel transform of a sampled signal, e.g. of order nu"
    assert made.passage.startswith("The transform is taken along one axis, and fht does")
    for gone in (
        "hankel",
        "This computes",
        "must not remain",
        "secretnumber",
        "deprecated",
        "else",
        "[1]",
        "---",
    ):
        assert gone not in made.passage
    assert "Real periodic input array" in made.passage


GOOGLE_STYLE = """Draw samples from the posterior of a fitted regression model.

Example:
    posterior(3)
    junkoutput

Args:
    model (Model): Anything with parameters that were estimated before, `see <https://x.y>`_ for kinds.
    size (int): How many samples are drawn for each of the observations given.

```python
morejunk
```
"""


def test_sections_with_indentation_and_fences_are_understood() -> None:
    made = make_pair(Docstring("lib", "mod", "posterior", GOOGLE_STYLE))
    assert made is not None
    assert "junk" not in made.passage
    assert "https" not in made.passage
    assert made.passage.endswith("How many samples are drawn for each of the observations given.")


@pytest.mark.parametrize(
    "text",
    [
        "Returns a string.\n\n" + "long description of many different words " * 8,
        "Deprecated function that computes the inverse matrix.\n\n" + "some words follow here " * 10,
        "Compute the inverse of a square matrix.",
        "Compute the inverse of a square matrix.\n\nToo short.",
        "",
        "``` \n\n",
    ],
)
def test_templates_and_empty_descriptions_make_no_pair(text: str) -> None:
    assert make_pair(Docstring("lib", "mod", "f", text)) is None


@pytest.mark.parametrize(
    ("marked", "plain"),
    [
        ("see [the hub](https://x.y/z) now", "see the hub now"),
        ("see `the hub <https://x.y/z>`_ now", "see the hub now"),
        ("see <https://x.y/z> now", "see now"),
        ("use :class:`~lib.sub.Thing` or :func:`other <lib.f>`", "use Thing or f"),
        ("an ``ndarray`` of *size* |n| [3]_", "an ndarray of size n"),
        ("> [!TIP] > Be quick", "Be quick"),
    ],
)
def test_markup_is_removed(marked: str, plain: str) -> None:
    verbs = "sorting, merging, hashing, caching, parsing, drawing, reading, writing, counting"
    body = f"here are enough words about {verbs}, and many other things that programs do every day"
    made = make_pair(
        Docstring("lib", "mod", "f", f"Compute the inverse of a square matrix.\n\n{marked} {body}.")
    )
    assert made is not None
    assert made.passage.startswith(f"{plain} here")


def test_abbreviations_end_no_sentence() -> None:
    text = "Use J. Smith's rule, e.g. The first. Then 3.5 more! 4 left."
    assert sentences(text) == ["Use J. Smith's rule, e.g. The first.", "Then 3.5 more!", "4 left."]
    assert content_words("The sorting of sorted arrays") == content_words("sorts an array")


SOURCE = '''
"""Module text."""
import missing_module_that_is_never_imported
def public():
    """Public text."""
    def inner():
        """Inner text."""
def _private():
    """Private text."""
if True:
    class Thing:
        """Class text."""
        def method(self):
            """Method text."""
        def __len__(self):
            """Special text."""
raise SystemExit
'''


def test_public_docstrings_are_read_without_importing(tmp_path: Path) -> None:
    (tmp_path / "mod.py").write_text(SOURCE)
    (tmp_path / "bad.py").write_text("def {{ template }}")
    for folder in ("tests", "_vendor", "skipped", "sub"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "mod.py").write_text(SOURCE)
    found = read_library(Library("x", "x", "MIT", skip=("skipped",)), tmp_path)
    names = ["public", "Thing", "Thing.method"]
    assert [(d.module, d.name) for d in found] == [(m, n) for m in ("mod", "sub/mod") for n in names]
    assert found[2].text == "Method text."


def test_what_is_not_installed_is_named(tmp_path: Path) -> None:
    with pytest.raises(ResourceError, match="no_such_library"):
        package_folder("no_such_library")
    absent = Library("no-such-library", "no_such_library", "MIT")
    assert installed_versions([absent, Library("numpy", "numpy", "x")])[0] == ("no-such-library", "")
    artifact = DocstringPassages(versions=installed_versions([absent]))
    with pytest.raises(ResourceError, match="no-such-library"):
        artifact.build(tmp_path, None)  # type: ignore[arg-type]


QUERY = Query("q", "what", TEST, "d", ("a", "b"), (0.0, 1.0), (1.5, 0.0), unretrieved=(2.0,))
PASSAGES = (Passage("a", "first", "d"), Passage("b", "", "d"))


def test_a_set_survives_storage(tmp_path: Path) -> None:
    data = RetrievalSet((QUERY,), PASSAGES, {"note": "ü"})
    save_retrieval(tmp_path, data)
    found = load_retrieval(tmp_path)
    assert found == data
    assert found.card == data.card
    assert found.texts(QUERY) == ("first", "")
    assert found.domains(TEST) == {"d": (QUERY,)}
    (tmp_path / "queries.jsonl").write_text(json.dumps({"id": "q"}) + "\n")
    with pytest.raises(ResourceError, match="cannot be read"):
        load_retrieval(tmp_path)


@pytest.mark.parametrize(
    "changed",
    [
        {"candidates": ("a", "c")},
        {"grades": (1.0,)},
        {"grades": (0.0, 0.0), "unretrieved": ()},
    ],
)
def test_contradictions_in_a_set_are_refused(changed: dict[str, tuple[object, ...]]) -> None:
    with pytest.raises(ProblemError, match="'q'"):
        RetrievalSet((replace(QUERY, **changed),), PASSAGES)  # type: ignore[arg-type]
    with pytest.raises(ProblemError, match="twice"):
        RetrievalSet((QUERY, QUERY), PASSAGES)


@pytest.mark.slow
def test_the_real_set_is_large_clean_and_hard(tmp_path: Path) -> None:
    class Silent:
        @staticmethod
        def progress(done: float, message: str = "") -> None:
            pass

    artifact = DocstringPassages()
    artifact.build(tmp_path, Silent())  # type: ignore[arg-type]
    data = artifact.load(tmp_path)
    assert len(data.passages) >= 5000
    assert len(data.split(TRAIN)) >= 2000
    assert len(data.split(TEST)) >= 300
    folds = data.domains(ZERO_SHOT)
    assert len(folds) >= 5
    assert min(map(len, folds.values())) >= 50
    assert len({passage.text for passage in data.passages}) == len(data.passages)
    # Words alone neither solve the task nor are worthless.
    assert 0.35 < data.card["splits"][TEST]["bm25 MRR@10"] < 0.7
    assert set(data.card["versions"]) >= {"numpy", "bm25s"}
    for query in data.queries:
        passage = data.by_id[query.id].text
        assert query.text.lower() not in passage.lower()
