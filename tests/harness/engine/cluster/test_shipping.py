"""What a job finds on a node: the same content under other paths, or an error that says what differs."""

from __future__ import annotations

import pickle
from dataclasses import replace
from pathlib import Path

import pytest

from harness.engine.cluster.identity import ROOT, Identity, code_hash, differences, own_identity
from harness.engine.cluster.messages import Base, Mark
from harness.engine.cluster.shipping import Place, Shipper, marked, sees
from harness.engine.cluster.store import ContentStore
from harness.engine.job import ArtifactJob, Outcome, TrialJob
from harness.errors import ResourceError
from harness.plan.closure import stamp_of
from harness.resources.hashing import HashCache
from tests.harness.toy import MeanTask, Offset, Shrunk


def base(home: Path, run: Path, store: str = "") -> Base:
    return Base(
        identity=own_identity(),
        root=str(ROOT),
        home=Mark(str(home), "", ""),
        run=Mark(str(run), "", ""),
        store=store,
        path=(),
        variables={},
        machines=None,
        device="cpu",
    )


def trial(paths: dict[str, str], **more: object) -> TrialJob:
    job = TrialJob(
        id="e/t/m/1",
        device="cpu",
        dtype="float32",
        paths=paths,
        task=MeanTask(),
        methods={"m": Shrunk()},
        seed=1,
        stage="main",
    )
    return replace(job, **more)  # type: ignore[arg-type]


@pytest.fixture
def driver(tmp_path: Path) -> Path:
    home = tmp_path / "driver"
    (home / "artifacts" / "teacher").mkdir(parents=True)
    (home / "artifacts" / "teacher" / "w.json").write_text("1")
    return home


def test_a_mark_is_seen_where_the_folder_is_and_goes_again(tmp_path: Path) -> None:
    with marked(tmp_path) as mark:
        assert sees(mark)
        assert not sees(replace(mark, text="other"))
    assert not sees(mark)
    assert list(tmp_path.iterdir()) == []
    with marked(tmp_path / "missing") as mark:
        assert not sees(mark)


def test_a_node_that_sees_the_cache_uses_it(driver: Path, tmp_path: Path) -> None:
    shared = base(driver, tmp_path)
    job = trial({"teacher": str(driver / "artifacts" / "teacher")}, checkpoints=driver / "c")
    order = Shipper(shared, HashCache(tmp_path / "h.json")).order(job)
    assert order.digests == {job.paths["teacher"]: ""}
    found = Place(shared, shared=True, home=driver, store=None).localised(order)
    assert found.paths == job.paths
    assert pickle.loads(order.job) == job  # noqa: S301 - our own


def test_a_node_of_its_own_fetches_by_content(driver: Path, tmp_path: Path) -> None:
    store = ContentStore(str(tmp_path / "store"))
    alone = base(driver, tmp_path / "runs" / "r1", store.url)
    job = trial(
        {"teacher": str(driver / "artifacts" / "teacher")}, checkpoints=tmp_path / "runs" / "r1" / "c" / "e.1"
    )
    order = Shipper(alone, HashCache(tmp_path / "h.json"), store, everywhere=False).order(job)
    (driver / "artifacts" / "teacher" / "w.json").write_text("2")  # The same path there is no proof.
    node = Place(alone, shared=False, home=tmp_path / "node", store=store)
    found = node.localised(order)
    folder = Path(found.paths["teacher"])
    assert folder.is_relative_to(tmp_path / "node")
    assert (folder / "w.json").read_text() == "1"
    assert found.checkpoints == tmp_path / "node" / "checkpoints" / "r1" / "e.1"
    assert node.localised(order).paths == found.paths
    assert found.checkpoints is not None
    for status, left in (("timeout", True), ("ok", False)):
        found.checkpoints.mkdir(parents=True, exist_ok=True)
        node.forget(found, Outcome(id="e/t/m/1", status=status))  # type: ignore[arg-type]
        assert found.checkpoints.exists() == left, "what passed a limit goes on from its last state"


def test_without_a_store_other_content_is_refused(driver: Path, tmp_path: Path) -> None:
    alone = base(driver, tmp_path)
    job = trial({"teacher": str(driver / "artifacts" / "teacher")})
    order = Shipper(alone, HashCache(tmp_path / "h.json"), everywhere=False).order(job)
    node = Place(alone, shared=False, home=tmp_path / "node", store=None)
    assert node.localised(order).paths == job.paths, "equal content needs no store"
    (driver / "artifacts" / "teacher" / "w.json").write_text("22")
    with pytest.raises(ResourceError, match="not the same on this node") as error:
        node.localised(order)
    assert "--artifact-store" in error.value.fix


def test_what_a_node_builds_comes_to_the_driver(driver: Path, tmp_path: Path) -> None:
    store = ContentStore(str(tmp_path / "store"))
    alone = base(driver, tmp_path / "run", store.url)
    job = ArtifactJob(
        id="artifact/x",
        device="cpu",
        dtype="float32",
        paths={},
        artifact=Offset(),
        target=driver / "artifacts" / "x",
        checkpoints=driver / "artifacts" / ".x.checkpoints",
    )
    shipper = Shipper(alone, HashCache(tmp_path / "h.json"), store, everywhere=False)
    node = Place(alone, shared=False, home=tmp_path / "node", store=store)
    found = node.localised(shipper.order(job))
    assert isinstance(found, ArtifactJob)
    assert found.target == tmp_path / "node" / "artifacts" / "x"
    assert found.checkpoints == tmp_path / "node" / "artifacts" / ".x.checkpoints"
    found.target.mkdir(parents=True)
    (found.target / "offset.json").write_text("3")
    from harness.engine.cluster.store import listing_of

    shipper.received(job, store.put(found.target, listing_of(found.target, HashCache(tmp_path / "n.json"))))
    assert (job.target / "offset.json").read_text() == "3"


def test_code_of_a_users_own_must_be_equal(driver: Path, tmp_path: Path) -> None:
    module = tmp_path / "mine.py"
    module.write_text("A = 1\n")
    own = ROOT / "harness" / "text.py"
    job = trial({}, sources={str(module): stamp_of(module), str(own): stamp_of(own)})
    alone = base(driver, tmp_path)
    order = Shipper(alone, HashCache(tmp_path / "h.json")).order(job)
    assert list(order.plugins) == [str(module)]
    place = Place(alone, shared=True, home=driver, store=None)
    assert place.localised(order).sources == job.sources
    module.write_text("A = 2\n")
    with pytest.raises(ResourceError, match="method's code"):
        place.localised(order)


def test_another_checkout_of_the_same_code_will_do(driver: Path, tmp_path: Path) -> None:
    there = str(tmp_path / "elsewhere")
    alone = replace(base(driver, tmp_path), root=there)
    job = trial({}, sources={f"{there}/harness/text.py": (1, 2)}, declared=(f"{there}/methods/common",))
    order = Shipper(alone, HashCache(tmp_path / "h.json")).order(job)
    found = Place(alone, shared=True, home=driver, store=None).localised(order)
    own = ROOT / "harness" / "text.py"
    assert found.sources == {str(own): stamp_of(own)}
    assert found.declared == (str(ROOT / "methods" / "common"),)


def test_the_code_hash_follows_every_file_of_the_code(tmp_path: Path) -> None:
    for folder in ("harness", "methods", "suites", "reports", "tests"):
        (tmp_path / folder / "a").mkdir(parents=True)
        (tmp_path / folder / "a" / "b.py").write_text("1")
    first = code_hash(tmp_path)
    for harmless in ("tests/a/b.py", "methods/a/b.pyc", "suites/a/reference/x.json", "harness/.hidden"):
        (tmp_path / harmless).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / harmless).write_text("2")
        assert code_hash(tmp_path) == first, harmless
    seen = {first}
    for relevant in ("methods/a/b.py", "suites/a/paper.toml", "harness/new.py", "reports/a/t.css"):
        (tmp_path / relevant).write_text("2")
        seen.add(code_hash(tmp_path))
    assert len(seen) == 5


def test_differences_name_the_field() -> None:
    here = Identity("3.11.7", "a" * 40, "b" * 64, "c" * 64, "torch 2.13.0, numpy 2.0")
    assert differences(here, here) == []
    there = replace(here, python="3.12.1", commit="", packages="torch 2.12.0, numpy 2.0")
    assert differences(here, there) == [
        "python 3.11.7 here, 3.12.1 there",
        f"commit {'a' * 12} here, unknown there",
        "torch 2.13.0 here, torch 2.12.0 there",
    ]
