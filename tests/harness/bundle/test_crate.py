"""The metadata against what RO-Crate 1.2 and Process Run Crate 0.5 demand, and the public validator."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import pytest

from harness.bundle import open_bundle
from tests.harness.bundle.conftest import COMMIT

CRATE = "https://w3id.org/ro/crate/1.2"
PROCESS = "https://w3id.org/ro/wfrun/process/0.5"


@pytest.fixture
def folder(archive: Path, tmp_path: Path) -> Path:
    open_bundle(archive, tmp_path / "opened")
    return tmp_path / "opened"


@pytest.fixture
def graph(folder: Path) -> dict[str, dict[str, Any]]:
    content = json.loads((folder / "ro-crate-metadata.json").read_text())
    assert content["@context"] == f"{CRATE}/context"
    entities = content["@graph"]
    found = {entity["@id"]: entity for entity in entities}
    assert len(found) == len(entities), "no two entities may have one @id"
    return found


def types(entity: dict[str, Any]) -> list[str]:
    found = entity["@type"]
    return found if isinstance(found, list) else [found]


def references(value: Any) -> list[str]:
    if isinstance(value, dict):
        return [value["@id"]] if set(value) == {"@id"} else [r for v in value.values() for r in references(v)]
    return [r for one in value for r in references(one)] if isinstance(value, list) else []


def test_the_descriptor_and_the_root_are_as_the_specification_demands(
    graph: dict[str, dict[str, Any]],
) -> None:
    descriptor, root = graph["ro-crate-metadata.json"], graph["./"]
    assert (descriptor["@type"], descriptor["about"]) == ("CreativeWork", {"@id": "./"})
    assert descriptor["conformsTo"] == {"@id": CRATE}
    assert types(root) == ["Dataset"]
    assert all(root[name] for name in ("name", "description", "datePublished", "license"))
    assert graph[root["license"]["@id"]]["name"] == "Apache-2.0"
    assert root["conformsTo"] == {"@id": PROCESS}
    assert set(types(graph[PROCESS])) == {"CreativeWork", "Profile"}


def test_every_file_is_listed_below_the_root_with_its_hash_and_size(
    graph: dict[str, dict[str, Any]], folder: Path
) -> None:
    def parts(name: str) -> set[str]:
        below = references(graph[name].get("hasPart", []))
        return {*below, *(one for part in below for one in parts(part))}

    listed = {unquote(name) for name in parts("./") if not name.endswith("/")}
    there = {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}
    assert listed == there - {"ro-crate-metadata.json"}
    for name in listed:
        entity, path = graph[name], folder / name
        assert types(entity) == ["File"]
        assert entity["contentSize"] == str(path.stat().st_size)
        assert entity["encodingFormat"]
    data = {name for name, entity in graph.items() if types(entity)[0] in ("File", "Dataset")} - {"./"}
    assert data == parts("./"), "every data entity is linked from the root"


def test_every_entity_has_a_type_and_a_name_and_every_reference_leads_to_one(
    graph: dict[str, dict[str, Any]],
) -> None:
    assert all(entity["@type"] for entity in graph.values())
    assert all(entity.get("name") for entity in graph.values())
    led_to = {name for entity in graph.values() for value in entity.values() for name in references(value)}
    assert led_to - graph.keys() == {CRATE}
    assert graph.keys() - led_to == {"ro-crate-metadata.json"}, "no entity stands alone"
    assert not [entity for entity in graph.values() if set(types(entity)) & {"Person", "Organization"}]


def test_the_run_is_an_action_of_a_program_at_a_commit(graph: dict[str, dict[str, Any]]) -> None:
    action = graph["#run"]
    assert graph["./"]["mentions"] == {"@id": "#run"}
    assert action["@type"] == "CreateAction"
    assert action["startTime"] == "2026-11-29T10:00:00.000+00:00"
    assert action["endTime"] == "2026-11-29T11:00:00.000+00:00"
    assert action["actionStatus"] == "http://schema.org/CompletedActionStatus"
    program = graph[action["instrument"]["@id"]]
    assert (program["@type"], program["name"], program["version"]) == (
        "SoftwareApplication",
        "corroborate",
        "0.1.0",
    )
    assert program["identifier"] == f"swh:1:rev:{COMMIT}"
    assert {"#gemma-3-270m", "#words", "paper.toml"} <= set(references(action["object"]))
    assert {"trials.jsonl", "units/", "verdicts.json", "report/"} <= set(references(action["result"]))
    assert graph["#words"]["license"] == {"@id": "https://spdx.org/licenses/MIT"}
    terms = graph[graph["#gemma-3-270m"]["license"]["@id"]]
    assert (terms["name"], terms["url"]) == ("Gemma", "https://example.org/terms")


@pytest.mark.slow
@pytest.mark.parametrize("profile", ["ro-crate-1.2", "process-run-crate-0.5"])
def test_the_public_validator_finds_nothing(archive: Path, folder: Path, profile: str) -> None:
    program = shutil.which("rocrate-validator")
    if program is None:
        pytest.skip("rocrate-validator is not installed (pip install roc-validator)")
    for crate in (archive, folder):
        options = ["--profile-identifier", profile, "--no-paging", "--output-format", "json"]
        # Process Run Crate 0.5 builds on RO-Crate 1.1, whose own demands a crate of 1.2 does not follow.
        options += ["--disable-profile-inheritance"] if profile.startswith("process") else []
        command = [program, "--disable-color", "--no-interactive", "validate", *options, str(crate)]
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=300)
        said = done.stdout + done.stderr
        if "URLError" in said or "Unable to retrieve" in said or "resolution" in said:
            pytest.skip("the validator cannot reach the vocabulary at w3id.org, which it reads")
        assert done.returncode == 0, said
