"""Options that several commands share, and the parsing of their values."""

from __future__ import annotations

import argparse
import math
import re
from collections.abc import Iterable, Mapping, Sequence
from enum import Enum
from pathlib import Path
from types import NoneType, UnionType
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

from harness.claims import Profile
from harness.engine.cluster.session import check_address
from harness.errors import UsageError, unknown_name
from harness.foreign import foreign
from harness.method.contract import Method
from harness.suite import Suite, Tuned
from harness.text import expanded, is_folder

MOST_SEEDS = 10_000
"""More seeds of every experiment are a slip of the finger, and their plan would not fit into memory."""


def add_profile(parser: argparse.ArgumentParser, default: str | None = Profile.SMALL.value) -> None:
    """``--profile``; its value is checked by :func:`profile_named`."""
    names = ", ".join(profile.value for profile in Profile)
    parser.add_argument("--profile", metavar="NAME", default=default, help=f"{names} (default: {default})")


def add_runs(parser: argparse.ArgumentParser) -> None:
    """``--runs``."""
    parser.add_argument(
        "--runs", metavar="FOLDER", help="folder of all runs (default: CORROBORATE_RUNS, or runs)"
    )


def add_resources(parser: argparse.ArgumentParser) -> None:
    """``--bind`` and ``--accept-licence``."""
    parser.add_argument(
        "--bind",
        metavar="NAME=PATH",
        action="append",
        default=[],
        help="use the files in PATH for a model or data set",
    )
    parser.add_argument(
        "--accept-licence",
        metavar="KEY",
        action="append",
        default=[],
        help="accept the terms of a resource; remembered",
    )


def add_limits(parser: argparse.ArgumentParser) -> None:
    """``--memory`` and ``--minutes``."""
    parser.add_argument(
        "--memory",
        metavar="GB",
        type=float,
        help="what each trial and artifact may use on the run's device, instead of the declared limits: "
        "main memory on the CPU, the GPU's memory on a GPU",
    )
    parser.add_argument(
        "--minutes",
        metavar="M",
        type=float,
        help="how long each trial and artifact may take, instead of the declared limits",
    )


def add_workers(parser: argparse.ArgumentParser) -> None:
    """``--workers``; its value is checked by :func:`check_workers`."""
    parser.add_argument(
        "--workers",
        metavar="N",
        type=int,
        default=2,
        help="CPU threads to give out in the pool, or in a cluster that is started here (default: 2); "
        "what runs on a GPU comes beside them",
    )


def add_cluster(parser: argparse.ArgumentParser) -> None:
    """``--address`` and ``--artifact-store``; :func:`check_cluster` refuses them without a cluster."""
    parser.add_argument(
        "--address",
        metavar="HOST:PORT|auto",
        default="",
        help="of the engine ray: a running cluster (default: RAY_ADDRESS, or one is started here)",
    )
    parser.add_argument(
        "--artifact-store",
        metavar="URL",
        default="",
        help="of the engine ray: where nodes that do not see CORROBORATE_HOME find what trials load "
        "(file:///…, s3://…, gs://…)",
    )


def check_cluster(args: argparse.Namespace) -> None:
    """Refuse a cluster that cannot be had, before a run is begun for it.

    Raises:
        UsageError: If its options are given for an engine that has none, Ray is missing, or the address is
            none.
        ClusterError: If nothing answers there.
    """
    if args.engine == "ray" and not args.gather:
        check_address(args.address)
    given = [name for name in ("address", "artifact_store") if getattr(args, name)]
    if given and args.engine != "ray":
        raise UsageError(
            f"The engine '{args.engine}' has no cluster",
            where=", ".join(f"--{name.replace('_', '-')}" for name in given),
            fix="Add --engine ray, or leave it out.",
        )


def check_limit(option: str, value: float) -> None:
    """Refuse a limit that limits nothing, or everything.

    Raises:
        UsageError: If it is not above zero and finite.
    """
    if not 0 < value < math.inf:
        raise UsageError("A limit must be above zero and finite", where=f"{option} {value:g}")


def check_workers(workers: int) -> None:
    """Refuse a pool of nobody.

    Raises:
        UsageError: If there is not one.
    """
    if workers < 1:
        raise UsageError("At least one worker is needed", where=f"--workers {workers}")


def profile_named(name: str) -> Profile:
    """The profile called ``name``.

    Raises:
        UsageError: If there is none, with the nearest names.
    """
    known = [profile.value for profile in Profile]
    if name not in known:
        raise unknown_name("profile", name, known, where="--profile")
    return Profile(name)


def parse_seeds(text: str | None) -> int | tuple[int, ...] | None:
    """The value of ``--seeds``: a number of seeds, or a tuple of chosen ones.

    A number alone is how many, as it always was; with a comma or a dash it names seeds:
    ``100,103``, ``100-104``, and ``100,`` for a single one.

    Raises:
        UsageError: If it is neither.
    """
    if text is None:
        return None
    where = f"--seeds {text}"
    if re.search(r"\d{10}", text):
        raise UsageError("Seeds have at most nine digits", where=where)
    if text.isdecimal():
        return _number_of_seeds(int(text), where)
    chosen: list[int] = []
    for part in filter(None, (part.strip() for part in text.split(","))):
        first, dash, last = part.partition("-")
        if not first.isdecimal() or (dash and not last.isdecimal()) or int(last or first) < int(first):
            raise UsageError(
                f"'{part}' is neither a seed nor a range of seeds",
                where=where,
                fix="8 asks for eight seeds; 100,103 or 100-104 choose them.",
            )
        _ = _number_of_seeds(int(last or first) - int(first) + 1, where)
        chosen += range(int(first), int(last or first) + 1)
    _ = _number_of_seeds(len(chosen), where)
    return tuple(sorted(set(chosen)))


def _number_of_seeds(number: int, where: str) -> int:
    if number < 1:
        raise UsageError("At least one seed is needed", where=where)
    if number > MOST_SEEDS:
        raise UsageError(f"At most {MOST_SEEDS} seeds can be asked for", where=where)
    return number


def parse_bindings(texts: Iterable[str], suite: Suite, resources: Iterable[str]) -> dict[str, Path]:
    """The values of ``--bind``, by resource name.

    Args:
        texts: As given: ``NAME=PATH``.
        suite: Gives names of its own to some resources (``target``).
        resources: Names of the resources that the suite can use.

    Raises:
        UsageError: If a name is unknown or a path is no folder.
    """
    used = set(resources)
    known = dict(suite.bindings) | {name: name for name in used}
    bindings = {}
    for text in texts:
        name, value = _split(text, "--bind", "NAME=PATH")
        if name not in known:
            raise unknown_name("binding", name, list(known), where=f"--bind {text}")
        if known[name] not in used:
            raise UsageError(
                f"'{name}' is not used under this profile",
                where=f"--bind {text}",
                fix=f"What can be bound here: {', '.join(sorted(used)) or 'nothing'}.",
            )
        folder = expanded(value).absolute()
        if not is_folder(folder):
            raise UsageError(
                "This is not a folder", where=f"--bind {text}", fix="Give the folder with the files."
            )
        bindings[known[name]] = folder
    return bindings


def parse_settings(
    texts: Iterable[str], methods: Mapping[str, Sequence[Method[Any, Any] | Tuned]]
) -> dict[str, dict[str, Any]]:
    """The values of ``--set``, by method id and parameter, each of its parameter's type.

    Args:
        texts: As given: ``METHOD.PARAMETER=VALUE``.
        methods: The methods of the suite, by id; one id may name a class in each experiment, of which
            the first that has the parameter says its type.

    Raises:
        UsageError: If a method or parameter is unknown or a value is of the wrong type.
    """
    from harness.plan.selection import parameters_of

    settings: dict[str, dict[str, Any]] = {}
    for text in texts:
        name, value = _split(text, "--set", "METHOD.PARAMETER=VALUE")
        method_id, dot, parameter = name.rpartition(".")
        if not dot:
            raise UsageError(
                "A parameter needs its method", where=f"--set {text}", fix="METHOD.PARAMETER=VALUE"
            )
        if method_id not in methods:
            raise unknown_name("method", method_id, list(methods), where=f"--set {text}")
        kinds = [type(one.method if isinstance(one, Tuned) else one) for one in methods[method_id]]
        kind = next((one for one in kinds if parameter in parameters_of(one)), kinds[0])
        settings.setdefault(method_id, {})[parameter] = _parameter(kind, parameter, value, f"--set {text}")
    return settings


def parse_parameters(texts: Iterable[str], kind: type[Method[Any, Any]]) -> dict[str, Any]:
    """As :func:`parse_settings`, for one class of methods: ``PARAMETER=VALUE``."""
    split = [(text, *_split(text, "--set", "PARAMETER=VALUE")) for text in texts]
    return {name: _parameter(kind, name, value, f"--set {text}") for text, name, value in split}


def _split(text: str, option: str, form: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not equals or not name or not value:
        raise UsageError(f"'{text}' is not of the form {form}", where=option)
    return name.strip(), value


def _parameter(kind: type[Method[Any, Any]], parameter: str, value: str, where: str) -> Any:
    from harness.plan.selection import parameters_of  # Imports what other commands start without.

    known = parameters_of(kind)
    if parameter not in known:
        raise unknown_name(f"parameter of {kind.__name__}", parameter, known, where=where)
    with foreign("The method's annotations cannot be read", where=f"{kind.__module__}:{kind.__qualname__}"):
        hint = get_type_hints(kind)[parameter]
    try:
        return coerce(value, hint)
    except ValueError as error:
        raise UsageError(
            f"'{value}' is not a value of parameter '{parameter}': {error}",
            where=where,
            fix=f"It takes {spelt(hint)}.",
        ) from error


def coerce(text: str, hint: Any) -> Any:
    """The value that ``text`` means for a parameter of type ``hint``.

    Raises:
        ValueError: If it means none.
    """
    origin = get_origin(hint)
    if origin in (Union, UnionType):
        return _first_that_fits(text, get_args(hint))
    if origin is Literal:
        return _choice(text, {str(value): value for value in get_args(hint)})
    if origin in (tuple, list):
        return _sequence(text, hint)
    if isinstance(hint, type) and issubclass(hint, Enum):
        return _choice(text, {str(item.value): item for item in hint})
    return _scalar(text, hint)


def _scalar(text: str, hint: Any) -> Any:
    if hint in (NoneType, None):
        return _choice(text.lower(), {"none": None})
    if hint is bool:
        return _choice(
            text.lower(), {"true": True, "false": False, "yes": True, "no": False, "1": True, "0": False}
        )
    if hint in (str, Path, Any):
        return text if hint is Any else hint(text)
    if hint in (int, float):
        return hint(text)
    raise ValueError(f"parameters of type {spelt(hint)} cannot be set from the command line")


def _choice(text: str, values: Mapping[str, Any]) -> Any:
    if text not in values:
        raise ValueError(f"it is none of {', '.join(values)}")
    return values[text]


def _first_that_fits(text: str, hints: Iterable[Any]) -> Any:
    # None and numbers before text, which accepts everything.
    ordered = sorted(hints, key=lambda hint: hint in (str, Path))
    for hint in ordered:
        try:
            return coerce(text, hint)
        except ValueError:
            continue
    raise ValueError("it fits none of the types")


def _sequence(text: str, hint: Any) -> Any:
    items = [item.strip() for item in text.strip("()[]").split(",") if item.strip()]
    kind, hints = get_origin(hint), get_args(hint)
    if kind is list or (len(hints) == 2 and hints[1] is Ellipsis):
        hints = (hints[0],) * len(items)
    if len(hints) != len(items):
        raise ValueError(f"it has {len(items)} items, not {len(hints)}")
    return kind(coerce(item, one) for item, one in zip(items, hints, strict=True))


def spelt(hint: Any) -> str:
    """A type as a user would write it."""
    return (
        hint.__name__ if isinstance(hint, type) and not get_args(hint) else str(hint).replace("typing.", "")
    )
