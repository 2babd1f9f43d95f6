from __future__ import annotations

import pickle
import shutil
import subprocess
import sys
import tempfile
import textwrap
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from harness.errors import LicenceError, ResourceError
from harness.method import HubSource, MirrorSource, PackageSource, Resource
from harness.resources import Resolver
from tests.harness.resources.conftest import PROVIDER, MakeResolver, as_nobody, packaged
from tests.harness.resources.provider import CONTENT


def missing_resource() -> Resource:
    sources = (
        MirrorSource("letters"),
        PackageSource("no-such-distribution-here", "2.0", f"{PROVIDER}:provide"),
        HubSource("someone/letters", repo_type="dataset"),
    )
    return packaged(sources=sources, sha256=())


def test_a_package_fills_the_cache_once(make: MakeResolver) -> None:
    resolver = make()
    assert resolver.status(packaged()).state == "fetchable"
    folder = resolver.path(packaged())
    assert (folder / "letters.txt").read_bytes() == CONTENT
    assert resolver.status(packaged()).state == "present"
    assert make().path(packaged()) == folder
    assert (resolver.home / "resources" / "calls").read_text() == "x"


def test_threads_that_want_the_same_resource_fill_it_once(make: MakeResolver) -> None:
    with ThreadPoolExecutor(6) as pool:
        folders = set(pool.map(lambda _: make().path(packaged()), range(6)))
    assert len(folders) == 1
    assert (make().home / "resources" / "calls").read_text() == "x"


def test_the_identity_does_not_change_by_fetching(make: MakeResolver) -> None:
    before = make().identity(packaged())
    make().path(packaged())
    assert make().identity(packaged()) == before
    assert make().identity(packaged(version="2")) != before
    assert make().identity(packaged(sha256=())) != before


def test_an_explicit_path_comes_first_and_is_identified_by_its_content(
    make: MakeResolver, tmp_path: Path
) -> None:
    own = tmp_path / "own"
    own.mkdir()
    (own / "letters.txt").write_text("mine")
    resolver = make(bindings={"letters": own})
    first = resolver.identity(packaged())
    assert resolver.path(packaged()) == own
    assert first != make().identity(packaged())
    (own / "letters.txt").write_text("changed")
    assert resolver.identity(packaged()) != first
    assert not (resolver.home / "resources").exists()


def test_a_renamed_file_changes_the_identity(make: MakeResolver, tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    (tmp_path / "a" / "x").write_text("1")
    (tmp_path / "b" / "y").write_text("1")
    identities = {make(bindings={"letters": tmp_path / name}).identity(packaged()) for name in "ab"}
    assert len(identities) == 2


def test_a_bound_path_must_be_a_folder(make: MakeResolver, tmp_path: Path) -> None:
    resolver = make(bindings={"letters": tmp_path / "nowhere"})
    assert resolver.status(packaged()).state == "missing"
    with pytest.raises(ResourceError, match="nowhere"):
        resolver.path(packaged())
    with pytest.raises(ResourceError, match="nowhere"):
        resolver.identity(packaged())


def test_the_mirror_comes_before_cache_and_package(make: MakeResolver, tmp_path: Path) -> None:
    make().path(packaged())
    mirrored = tmp_path / "mirror" / "letters"
    mirrored.mkdir(parents=True)
    # An empty folder in the mirror is not a data set.
    assert make(mirror=mirrored.parent).path(packaged()) != mirrored
    (mirrored / "letters.txt").write_bytes(CONTENT)
    resolver = make(mirror=mirrored.parent)
    assert resolver.path(packaged()) == mirrored
    assert resolver.identity(packaged()) != make().identity(packaged())


def test_a_wrong_file_in_the_mirror_is_refused(make: MakeResolver, tmp_path: Path) -> None:
    mirrored = tmp_path / "mirror" / "letters"
    mirrored.mkdir(parents=True)
    (mirrored / "letters.txt").write_bytes(b"other")
    with pytest.raises(ResourceError, match="not what is pinned"):
        make(mirror=mirrored.parent).path(packaged())
    assert (mirrored / "letters.txt").exists()


@pytest.mark.parametrize("function", ["provide_other", "provide_nothing"])
def test_content_that_is_not_pinned_is_neither_kept_nor_used(make: MakeResolver, function: str) -> None:
    with pytest.raises(ResourceError, match="not what is pinned") as caught:
        make().path(packaged(function))
    assert "letters.txt" in caught.value.where
    assert make().status(packaged(function)).state == "fetchable"
    assert not list(make().home.glob("resources/letters/*/"))


def test_a_cached_file_that_has_changed_is_moved_aside_and_fetched_again(make: MakeResolver) -> None:
    folder = make().path(packaged())
    (folder / "letters.txt").write_bytes(b"s0me data\n")
    with pytest.raises(ResourceError, match="corrupted"):
        make().path(packaged())
    assert (make().path(packaged()) / "letters.txt").read_bytes() == CONTENT
    assert list(folder.parent.parent.glob("*.corrupt"))


def test_a_cached_file_that_has_vanished_is_noticed(make: MakeResolver) -> None:
    folder = make().path(packaged())
    (folder / "letters.txt").unlink()
    with pytest.raises(ResourceError, match="corrupted"):
        make().path(packaged())


def test_a_killed_fill_leaves_nothing_that_counts(make: MakeResolver) -> None:
    home = make().home
    program = f"""
        from pathlib import Path
        from harness.resources import Resolver
        from tests.harness.resources.conftest import packaged
        Resolver({{}}, frozenset(), Path({str(home)!r}), None).path(packaged("provide_and_die"))
    """
    done = subprocess.run([sys.executable, "-c", textwrap.dedent(program)], check=False, cwd=Path.cwd())
    assert done.returncode == -9
    assert list(home.glob("resources/letters/*.partial/files/letters.txt"))
    assert make().status(packaged("provide_and_die")).state == "fetchable"
    # The same entry, filled by a source that works, as after a restart.
    healthy = packaged()
    broken_entry = make()._cache.entry(packaged("provide_and_die"))
    broken_entry.with_name(f"{broken_entry.name}.partial").rename(
        make()._cache.entry(healthy).with_name(f"{make()._cache.entry(healthy).name}.partial")
    )
    assert (make().path(healthy) / "letters.txt").read_bytes() == CONTENT
    assert not list(home.glob("resources/letters/*.partial"))


def test_ctrl_c_cleans_up(make: MakeResolver) -> None:
    with pytest.raises(KeyboardInterrupt):
        make().path(packaged("interrupted"))
    assert not list(make().home.glob("resources/letters/*/"))


def test_a_full_disk_is_explained_and_leaves_nothing(make: MakeResolver) -> None:
    with pytest.raises(ResourceError, match="disk is full") as caught:
        make().path(packaged("provide_on_full_disk"))
    assert "CORROBORATE_HOME" in caught.value.fix
    assert not list(make().home.glob("resources/letters/*/"))


def test_a_package_that_fails_is_named(make: MakeResolver) -> None:
    with pytest.raises(ResourceError, match="a part of the package is missing") as caught:
        make().path(packaged("provide_brokenly"))
    assert "provide_brokenly" in caught.value.where


def test_a_cache_below_a_file_cannot_be_written(make: MakeResolver, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(ResourceError, match="cannot be written"):
        make(home=tmp_path / "file" / "home").path(packaged())


def test_a_read_only_cache_serves_what_it_has_and_refuses_the_rest() -> None:
    with tempfile.TemporaryDirectory() as name:
        place = Path(name)
        place.chmod(0o755)
        resolver = Resolver({}, frozenset(), place / "home", None)
        folder = resolver.path(packaged())
        for path in [resolver.home, *resolver.home.rglob("*")]:
            path.chmod(0o555)

        def read_and_write() -> None:
            fresh = Resolver({}, frozenset(), place / "home", None)
            assert fresh.path(packaged()) == folder
            with pytest.raises(ResourceError, match="cannot be written"):
                fresh.path(packaged(version="2"))

        assert as_nobody(read_and_write) == 0
        for path in [resolver.home, *resolver.home.rglob("*")]:
            path.chmod(0o755)


def test_terms_must_be_accepted_before_anything_is_fetched(make: MakeResolver) -> None:
    guarded = packaged(accept="letters-terms", terms="https://example.org/terms")
    assert make().status(guarded).state == "blocked"
    with pytest.raises(LicenceError, match=r"https://example.org/terms") as caught:
        make().path(guarded)
    assert "--accept-licence letters-terms" in caught.value.fix
    assert make(accepted=frozenset({"letters-terms"})).path(guarded).is_dir()
    # What is in the cache needs the same acceptance.
    with pytest.raises(LicenceError):
        make().path(guarded)


def test_a_missing_resource_names_every_way_to_provide_it(
    make: MakeResolver, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    monkeypatch.setenv("HF_HOME", str(tmp_path))
    with pytest.raises(ResourceError) as caught:
        make().path(missing_resource())
    text = str(caught.value)
    for way in [
        "--bind letters=PATH",
        "CORROBORATE_MIRROR",
        "pip install no-such-distribution-here==2.0",
        "someone/letters",
        "not installed",
        "offline",
    ]:
        assert way in text
    assert make().status(missing_resource()).state == "missing"


def test_another_version_of_a_package_is_not_taken(make: MakeResolver) -> None:
    wrong = packaged(sources=(PackageSource("numpy", "0.0.1", f"{PROVIDER}:provide"),))
    with pytest.raises(ResourceError, match=r"0\.0\.1 is pinned"):
        make().path(wrong)


def test_a_resolver_crosses_process_borders(make: MakeResolver) -> None:
    resolver = pickle.loads(pickle.dumps(make()))  # noqa: S301 - our own bytes
    assert resolver.path(packaged()) == make().path(packaged())


def test_the_environment_says_where_things_are(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("CORROBORATE_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("CORROBORATE_MIRROR", str(tmp_path))
    monkeypatch.setenv("CORROBORATE_ACCEPT_LICENCES", "one, two")
    resolver = Resolver.from_environment(accept=["three"])
    assert resolver.home == tmp_path / "home"
    assert resolver.mirror == tmp_path
    assert resolver.accepted == {"one", "two", "three"}
    monkeypatch.delenv("CORROBORATE_ACCEPT_LICENCES")
    assert Resolver.from_environment().accepted == {"three"}
    monkeypatch.setenv("CORROBORATE_MIRROR", str(tmp_path / "nowhere"))
    with pytest.raises(ResourceError, match="not a folder"):
        Resolver.from_environment()


@pytest.fixture
def tiny_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 64 KiB, where this user may mount one."""
    folder = tmp_path / "disk"
    folder.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", str(folder)]
    if shutil.which("mount") is None or subprocess.run(command, capture_output=True, check=False).returncode:
        pytest.skip("this user may not mount a file system")
    yield folder
    subprocess.run(["umount", str(folder)], check=True)


def test_a_disk_that_is_really_full(make: MakeResolver, tiny_disk: Path) -> None:
    resolver = make(home=tiny_disk / "home")
    small, big = resolver.path(packaged()), packaged("provide_too_much", version="2", sha256=())
    with pytest.raises(ResourceError, match="disk is full"):
        resolver.path(big)
    assert resolver.path(packaged()) == small
    assert resolver.status(big).state == "fetchable"
    assert not list(tiny_disk.rglob("*.partial"))
