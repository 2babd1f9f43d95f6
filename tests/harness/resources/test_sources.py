from __future__ import annotations

import hashlib
import tarfile
from dataclasses import replace
from pathlib import Path

import pytest

from harness.errors import ResourceError
from harness.method import HubSource, IndexSource
from harness.resources import sources
from tests.harness.resources.conftest import PROVIDER, MakeResolver, packaged
from tests.harness.resources.provider import CONTENT


@pytest.fixture
def index(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder that pip takes for its only index, with one source distribution."""
    source = tmp_path / "letters-1.0"
    source.mkdir()
    (source / "letters.txt").write_bytes(CONTENT)
    (source / "setup.py").write_text(
        f"open({str(tmp_path / 'executed')!r}, 'w').close()\n"
        "from setuptools import setup\nsetup(name='letters', version='1.0', packages=[])\n"
    )
    (source / "PKG-INFO").write_text("Metadata-Version: 2.1\nName: letters\nVersion: 1.0\n")
    links = tmp_path / "links"
    links.mkdir()
    with tarfile.open(links / "letters-1.0.tar.gz", "w:gz") as tar:
        tar.add(source, "letters-1.0")
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(links))
    monkeypatch.setenv("PIP_CONFIG_FILE", "/dev/null")
    return links / "letters-1.0.tar.gz"


@pytest.fixture
def _online(monkeypatch: pytest.MonkeyPatch) -> None:
    """As if the hub could be reached; its library is replaced in these tests."""
    for name in ("HF_HUB_OFFLINE", "HF_DATASETS_OFFLINE", "TRANSFORMERS_OFFLINE"):
        monkeypatch.delenv(name, raising=False)


def pinned(archive: Path, sha256: str = "") -> IndexSource:
    digest = sha256 or hashlib.sha256(archive.read_bytes()).hexdigest()
    return IndexSource("letters", "1.0", digest, f"{PROVIDER}:unpack")


def test_a_source_distribution_is_fetched_and_unpacked(index: Path, make: MakeResolver) -> None:
    folder = make().path(packaged(sources=(pinned(index),)))
    assert (folder / "letters.txt").read_bytes() == CONTENT


def test_an_archive_that_is_not_the_pinned_one_is_never_executed(
    index: Path, make: MakeResolver, tmp_path: Path
) -> None:
    with pytest.raises(ResourceError):
        make().path(packaged(sources=(pinned(index, "0" * 64),)))
    assert not (tmp_path / "executed").exists()


@pytest.mark.usefixtures("_online")
def test_hub_models_come_without_files_that_run_code(
    make: MakeResolver, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    import huggingface_hub

    snapshot = tmp_path / "snapshots" / "abc123"
    snapshot.mkdir(parents=True)
    (snapshot / "model.safetensors").write_bytes(b"weights")
    asked: dict[str, object] = {}

    def download(repo: str, **options: object) -> str:
        asked.update(options, repo=repo)
        return str(snapshot)

    monkeypatch.setattr(huggingface_hub, "snapshot_download", download)
    resource = packaged(kind="model", sources=(HubSource("someone/model", revision="v1"),), sha256=())
    folder = make().path(resource)
    assert (folder / "model.safetensors").read_bytes() == b"weights"
    assert asked["revision"] == "v1"
    assert {"*.bin", "*.pt", "*.pkl", "*.py"} <= set(asked["ignore_patterns"])  # type: ignore[call-overload]
    # A revision that is no commit is identified by the commit that it turned out to be.
    assert "abc123" in make().identity(resource)
    pinned = packaged(kind="model", sources=(HubSource("someone/model", revision="f" * 40),), sha256=())
    before = make().identity(pinned)
    make().path(pinned)
    assert make().identity(pinned) == before


@pytest.mark.usefixtures("_online")
def test_chosen_files_of_a_hub_data_set_stay_as_they_are(
    make: MakeResolver, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    import huggingface_hub

    snapshot = tmp_path / "snapshots" / "abc123"
    (snapshot / "data").mkdir(parents=True)
    (snapshot / "data" / "train-0.parquet").write_bytes(b"rows")
    asked: dict[str, object] = {}

    def download(repo: str, **options: object) -> str:
        asked.update(options)
        return str(snapshot)

    monkeypatch.setattr(huggingface_hub, "snapshot_download", download)
    source = HubSource("someone/set", repo_type="dataset", files=("data/*.parquet",))
    folder = make().path(packaged(sources=(source,), sha256=()))
    assert (folder / "data" / "train-0.parquet").read_bytes() == b"rows"
    assert asked["repo_type"] == "dataset"
    assert asked["allow_patterns"] == ["data/*.parquet"]
    other = replace(source, files=("data/train-*.parquet",))
    assert sources.describe(source) != sources.describe(other)


@pytest.mark.usefixtures("_online")
def test_a_hub_that_fails_is_quoted(make: MakeResolver, monkeypatch: pytest.MonkeyPatch) -> None:
    import huggingface_hub

    def download(*_: object, **__: object) -> str:
        raise ConnectionError("no route to host\nmore")

    monkeypatch.setattr(huggingface_hub, "snapshot_download", download)
    resource = packaged(kind="model", sources=(HubSource("someone/model"),), sha256=())
    with pytest.raises(ResourceError, match="no route to host"):
        make().path(resource)


def test_every_kind_of_source_has_a_text_and_a_way(index: Path) -> None:
    hub = HubSource("someone/set", revision="abc", repo_type="dataset", config="main")
    for source in [*packaged().sources, pinned(index), hub]:
        assert sources.describe(source)
        assert sources.way_to_provide(source)
    assert "abc" in sources.describe(hub)
