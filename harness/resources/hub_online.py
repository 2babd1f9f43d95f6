"""Asking the hub, without downloading, whether what ``hub.toml`` states would work today."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from harness.errors import CorroborateError, ResourceError
from harness.hub import UNSAFE_SUFFIXES, page_of
from harness.resources.hub_errors import LOG_IN, cannot_connect, explain
from harness.resources.hub_fetch import WEIGHTS, over_network
from harness.resources.hub_tables import CONVERTED, columns_of, files_by_split, matching, require

if TYPE_CHECKING:
    from harness.hub import HubFact
    from harness.method.references import HubSource
    from harness.resources.hub_lock import HubLock

_OTHER_SIZE = 1.5
"""Sizes that differ by more than this factor are told."""


@dataclass
class Finding:
    """What the hub said of one source.

    Attributes:
        resource: The resource that it is a source of.
        source: ``kind owner/name``, with the configuration.
        commit: The commit that would be fetched.
        size_mb: Of the files that would be fetched.
        problems: What would fail, each with its remedy.
        notes: What should be known or written down.
    """

    resource: str
    source: str
    commit: str = ""
    size_mb: int = 0
    problems: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


def check_online(resource: str, source: HubSource, fact: HubFact | None, lock: HubLock) -> Finding:
    """Look at one repository: commit, files, columns, gate, licence. Downloads no file whole.

    Args:
        resource: Name of the resource.
        source: The source as it would be fetched.
        fact: What is on record of it.
        lock: Commits that earlier downloads found.

    Raises:
        ResourceError: If the hub cannot be reached at all.
    """
    finding = Finding(resource, " ".join(filter(None, (source.repo_type, source.repo, source.config))))
    if source.repo_type == "dataset" and not source.files and source.reading is None:
        source = replace(source, revision=CONVERTED if source.revision == "main" else source.revision)
    try:
        info = _info(source)
        finding.commit = str(info.sha)
        _check_commit(finding, source, fact, lock)
        files = _check_files(finding, source, fact, info)
        _check_gate(finding, source, fact, info)
        _check_licence(finding, fact, info)
        if not finding.problems:
            _check_columns(finding, replace(source, revision=finding.commit), fact, files)
    except CorroborateError as error:
        finding.problems.append(str(error))
    except Exception as error:  # the hub's errors share no root of their own
        if cannot_connect(error):
            raise ResourceError(
                f"The hub cannot be reached: {error}", where=source.repo, fix="Is this machine online?"
            ) from error
        finding.problems.append(explain(source, error))
    return finding


def _info(source: HubSource) -> Any:
    from huggingface_hub import HfApi

    api = HfApi()
    ask = api.model_info if source.repo_type == "model" else api.dataset_info
    return ask(source.repo, revision=source.revision, files_metadata=True)


def _check_commit(finding: Finding, source: HubSource, fact: HubFact | None, lock: HubLock) -> None:
    known = lock.commit(source)
    if known and known != finding.commit:
        finding.notes.append(f"{source.revision} has moved since it was first used here, at {known}")
    if not (fact and fact.revision):
        finding.notes.append(f'not pinned; to pin it: revision = "{finding.commit}"')


def _check_files(
    finding: Finding, source: HubSource, fact: HubFact | None, info: Any
) -> dict[str, list[str]]:
    sizes = {sibling.rfilename: sibling.size or 0 for sibling in info.siblings or []}
    as_it_is = source.repo_type == "model" or source.files
    if as_it_is:
        files = {"": _fetched(source, list(sizes))}
        if not files[""]:
            patterns = ", ".join(source.files or source.allow)
            raise ResourceError(
                f"No file matches {patterns}", where=source.repo, fix="Correct the patterns in hub.toml."
            )
        if source.repo_type == "model":
            _check_weights(finding, files[""], list(sizes))
    else:
        files = files_by_split(source, list(sizes))
    finding.size_mb = round(sum(sizes[name] for names in files.values() for name in names) / 1e6)
    ranges = source.reading is not None and source.reading.ranges
    if fact and not ranges and not fact.weights and _differ(finding.size_mb, fact.size_mb):
        finding.notes.append(f"{finding.size_mb} MB are fetched, and hub.toml says {fact.size_mb}")
    return files


def _fetched(source: HubSource, names: list[str]) -> list[str]:
    """What a snapshot would hold: a pattern without a folder matches in any."""
    from fnmatch import fnmatchcase

    if source.files:
        return matching(names, source.files)
    safe = [name for name in names if not name.endswith(UNSAFE_SUFFIXES)]
    return [name for name in safe if any(fnmatchcase(name, pattern) for pattern in source.allow)]


def _check_weights(finding: Finding, fetched: list[str], names: list[str]) -> None:
    if any(name.endswith(WEIGHTS) for name in fetched):
        return
    if any(name.endswith(".bin") for name in names):
        command = f"corroborate convert {finding.resource}"
        finding.problems.append(f"weights only as .bin, which may run code: '{command}' makes safetensors")
    else:
        finding.problems.append("no weights as safetensors or GGUF: name another commit or repository")


def _differ(one: float, other: float) -> bool:
    low, high = sorted((max(one, 1), max(other, 1)))
    return high > 2 and high / low > _OTHER_SIZE


def _check_gate(finding: Finding, source: HubSource, fact: HubFact | None, info: Any) -> None:
    from huggingface_hub import HfApi, errors, get_token

    if not info.gated:
        if fact and fact.gated:
            finding.notes.append("open, though hub.toml says that it is gated")
        return
    if fact and not fact.gated:
        finding.notes.append(f"gated ({info.gated}), though hub.toml says that it is open")
    page = page_of(source.repo, source.repo_type)
    ask = f"ask for access at {page} (the hub calls the gate '{info.gated}')"
    if not get_token():
        finding.problems.append(f"gated, and no token is set: {ask}, then {LOG_IN}")
        return
    try:
        HfApi().auth_check(source.repo, repo_type=source.repo_type)
    except errors.RepositoryNotFoundError:
        finding.problems.append(f"gated, and this account has no access: {ask}")


def _check_licence(finding: Finding, fact: HubFact | None, info: Any) -> None:
    stated = getattr(info.card_data, "license", None) if info.card_data else None
    names = [stated] if isinstance(stated, str) else list(stated or ())
    if fact and names and not any(_same_licence(name, fact.licence) for name in names):
        finding.notes.append(f"the card states the licence {', '.join(names)}, and hub.toml {fact.licence}")


def _same_licence(card: str, known: str) -> bool:
    stated, ours = (
        "".join(letter for letter in text.lower() if letter.isalnum())
        for text in (card, known.partition("(")[0])
    )
    return stated in ("other", "unknown") or ours.startswith(stated)


def _check_columns(
    finding: Finding, source: HubSource, fact: HubFact | None, files: dict[str, list[str]]
) -> None:
    wanted = fact.columns if fact else source.reading.columns if source.reading else ()
    if source.repo_type == "model" or not wanted:
        return
    for split, names in files.items():
        where = f"{source.repo}@{source.revision}"
        with over_network(source, names[0]) as stream:
            require(wanted, columns_of(names[0], stream, where), f"{where}, {split or names[0]}")
