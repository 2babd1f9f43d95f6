"""``--endpoint URL --model NAME``: servers in the place of a suite's models, asked first what they can do."""

from __future__ import annotations

import argparse
import os
import re
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from harness.errors import ResourceError, SuiteError, UsageError, unknown_name
from harness.foreign import foreign
from harness.method.asked import Probed
from harness.method.names import named_function
from harness.method.references import Resource
from harness.plan.served import needs_of
from harness.resources import Resolver
from harness.resources.endpoint import Endpoint, endpoint_of, known_endpoint
from harness.suite import Scale, Suite

KEY_VARIABLE = "OPENAI_API_KEY"
EVERY = "all"
"""In the place of a role: every one that has none of its own."""
_ROLE = re.compile(r"([A-Za-z][A-Za-z0-9_-]*)=(.*)", re.DOTALL)
_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")

Lacking = Mapping[str, Mapping[str, str]]
"""What servers cannot do that experiments need: by the resource's name and the experiment's id."""


def add_endpoints(parser: argparse.ArgumentParser) -> None:
    """``--endpoint``, ``--model`` and ``--key-variable``."""
    parser.add_argument(
        "--endpoint",
        metavar="[ROLE=]URL",
        action="append",
        default=[],
        help="a server that speaks OpenAI's protocol in the place of a model: its base address",
    )
    parser.add_argument(
        "--model",
        metavar="[ROLE=]NAME",
        action="append",
        default=[],
        help="the name that the server gives the model; with several roles ROLE=NAME for each, or all=NAME",
    )
    parser.add_argument(
        "--key-variable",
        metavar="[ROLE=]NAME",
        action="append",
        default=[],
        help=f"the environment variable that holds the server's key (default: {KEY_VARIABLE})",
    )


@dataclass(frozen=True)
class Named:
    """A server that was named for a role.

    Attributes:
        role: As in the suite's declaration.
        resource: The resource that it stands for.
        address: Its base address.
        model: The name that it gives the model.
        key_variable: The environment variable that holds its key.
    """

    role: str
    resource: str
    address: str
    model: str
    key_variable: str


def named_servers(
    args: argparse.Namespace, suite: Suite, scale: Scale, used: Mapping[str, Resource]
) -> list[Named]:
    """The servers that the options name.

    Raises:
        UsageError: If an address, a role or a name of a variable is none, or the role is not said.
    """
    if not args.endpoint and not args.model and not args.key_variable:
        return []
    roles = {role: suite.bindings[role] for role in suite.served.roles if suite.bindings[role] in used}
    if not roles:
        raise UsageError(
            f"'{suite.slug}' asks no model under profile {scale.profile} that a server may stand for",
            where="--endpoint",
            fix=_elsewhere(suite),
        )
    addresses = _by_role(args.endpoint, "--endpoint", roles)
    models = _by_role(args.model, "--model", roles)
    keys = _by_role(args.key_variable, "--key-variable", roles)
    for given in addresses.values():
        check_address(given)
    for given in keys.values():
        check_variable(given)
    _refuse_unclear(addresses, models, suite, roles)
    found = []
    for role, resource in roles.items():
        model, address, key = (_of(role, values) for values in (models, addresses, keys))
        if model and not address:
            fix = f"Add --endpoint URL, or {role}=URL."
            raise UsageError("This model has no server", where=f"--model {role}={model}", fix=fix)
        if role in addresses and not model:
            fix = f"Add --model {role}=NAME."
            raise UsageError("This server has no model", where=f"--endpoint {role}=…", fix=fix)
        if model and address:
            found.append(Named(role, resource, address.rstrip("/"), model, key or KEY_VARIABLE))
    return found


def _by_role(texts: Iterable[str], option: str, roles: Mapping[str, str]) -> dict[str, str]:
    """The values of an option by role; the empty role is that of a value without one."""
    by_resource = {resource: role for role, resource in roles.items()}
    found: dict[str, str] = {}
    for text in texts:
        match = None if text.startswith(("http://", "https://")) else _ROLE.fullmatch(text)
        role, value = (match[1], match[2]) if match else ("", text)
        role = by_resource.get(role, role)
        if role not in ("", EVERY, *roles):
            raise unknown_name("role", role, [*roles, EVERY], where=f"{option} {role}=…")
        if not value.strip():
            raise UsageError("A value is missing", where=f"{option} {role}=".strip())
        if role in found:
            raise UsageError(f"It is given twice{f' for {role}' if role else ''}", where=option)
        found[role] = value
    return found


def _of(role: str, given: Mapping[str, str]) -> str | None:
    """The value of an option for a role."""
    return next((given[name] for name in (role, EVERY, "") if name in given), None)


def check_address(address: str) -> None:
    """Refuse what is no base address, and one that holds a secret: command lines are recorded.

    Raises:
        UsageError: Without the address, if there is a secret in it.
    """
    try:
        parts = urlsplit(address)
        _ = parts.port
    except ValueError:
        parts = urlsplit("")
    if parts.username is not None or parts.password is not None:
        raise UsageError(
            "The address holds a user's name or a password, and command lines are recorded",
            where="--endpoint",
            fix="Leave them out; a key comes from an environment variable (--key-variable NAME).",
        )
    plain = address.isprintable() and not re.search(r"\s", address)
    if parts.scheme not in ("http", "https") or not parts.hostname or not plain:
        raise UsageError(
            "This is no address of a server",
            where=f"--endpoint {address[:80]!r}",
            fix="Give its base address, such as http://localhost:8000/v1, or ROLE=ADDRESS.",
        )
    if parts.query or parts.fragment:
        raise UsageError(
            "A base address has no '?' and no '#'",
            where="--endpoint",
            fix="Leave out what comes after; a key comes from an environment variable (--key-variable NAME).",
        )


def check_variable(name: str) -> None:
    """Refuse what is no name of an environment variable: it may be the key itself, which is not repeated.

    Raises:
        UsageError: If it is none.
    """
    if not _VARIABLE.fullmatch(name):
        raise UsageError(
            "This is no name of an environment variable",
            where="--key-variable",
            fix=f"Put the key into a variable and give that one's name, such as {KEY_VARIABLE}.",
        )


def _refuse_unclear(
    addresses: Mapping[str, str], models: Mapping[str, str], suite: Suite, roles: Mapping[str, str]
) -> None:
    """Refuse servers without models, models without servers, and one of which the role is not said."""
    if not addresses or not models:
        lacks = "model" if addresses else "server"
        fix = "Give both: --endpoint URL --model NAME."
        raise UsageError(f"No {lacks} is named", where="--endpoint" if addresses else "--model", fix=fix)
    if "" in models and len(roles) > 1:
        listing = "; ".join(f"{role}, in the paper {suite.served.roles[role].paper}" for role in roles)
        raise UsageError(
            f"{len(roles)} models may be served here ({listing}), and it is not said which this is",
            where=f"--model {models['']}",
            fix=f"Say --model {next(iter(roles))}=NAME for each, or --model {EVERY}=NAME for every one.",
        )


def _elsewhere(suite: Suite) -> str:
    names = ", ".join(suite.served.roles)
    return f"Models that may be served, under larger profiles: {names}." if names else "Leave it out."


def put_servers(
    servers: Iterable[Named], suite: Suite, scale: Scale, resolver: Resolver, *, asks: bool = True
) -> Lacking:
    """Ask servers what they can do, and let each stand for its resource.

    Args:
        servers: What the user named.
        suite: Says what is needed of them.
        scale: What is run.
        resolver: Takes the servers as bindings.
        asks: Whether to ask; else what was found earlier is taken, if it is known.

    Returns:
        What they cannot do that experiments need.

    Raises:
        UsageError: If files are bound in the place of a served model.
        ResourceError: If a server cannot be reached, or can do nothing that its role needs.
        SuiteError: If the suite's probe is none.
    """
    lacking = {}
    for one in servers:
        if one.resource in resolver.bindings:
            raise UsageError(
                f"'{one.resource}' is both bound to a folder and served", where=f"--endpoint {one.role}=…"
            )
        needs = needs_of(suite.served.roles[one.role], one.resource, suite.experiments(scale))
        known = None if asks else known_endpoint(resolver.home, one.address, one.model)
        if known is None:
            probed = _probe(suite.served.probe, one, needs)
            _tell(one, probed)
            _refuse_useless(one, probed, needs)
            known, lacking[one.resource] = endpoint_of(probed), dict(probed.lacking)
        resolver.bindings[one.resource] = _written(known, resolver)
    return lacking


def _probe(name: str, server: Named, needs: Mapping[str, tuple[str, ...]]) -> Probed:
    with foreign("The server cannot be asked", where=server.address):
        found = named_function(name)(
            server.address, server.model, key_variable=server.key_variable, needs=needs
        )
    if not isinstance(found, Probed):
        raise SuiteError("The probe of servers gives no Probed", where=name)
    return found


def _tell(server: Named, probed: Probed) -> None:
    print(f"{server.role}: {endpoint_of(probed).told}", file=sys.stderr)
    if not os.environ.get(server.key_variable):
        print(f"note: {server.key_variable} is not set, so no key is sent", file=sys.stderr)
    for note in probed.notes:
        print(f"note: {server.role}: {note}", file=sys.stderr)


def _refuse_useless(server: Named, probed: Probed, needs: Mapping[str, object]) -> None:
    if needs and set(needs) <= set(probed.lacking):
        words = "\n    ".join(dict.fromkeys(probed.lacking.values()))
        raise ResourceError(
            f"The server can do nothing that '{server.role}' is needed for:\n    {words}",
            where=f"{server.model} at {server.address}",
            fix="Serve the model with what is lacking, name another server, or leave this role out.",
        )


def _written(endpoint: Endpoint, resolver: Resolver) -> Path:
    try:
        return endpoint.write(resolver.home)
    except OSError as error:
        raise ResourceError(
            f"The cache cannot be used: {error.strerror or error}",
            where=str(error.filename or resolver.home),
            fix="Set CORROBORATE_HOME to a folder that can be written.",
        ) from error
