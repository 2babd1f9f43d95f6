"""The rating data: reading, joining and refusing."""

from __future__ import annotations

import io
import tarfile
from pathlib import Path

import numpy as np
import pytest

from harness.method import ResourceError
from methods.common.ratings import FILES, LEXICON, RATINGS, load_lexicon, load_ratings, unpack


def _add(archive: tarfile.TarFile, name: str, content: bytes) -> None:
    info = tarfile.TarInfo(name)
    info.size = len(content)
    archive.addfile(info, io.BytesIO(content))


def _files() -> dict[str, bytes]:
    files = {}
    for name, stem in FILES.items():
        mark = b"\xef\xbb\xbf" if name == "amazon" else b""
        files[f"{stem}_anonDataRatings.txt"] = mark + b"7\t1.5\t.5\t[1, 2]\r\n2\t-4\t0\t[-4, -4, -4]\r\n"
        files[f"{stem}_GroundTruth.txt"] = b"2\t-4.0\tbad\tindeed\r\n7\t1.5\tfine \xc3\xa9\r\n"
    files["tweets_GroundTruth.txt"] = b"2\t3.0\tbad\r\n7\t1.5\tfine\r\n"
    return files


def _archive(path: Path, files: dict[str, bytes]) -> Path:
    inner = io.BytesIO()
    with tarfile.open(fileobj=inner, mode="w:gz") as nested:
        for name, content in files.items():
            _add(nested, f"hutto_ICWSM_2014/{name}", content)
    with tarfile.open(path, "w:gz") as outer:
        _add(outer, "../../escaped.txt", b"no")
        _add(outer, "x/additional_resources/hutto_ICWSM_2014.tar.gz", inner.getvalue())
    return path


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    target = tmp_path / "data"
    target.mkdir()
    unpack(_archive(tmp_path / "a.tar.gz", _files()), target)
    return target


def test_only_named_files_are_extracted(folder: Path) -> None:
    assert {file.name for file in folder.iterdir()} == set(_files())
    assert not (folder.parent.parent / "escaped.txt").exists()


def test_texts_and_ratings_join_on_the_id(folder: Path) -> None:
    amazon = load_ratings(folder)["amazon"]
    assert amazon.ids == ("2", "7")
    assert amazon.texts == ("bad\tindeed", "fine é")
    assert [row.tolist() for row in amazon.ratings] == [[-4, -4, -4], [1, 2]]
    np.testing.assert_allclose(amazon.means, [-4, 1.5])


def test_texts_whose_mean_disagrees_are_left_out_on_request(folder: Path) -> None:
    tweets = load_ratings(folder)["tweets"]
    assert tweets.mismatched.tolist() == [True, False]
    assert tweets.with_trusted_text().ids == ("7",)


@pytest.mark.parametrize(
    "cell", ["[1, 5]", "[]", "[1.5]", "__import__('os')", "[[1]]", "7", "[1e99]", "[null]"]
)
def test_broken_ratings_are_refused_with_their_line(folder: Path, cell: str) -> None:
    path = folder / "nytEditorialSnippets_anonDataRatings.txt"
    path.write_text(f"7\t1.5\t.5\t[1, 2]\n2\t0\t0\t{cell}\n")
    with pytest.raises(ResourceError) as caught:
        load_ratings(folder)
    assert "line 2" in caught.value.where
    assert caught.value.fix


def test_missing_file_and_missing_id_are_refused(folder: Path) -> None:
    path = folder / "nytEditorialSnippets_anonDataRatings.txt"
    path.write_text("7\t1.5\t.5\t[1, 2]\n")
    with pytest.raises(ResourceError):
        load_ratings(folder)
    path.unlink()
    with pytest.raises(ResourceError):
        load_ratings(folder)


def test_an_archive_without_a_file_is_refused(tmp_path: Path) -> None:
    files = _files()
    del files["tweets_GroundTruth.txt"]
    with pytest.raises(ResourceError, match="tweets_GroundTruth"):
        unpack(_archive(tmp_path / "a.tar.gz", files), tmp_path)


def test_lexicon_keeps_the_first_of_several_entries(tmp_path: Path) -> None:
    (tmp_path / "vader_lexicon.txt").write_text("good\t1\t0\t[1, 1]\nbad\t-1\t0\t[-1]\ngood\t3\t0\t[3]\n")
    lexicon = load_lexicon(tmp_path)
    assert lexicon.words.ids == ("good", "bad")
    assert lexicon.words.means.tolist() == [1, -1]


def test_compound_score_reads_the_given_lexicon(tmp_path: Path) -> None:
    pytest.importorskip("vaderSentiment")
    (tmp_path / "vader_lexicon.txt").write_text("florp\t3.0\t0\t[3]\n")
    plus, zero = load_lexicon(tmp_path).compound(("a florp day", "a good day"))
    assert plus > 0 == zero


def test_resources_pin_every_file_they_read() -> None:
    assert {name for name, _ in RATINGS.sha256} == set(_files())
    assert [name for name, _ in LEXICON.sha256] == ["vader_lexicon.txt"]
