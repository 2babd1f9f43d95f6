"""What an answer of the hub means for a user, and what to do about it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.hub import page_of

if TYPE_CHECKING:
    from harness.method.references import HubSource

LOG_IN = "log in with 'hf auth login' (or set HF_TOKEN)"


def explain(source: HubSource, error: BaseException) -> str:
    """One sentence on what went wrong and, if something can be done, what."""
    from huggingface_hub import errors

    page, name = page_of(source.repo, source.repo_type), f"{source.repo_type} {source.repo}"
    # Order matters: a gated repository is a special case of one that is not found.
    if isinstance(error, errors.GatedRepoError):
        return f"{name} is gated: ask for access at {page}, then {LOG_IN}"
    if isinstance(error, errors.RepositoryNotFoundError):
        return f"the hub has no {name}, or it is private: look at {page}; if you may see it, {LOG_IN}"
    if isinstance(error, errors.DisabledRepoError):
        return f"the hub has switched {name} off: see {page}"
    if isinstance(error, errors.RevisionNotFoundError):
        return f"{name} has no revision {source.revision}: its history may have been rewritten, see {page}"
    # The library tells the first as the second's cause when it looks for a whole snapshot.
    if isinstance(error, errors.OfflineModeIsEnabled) or isinstance(
        error.__cause__, errors.OfflineModeIsEnabled
    ):
        return f"the hub is switched off (HF_HUB_OFFLINE) and {name} is not in its cache"
    if isinstance(error, errors.LocalEntryNotFoundError):
        return f"the hub cannot be reached, and {name} is not in its cache: is this machine online?"
    if isinstance(error, errors.EntryNotFoundError):
        return f"{name} lacks a file that is read: {_first_line(error)}"
    return _by_status(source, error)


def _by_status(source: HubSource, error: BaseException) -> str:
    status = getattr(getattr(error, "response", None), "status_code", 0)
    page, name = page_of(source.repo, source.repo_type), f"{source.repo_type} {source.repo}"
    if status in (401, 403):
        return f"the hub refuses {name} ({status}): ask for access at {page}, then {LOG_IN}"
    if status == 429:
        return f"the hub asks to slow down (429): wait some minutes; a token raises the limit: {LOG_IN}"
    if status >= 500:
        return f"the hub has a fault of its own ({status}) for {name}: try again later"
    if cannot_connect(error):
        return f"the hub cannot be reached for {name} ({_first_line(error)}): is this machine online?"
    return f"the hub did not give {name}: {_first_line(error)}"


def cannot_connect(error: BaseException) -> bool:
    """Whether no answer came at all."""
    names = {kind.__name__ for kind in type(error).__mro__}
    return isinstance(error, ConnectionError | TimeoutError) or bool(
        names & {"TransportError", "ConnectError", "NetworkError", "TimeoutException"}
    )


def _first_line(error: BaseException) -> str:
    return str(error).strip().split("\n", 1)[0] or type(error).__name__
