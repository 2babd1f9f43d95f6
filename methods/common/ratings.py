"""Sentences with the individual sentiment ratings of many people (Hutto and Gilbert, 2014).

The source distribution of ``vaderSentiment`` bundles the archive of the ICWSM-2014 paper: four
sets of texts (product reviews, film reviews, tweets, newspaper editorials), each text rated by
15 to 99 people with an integer from -4 (extremely negative) to 4 (extremely positive). The wheel
of the same package carries a lexicon of words with ten ratings each.

Only the raw ratings are trusted: means are recomputed. In ``tweets``, 199 texts carry a mean
that does not belong to their ratings, so which text was rated is unknown: they are marked in
:attr:`RatingSet.mismatched`, and :meth:`RatingSet.with_trusted_text` leaves them out.
"""

from __future__ import annotations

import json
import tarfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import IO

import numpy as np
from numpy.typing import NDArray

from harness.method import IndexSource, PackageSource, Resource, ResourceError

FILES = {
    "amazon": "amazonReviewSnippets",
    "movie": "movieReviewSnippets",
    "tweets": "tweets",
    "nyt": "nytEditorialSnippets",
}
"""Stem of the files of each set."""

_ARCHIVE = "additional_resources/hutto_ICWSM_2014.tar.gz"
_LARGEST = 8_000_000
"""Bytes; the largest genuine file has 1.4 million. A larger one is not the file we mean."""
_MEAN_TOLERANCE = 0.001
"""Genuine means agree to six decimals; the nearest wrong one is off by .0028."""


@dataclass(frozen=True)
class RatingSet:
    """Texts with the ratings of many people.

    Attributes:
        name: Name of the set.
        ids: One identifier a text, unique in the set.
        texts: The texts.
        ratings: For each text its raw integer ratings in -4 ... 4; the raters are anonymous and
            their order carries no meaning.
        mismatched: Shape (n,): whether the text may not be the one that was rated.
    """

    name: str
    ids: tuple[str, ...]
    texts: tuple[str, ...]
    ratings: tuple[NDArray[np.int8], ...]
    mismatched: NDArray[np.bool_]

    def __len__(self) -> int:
        return len(self.ids)

    @property
    def means(self) -> NDArray[np.float64]:
        """Shape (n,): mean rating of each text, from the raw ratings."""
        return np.array([float(row.mean()) for row in self.ratings])

    def take(self, index: NDArray[np.intp]) -> RatingSet:
        """The texts at ``index``, in that order."""
        return RatingSet(
            name=self.name,
            ids=tuple(self.ids[i] for i in index),
            texts=tuple(self.texts[i] for i in index),
            ratings=tuple(self.ratings[i] for i in index),
            mismatched=self.mismatched[index],
        )

    def with_trusted_text(self) -> RatingSet:
        """The set without its mismatched texts."""
        return self.take(np.flatnonzero(~self.mismatched))


@dataclass(frozen=True)
class Lexicon:
    """Words with ratings, and the rule-based sentence score built on them."""

    words: RatingSet
    path: Path

    def compound(self, texts: tuple[str, ...]) -> NDArray[np.float64]:
        """VADER's compound score of each text, in [-1, 1]."""
        from vaderSentiment.vaderSentiment import SentimentIntensityAnalyzer

        analyser = SentimentIntensityAnalyzer(lexicon_file=str(self.path))
        return np.array([analyser.polarity_scores(text)["compound"] for text in texts])


def unpack(archive: Path, folder: Path) -> None:
    """Copy the text files of the four sets out of the source distribution into ``folder``.

    Members are read by name and written under fixed names: no path of the archive is used.

    Raises:
        ResourceError: If the archive lacks a file or holds something else under its name.
    """
    with tarfile.open(archive, "r:gz") as outer:
        nested = _member(outer, _ARCHIVE, archive)
        with tarfile.open(fileobj=BytesIO(nested), mode="r:gz") as inner:
            for name in _file_names():
                (folder / name).write_bytes(_member(inner, name, archive))


def unpack_lexicon(folder: Path) -> None:
    """Copy the lexicon of the installed package into ``folder``."""
    from importlib.resources import files

    content = files("vaderSentiment").joinpath("vader_lexicon.txt").read_bytes()
    (folder / "vader_lexicon.txt").write_bytes(content)


def load_ratings(folder: Path) -> Mapping[str, RatingSet]:
    """The four sets, by name.

    Raises:
        ResourceError: If a file is missing or a line cannot be read.
    """
    return {name: _load_set(folder, name, stem) for name, stem in FILES.items()}


def load_lexicon(folder: Path) -> Lexicon:
    """The lexicon; the first of several entries for a word counts."""
    path = folder / "vader_lexicon.txt"
    rows: dict[str, NDArray[np.int8]] = {}
    for place, cells in _lines(path):
        rows.setdefault(cells[0], _ratings(cells[-1], place))
    words = tuple(rows)
    none = np.zeros(len(words), dtype=np.bool_)
    return Lexicon(RatingSet("lexicon", words, words, tuple(rows.values()), none), path)


def _load_set(folder: Path, name: str, stem: str) -> RatingSet:
    ratings = {
        cells[0]: _ratings(cells[-1], place)
        for place, cells in _lines(folder / f"{stem}_anonDataRatings.txt")
    }
    ids: list[str] = []
    texts: list[str] = []
    mismatched: list[bool] = []
    for place, (key, mean, text) in _lines(folder / f"{stem}_GroundTruth.txt", cells=3):
        if key not in ratings:
            raise _unreadable(f"No ratings for text '{key}'", place)
        ids.append(key)
        texts.append(text)
        mismatched.append(abs(float(mean) - float(ratings[key].mean())) > _MEAN_TOLERANCE)
    rows = tuple(ratings[key] for key in ids)
    return RatingSet(name, tuple(ids), tuple(texts), rows, np.array(mismatched, dtype=np.bool_))


def _lines(path: Path, cells: int = 4) -> Iterator[tuple[str, list[str]]]:
    """Place and tab-separated cells of each line; the last cell takes all further tabs."""
    if not path.is_file():
        raise _unreadable("A file of the rating data is missing", str(path))
    # Some files start with a byte-order mark.
    for number, line in enumerate(path.read_text(encoding="utf-8-sig").splitlines(), start=1):
        parts = line.rstrip("\r").split("\t", cells - 1)
        if len(parts) != cells:
            raise _unreadable(f"{cells} tab-separated cells were expected", f"{path.name}, line {number}")
        yield f"{path.name}, line {number}", parts


def _ratings(cell: str, place: str) -> NDArray[np.int8]:
    try:
        values = json.loads(cell)
        found = np.array(values, dtype=np.int8)
    except (ValueError, TypeError, OverflowError) as error:
        raise _unreadable("The ratings are not a list of integers", place) from error
    if found.ndim != 1 or found.size == 0 or np.abs(found).max() > 4 or not np.array_equal(found, values):
        raise _unreadable("The ratings are not integers from -4 to 4", place)
    return found


def _member(archive: tarfile.TarFile, name: str, path: Path) -> bytes:
    for member in archive:
        if member.isfile() and member.name.endswith(f"/{name}") and member.size <= _LARGEST:
            content: IO[bytes] | None = archive.extractfile(member)
            if content is not None:
                return content.read()
    raise _unreadable(f"The archive has no file '{name}'", str(path))


def _unreadable(what: str, where: str) -> ResourceError:
    return ResourceError(
        what, where=where, fix="Fetch the resource 'human-ratings' again, or bind it to an intact copy."
    )


def _file_names() -> list[str]:
    return [f"{stem}_{kind}.txt" for stem in FILES.values() for kind in ("GroundTruth", "anonDataRatings")]


RATINGS = Resource(
    name="human-ratings",
    kind="dataset",
    licence="MIT",
    version="3.3.2",
    sources=(
        IndexSource(
            distribution="vaderSentiment",
            version="3.3.2",
            sha256="5d7c06e027fc8b99238edb0d53d970cf97066ef97654009890b83703849632f9",
            provide="methods.common.ratings:unpack",
        ),
    ),
    loader="methods.common.ratings:load_ratings",
    sha256=(
        (
            "amazonReviewSnippets_GroundTruth.txt",
            "11a9807a0974a2506a2d3b4851eaf69b3d6d20688ce4923adda2312a4f6dd6c2",
        ),
        (
            "amazonReviewSnippets_anonDataRatings.txt",
            "d7d909adab91e0b4d5084251fc825f15baff66277c52eaa705b40fc464fa274b",
        ),
        (
            "movieReviewSnippets_GroundTruth.txt",
            "c8293b0d942e90e223ea2c0955d969040d1a1be514a978b9af0698940bd13350",
        ),
        (
            "movieReviewSnippets_anonDataRatings.txt",
            "658a086bc7239b98b750baa232cab80e6447789020f96a6c847cc1248d7c82f4",
        ),
        ("tweets_GroundTruth.txt", "dfbe7102e2f92579ed8b19df9a3822491880697c67adf712fb66e520cc05102f"),
        ("tweets_anonDataRatings.txt", "390d6f8f1b5c7e6f9f94ad7fea1e461ed718312d1856ae71c5812ab8ae943fa6"),
        (
            "nytEditorialSnippets_GroundTruth.txt",
            "7d8fbcce7dde5d716da53e78f4ef4be6b706e9ef1e1d51887e6d0ad4b69cc27e",
        ),
        (
            "nytEditorialSnippets_anonDataRatings.txt",
            "803c87c5bb529334bb5ed5fca244aa935e5f342bc0a930d91a0f22e978ee39f2",
        ),
    ),
    size_mb=5,
)
"""The four sets of texts with every individual rating; loads as ``Mapping[str, RatingSet]``."""

LEXICON = Resource(
    name="vader-lexicon",
    kind="dataset",
    licence="MIT",
    version="3.3.2",
    sources=(
        PackageSource(
            distribution="vaderSentiment",
            version="3.3.2",
            provide="methods.common.ratings:unpack_lexicon",
        ),
    ),
    loader="methods.common.ratings:load_lexicon",
    sha256=(("vader_lexicon.txt", "1ec9c6e9ee19aade328f8beb393a6afa71a5bb3acf7d3cc22d4ef568df374bf5"),),
    size_mb=1,
)
"""The sentiment lexicon of words with ten ratings each; loads as :class:`Lexicon`."""
