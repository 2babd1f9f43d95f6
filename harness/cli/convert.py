"""``corroborate convert``: weights in PyTorch's own format, once and for all as safetensors."""

from __future__ import annotations

import argparse
import json

from harness.claims import Profile
from harness.cli.needs import resources_of_all
from harness.cli.outputs import require_folder
from harness.cli.suites import usable_suites
from harness.errors import ExitCode, UsageError, unknown_name
from harness.method.references import Resource
from harness.resources import Resolver
from harness.resources.convert import RECORD, convert_folder
from harness.text import expanded


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument("model", nargs="?", help="a model's name, as 'doctor' prints it; goes into the cache")
    parser.add_argument(
        "--from", dest="source", type=expanded, metavar="FOLDER", help="a checkpoint with pytorch_model*.bin"
    )
    parser.add_argument(
        "--to", type=expanded, metavar="FOLDER", help="write there, for --bind; without a name"
    )
    parser.add_argument(
        "--accept-licence", metavar="KEY", action="append", default=[], help="accept these terms"
    )


def main(args: argparse.Namespace) -> ExitCode:
    """Convert, and print where the result is and its hashes."""
    if args.model and args.to:
        raise UsageError("A named model goes into the cache, not to --to", where="convert")
    if args.model:
        resolver = Resolver.from_environment(accept=args.accept_licence)
        folder = resolver.convert(_model(args.model), args.source)
    elif args.source and args.to:
        if args.to.exists():
            raise UsageError("The folder exists already", where=str(args.to), fix="Name a new one.")
        require_folder(args.to, "--to")
        convert_folder(args.source, args.to)
        folder = args.to
    else:
        raise UsageError(
            "Nothing to convert", where="convert", fix="Name a model, or give --from FOLDER and --to FOLDER."
        )
    print(folder)
    for kind, hashes in json.loads((folder / RECORD).read_text(encoding="utf-8")).items():
        for name, digest in hashes.items():
            print(f"  {kind:8} {name}  sha256 {digest}")
    return ExitCode.OK


def _model(name: str) -> Resource:
    models = {
        resource.name: resource
        for resource in resources_of_all(usable_suites(), Profile).values()
        if resource.kind == "model" and resource.sources
    }
    if name not in models:
        raise unknown_name("model", name, list(models), where="corroborate doctor lists them")
    return models[name]
