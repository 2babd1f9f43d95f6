"""Where a model is served, and how it may be asked: the description of a server, without a connection."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal
from urllib.parse import urlsplit

from harness.method import ProblemError

Protocol = Literal["auto", "completions", "chat"]
Scoring = Literal["auto", "echo", "listed", "none"]


@dataclass(frozen=True)
class Server:
    """Where a model is served, and how it may be asked.

    Attributes:
        address: Base address, with its ``/v1``; without credentials.
        model: The name that the server gives the model.
        protocol: ``completions`` continues a text; ``chat`` answers a message; ``auto`` takes what a
            probe finds to work.
        scoring: ``echo`` reads the probabilities of the option's own tokens; ``listed`` finds options
            of one token among the most probable next tokens and gives the others −∞; ``none`` cannot
            score; ``auto`` takes the first of them that a probe finds to work.
        listed: Most probable tokens that the server lists; 20 with chat, 5 with completions as a rule;
            0 for what a probe finds.
        key_variable: Environment variable that holds the key; an unset one sends none.
        timeout: Seconds for a request.
        retries: Attempts after a failed one, with growing pauses; the server's own wish is honoured.
        per_minute: Most requests a minute; 0 for no limit.
        parallel: Requests at a time.
    """

    address: str
    model: str
    protocol: Protocol = "completions"
    scoring: Scoring = "echo"
    listed: int = 5
    key_variable: str = "OPENAI_API_KEY"
    timeout: float = 60.0
    retries: int = 4
    per_minute: float = 0.0
    parallel: int = 8

    def __post_init__(self) -> None:
        """Check the address and the protocol.

        Raises:
            ProblemError: If the address is none, or options are to be scored by an echo that chat does
                not have.
        """
        _check_address(self.address)
        if not self.model:
            raise ProblemError(
                "The served model has no name",
                where=self.address,
                fix="Name it as GET /v1/models lists it.",
            )
        if self.protocol == "chat" and self.scoring == "echo":
            raise ProblemError(
                "Chat does not tell the probabilities of a given text",
                where=self.address,
                fix='Set scoring to "listed", or the protocol to "completions".',
            )

    @property
    def is_settled(self) -> bool:
        """Whether nothing is left to a probe."""
        return "auto" not in (self.protocol, self.scoring) and self.listed > 0

    @property
    def identity(self) -> str:
        """The address with the model's name, the protocol and the way of scoring."""
        return f"{self.address} {self.model} {self.protocol} {self.scoring}"


def server_at(url: str, model: str, **given: Any) -> Server:
    """A server as a user names it, the rest left to a probe.

    Args:
        url: ``http://HOST:PORT``, with or without the ``/v1`` at its end.
        model: The name that the server gives the model.
        given: Other attributes of :class:`Server`; without them, protocol, scoring and the number of
            listed tokens are found by :func:`~methods.common.language_model.served.connect`.

    Raises:
        ProblemError: If the address is none, holds credentials or leads to a single operation, or the
            name is empty.
    """
    _check_address(url)
    address = url.rstrip("/")
    if not urlsplit(address).path:
        address += "/v1"
    left: dict[str, Any] = {"protocol": "auto", "scoring": "auto", "listed": 0}
    return Server(address, model, **(left | given))


def _check_address(url: str) -> None:
    parts = _split(url)
    shown = f"{parts.scheme}://{parts.hostname}" if parts.hostname else "the address"
    if "@" in parts.netloc or parts.query or parts.fragment:
        # What is at fault may be a key, so it is not repeated.
        raise ProblemError(
            "The address of a server holds more than scheme, host, port and path",
            where=shown,
            fix="Write http://HOST:PORT/v1; a key goes into an environment variable (OPENAI_API_KEY).",
        )
    plain = url.isprintable() and not any(map(str.isspace, url))
    if parts.scheme not in ("http", "https") or not parts.hostname or not plain:
        raise ProblemError(
            "This is no address of a server",
            where=url[:200],
            fix="Write http://HOST:PORT/v1 or https://HOST/v1.",
        )
    if parts.path.rstrip("/").endswith(("/completions", "/models")):
        raise ProblemError(
            "This is the address of one operation, not of the server",
            where=url[:200],
            fix="Leave out what follows /v1.",
        )


def _split(url: str) -> Any:
    try:
        parts = urlsplit(url)
        _ = parts.port  # A port that is no number is told when it is read.
    except ValueError as error:
        raise ProblemError(
            f"This is no address of a server: {error}", fix="Write http://HOST:PORT/v1."
        ) from error
    return parts
