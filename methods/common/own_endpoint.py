"""``--endpoint URL --model NAME`` of commands for a method on one's own material."""

from __future__ import annotations

import argparse
from collections.abc import Collection
from typing import TYPE_CHECKING

from harness.method import ProblemError

if TYPE_CHECKING:
    from methods.common.language_model.capabilities import Need
    from methods.common.language_model.served import EndpointModel


def add_endpoint(parser: argparse.ArgumentParser) -> None:
    """``--endpoint``, ``--model`` and ``--key-variable``, as ``corroborate run`` has them."""
    parser.add_argument(
        "--endpoint", metavar="URL", help="a server that speaks OpenAI's protocol: its base address"
    )
    parser.add_argument("--model", metavar="NAME", help="the name that the server gives the model")
    parser.add_argument(
        "--key-variable",
        metavar="NAME",
        default="OPENAI_API_KEY",
        help="the environment variable that holds the server's key (default: OPENAI_API_KEY)",
    )


def named_endpoint(args: argparse.Namespace, needs: Collection[Need]) -> EndpointModel | None:
    """The model that the options name, probed for what is needed; None if they name none.

    Raises:
        ProblemError: If one option is without the other, the address or the variable's name is none, or the
            server lacks what is needed.
        ResourceError: If the server cannot be reached, or the package ``openai`` is missing.
    """
    from methods.common.language_model.served import connect

    if not args.endpoint and not args.model:
        return None
    if not args.endpoint or not args.model:
        lacks = "model" if args.endpoint else "server"
        raise ProblemError(f"No {lacks} is named", fix="Give both: --endpoint URL --model NAME.")
    if not args.key_variable.isidentifier():
        # It may be the key itself.
        raise ProblemError(
            "This is no name of an environment variable",
            where="--key-variable",
            fix="Put the key into a variable and give that one's name, such as OPENAI_API_KEY.",
        )
    return connect(args.endpoint, args.model, needs=needs, key_variable=args.key_variable)
