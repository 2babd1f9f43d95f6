"""The command line that a run's record stands for."""

from __future__ import annotations

from collections.abc import Iterator

from harness.store.records import RunRecord


def asked_of(record: RunRecord) -> Iterator[str]:
    """The options, one word each, that decide what a run executes and which limits it has.

    Where it ran (device, folders) is not among them, nor are its looks.
    """
    yield from ("--profile", record.profile)
    yield from ["--full"] if record.full else []
    for name in record.selection.get("claims", []):
        yield from ("--claim", name)
    if methods := record.selection.get("methods"):
        yield from ("--methods", ",".join(methods))
    for seeds in record.selection.get("seeds", []):
        yield from ("--seeds", seeds)
    for name, value in record.settings.items():
        yield from ("--set", f"{name}={value}")
    for kind in record.added.values():
        yield from ("--method", kind)
    for name, folder in record.bindings.items():
        yield from ("--bind", f"{name}={folder}")
    for name, server in record.endpoints.items():
        yield from ("--endpoint", f"{name}={server.address}", "--model", f"{name}={server.model}")
        yield from ["--key-variable", f"{name}={server.key_variable}"] if server.key_variable else []
    for name, limit in record.limits.items():
        yield from (f"--{name.removesuffix('_gb')}", str(limit))
