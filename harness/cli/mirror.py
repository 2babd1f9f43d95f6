"""``corroborate mirror``: put data sets into one folder, for machines without a network."""

from __future__ import annotations

import argparse
import shutil
from pathlib import Path

from harness.claims import Profile
from harness.cli.needs import resources_of_all
from harness.cli.options import profile_named
from harness.cli.outputs import require_folder, writing
from harness.cli.suites import usable_suites
from harness.durable import sync_tree
from harness.errors import CorroborateError, ExitCode, UsageError, unknown_name
from harness.hub import licence_of
from harness.method.references import MirrorSource, Resource
from harness.resources import Resolver
from harness.resources.cache import storage_errors
from harness.resources.hashing import files_in
from harness.text import expanded

NOTE = ".about"
"""In each data set's folder: what it is. A folder without it is not ours to replace."""
_HEADING = "# Mirror of data sets"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument(
        "folder", type=expanded, help="the mirror to make or extend; then set CORROBORATE_MIRROR to it"
    )
    parser.add_argument(
        "--suite", metavar="NAME", action="append", default=[], help="only this suite's data sets"
    )
    parser.add_argument("--data-set", metavar="NAME", action="append", default=[], help="only this data set")
    parser.add_argument(
        "--profile", metavar="NAME", action="append", default=[], help="only this profile's data sets"
    )
    parser.add_argument(
        "--accept-licence", metavar="KEY", action="append", default=[], help="accept these terms"
    )


def main(args: argparse.Namespace) -> ExitCode:
    """Fetch what is missing and copy it; goes on after a data set that cannot be had."""
    require_folder(args.folder, "mirror")
    chosen = _chosen(args)
    resolver = Resolver.from_environment(accept=args.accept_licence)
    failed = 0
    for folder, resource in chosen.items():
        try:
            print(f"{folder}: {_export(resolver, resource, args.folder / folder)} files")
        except CorroborateError as error:
            failed += 1
            print(f"{folder}: left out. {error}")
    if chosen:
        with writing(args.folder, "The mirror's README"):
            _write_readme(args.folder)
    return ExitCode.INFRASTRUCTURE if failed else ExitCode.OK


def _chosen(args: argparse.Namespace) -> dict[str, Resource]:
    """Data sets by their folder in a mirror."""
    profiles = [profile_named(name) for name in args.profile] or list(Profile)
    suites = usable_suites(args.suite)
    found = resources_of_all(suites, profiles)
    placed = {resource.name: place for resource in found.values() if (place := _place(resource))}
    for name in args.data_set:
        if name not in placed:
            raise unknown_name("data set", name, list(placed), where="--data-set")
    wanted = args.data_set or list(placed)
    if not wanted:
        print("No data set of these suites can be kept in a mirror.")
    return {placed[name]: found[name] for name in wanted}


def _place(resource: Resource) -> str:
    if resource.kind != "dataset":
        return ""
    return next((source.folder for source in resource.sources if isinstance(source, MirrorSource)), "")


def _export(resolver: Resolver, resource: Resource, target: Path) -> int:
    """Copy a data set into a mirror, whole or not at all; gives the number of its files."""
    source = resolver.path(resource)
    if target.exists() and target.samefile(source):
        raise UsageError(
            "This mirror is the one that is read from", where=str(target), fix="Unset CORROBORATE_MIRROR."
        )
    draft = target.with_name(f".{target.name}.partial")
    with storage_errors(resource.name, target):
        for folder in (draft, target):
            _refuse_foreign(folder, resource)
        shutil.rmtree(draft, ignore_errors=True)
        draft.mkdir(parents=True)
        _note(draft, resource, licence_of(resource, resolver.facts))
        files = list(files_in(source))
        for name, path in files:
            (draft / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(path, draft / name)
        sync_tree(draft)
        shutil.rmtree(target, ignore_errors=True)
        draft.replace(target)
    return len(files)


def _refuse_foreign(folder: Path, resource: Resource) -> None:
    """Stop if a folder that is to be replaced was not made here."""
    if not folder.exists() or (folder.is_dir() and not any(folder.iterdir())):
        return
    note = folder / NOTE
    text = note.read_text(encoding="utf-8", errors="replace") if note.is_file() else ""
    if not text.startswith(f"{resource.name} "):
        raise UsageError(
            "There is a folder that this command did not make, and it was left as it is",
            where=str(folder),
            fix="Name another folder for the mirror, or move this one away.",
        )


def _note(folder: Path, resource: Resource, licence: str) -> None:
    # Hidden, so that it does not enter the hash of the data.
    (folder / NOTE).write_text(f"{resource.name} {resource.version}, licence {licence}\n", encoding="utf-8")


def _write_readme(mirror: Path) -> None:
    notes = sorted(mirror.glob(f"*/{NOTE}"))
    rows = "".join(f"- `{note.parent.name}`: {note.read_text(encoding='utf-8').strip()}\n" for note in notes)
    path = mirror / "README.md"
    if path.exists() and not path.read_text(encoding="utf-8", errors="replace").startswith(_HEADING):
        print(f"{path} is not of this command and was left as it is")
    elif notes:
        path.write_text(f"{_HEADING}\n\nUse it with `CORROBORATE_MIRROR`.\n\n{rows}", encoding="utf-8")
