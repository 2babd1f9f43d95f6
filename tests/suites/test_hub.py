"""The facts on the hub, for all sources of all suites; nothing is asked there."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from harness.claims import Profile
from harness.cli import main as cli
from harness.cli.needs import resources_of_all
from harness.cli.suites import load_suite, suite_names
from harness.errors import ExitCode
from harness.hub import HubFact, HubFacts, licence_of, read_facts
from harness.method import HubSource, Resource
from tests.harness.resources.fake_hub import FakeHub, Repository, lines, parquet, served

FACTS = read_facts(Path(__file__).parents[2] / "suites" / "hub.toml")
RESOURCES = tuple(resources_of_all(map(load_suite, suite_names()), Profile).values())
SOURCES = [(r, source) for r in RESOURCES for source in r.sources if isinstance(source, HubSource)]


def by_name(item: tuple[Resource, HubSource]) -> str:
    return item[0].name


@pytest.mark.parametrize("item", SOURCES, ids=map(by_name, SOURCES))
def test_every_hub_source_is_on_record(item: tuple[Resource, HubSource]) -> None:
    resource, source = item
    fact = FACTS.of(source)
    assert fact is not None, f"{source.repo} {source.config} has no entry in suites/hub.toml"
    pinned = FACTS.pinned(source)
    assert isinstance(pinned, HubSource)
    assert re.fullmatch("[0-9a-f]{40}", pinned.revision) or not fact.revision
    assert fact.size_mb > 0
    assert bool(resource.accept) <= bool(fact.gated), "terms to accept, but no gate"
    if source.repo_type == "dataset":
        assert fact.columns
        assert pinned.reading or pinned.files
    if resource.licence:
        assert resource.licence == fact.licence


def test_no_entry_is_unused() -> None:
    used = {FACTS.of(source) for _, source in SOURCES}
    assert [fact.repo for fact in FACTS.entries.values() if fact not in used] == []


def test_what_could_not_be_pinned_is_known() -> None:
    assert {fact.repo for fact in FACTS.entries.values() if not fact.revision} == {
        "relbert/t_rex",
        "RobZamp/sick",
        "lucadiliello/trecqa",
    }


@pytest.mark.parametrize("resource", RESOURCES, ids=lambda resource: resource.name)
def test_every_resource_has_a_licence(resource: Resource) -> None:
    licence = licence_of(resource, FACTS)
    assert licence.strip()
    # Unknown is a word, with the reason beside it.
    assert not licence.lower().startswith("unknown") or re.fullmatch(r"unknown \(.+\)", licence)
    unstated = Resource(name="x", kind="model", licence="", version="", sources=(HubSource("some/one"),))
    assert licence != licence_of(unstated, FACTS)


def files_of(fact: HubFact) -> dict[str, bytes]:
    """Files as the record describes them, empty but for one row."""
    row = dict.fromkeys(fact.columns, "x")
    names = [pattern.replace("*", "00000").replace("?", "0") for pattern in fact.patterns]
    if fact.kind == "model":
        return {"config.json": b"{}", "pytorch_model.bin" if fact.weights else "model.safetensors": b"w"}
    if any(name.endswith(".gz") for name in names):
        import gzip

        return {name: gzip.compress(lines([row])) for name in names if name.endswith(".gz")}
    return {name: parquet([row]) if name.endswith(".parquet") else lines([row]) for name in names}


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[FakeHub]:
    """A hub that holds what the record says."""
    for name in ("HF_HUB_OFFLINE", "HF_DATASETS_OFFLINE", "TRANSFORMERS_OFFLINE", "CORROBORATE_MIRROR"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", False)
    monkeypatch.setattr("huggingface_hub.get_token", lambda: "hf_x")
    monkeypatch.setenv("CORROBORATE_HOME", str(tmp_path / "home"))
    repositories: dict[str, Repository] = {}
    for fact in FACTS.entries.values():
        name = f"{fact.kind}s/{fact.repo}"
        known = repositories.setdefault(name, Repository({}, fact.revision or "e" * 40))
        known.files |= files_of(fact)
        known.refs |= {} if fact.revision or fact.ref == "main" else {fact.ref: known.commit}
        known.gated = fact.gated or False
        known.licence = "other"
    with served(FakeHub(repositories)) as fake:
        yield fake


def test_doctor_finds_what_would_fail_at_the_hub(
    hub: FakeHub, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert cli.main(["doctor", "--online"]) == ExitCode.INFRASTRUCTURE
    said = capsys.readouterr().out
    failing = re.findall(r"- fails +(\S+):", said)
    assert sorted(failing) == ["kaft-t5", "mt5-xxl"], "both are converted once, and nothing else fails"
    assert "corroborate convert mt5-xxl" in said
    assert f'revision = "{"e" * 40}"' in said
    assert cli.main(["doctor", "--online", "metric-aware"]) == ExitCode.OK


def test_doctor_gives_its_findings_as_json(hub: FakeHub, capsys: pytest.CaptureFixture[str]) -> None:
    hub.repositories["datasets/nyu-mll/glue"].fault = "absent"
    asked = ["doctor", "--online", "promot", "--profile", "paper", "--json"]
    assert cli.main(asked) == ExitCode.INFRASTRUCTURE
    findings = {item["resource"]: item for item in json.loads(capsys.readouterr().out)}
    assert "https://huggingface.co/datasets/nyu-mll/glue" in findings["rte"]["problems"][0]
    assert findings["cb"]["problems"] == []
    assert findings["cb"]["commit"] == FACTS.entries["aps/super_glue", "dataset", "cb"].revision


def test_doctor_says_when_it_cannot_ask(
    hub: FakeHub, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for repository in hub.repositories.values():
        repository.fault = "down"
    assert cli.main(["doctor", "--online", "kaft"]) == ExitCode.INFRASTRUCTURE
    assert "online" in capsys.readouterr().err
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    assert cli.main(["doctor", "--online", "kaft"]) == ExitCode.INFRASTRUCTURE
    assert "switched off" in capsys.readouterr().err
    assert cli.main(["doctor", "--online", "kafft"]) == ExitCode.USAGE
    assert cli.main(["doctor", "--json"]) == ExitCode.USAGE


def test_the_page_on_resources_is_in_step(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["list", "--resources", "--format", "markdown"]) == ExitCode.OK
    page = (Path(__file__).parents[2] / "docs" / "resources.md").read_text(encoding="utf-8")
    remedy = "write it again: corroborate list --resources --format markdown > docs/resources.md"
    assert capsys.readouterr().out == page, remedy
    for resource in RESOURCES:
        assert f"| {resource.name} |" in page
    assert cli.main(["list", "promot", "--resources"]) == ExitCode.OK
    said = capsys.readouterr().out
    assert re.search(r"sick .*CC BY-NC-SA 3\.0; hub at refs/convert/parquet, not pinned\n", said)
    assert "imagenet" not in said


def test_the_facts_of_other_projects_are_found_beside_their_suites() -> None:
    from harness.hub import installed_facts

    assert FACTS.entries.items() <= installed_facts().entries.items()
    assert HubFacts().pinned(HubSource("someone/model")) == HubSource("someone/model")
