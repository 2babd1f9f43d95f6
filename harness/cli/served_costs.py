"""What a plan would ask of models behind servers, and what that costs."""

from __future__ import annotations

import argparse
import math
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from harness.cli.forecast import Forecast
from harness.engine.run import RunRequest
from harness.errors import SuiteError, UsageError
from harness.foreign import foreign
from harness.method.asked import Asks
from harness.method.names import named_function
from harness.method.references import Resource
from harness.plan import Plan, PlannedTrial
from harness.text import plural

MILLION = 1e6


@dataclass
class Asked:
    """What an experiment asks of one model.

    Attributes:
        experiment: Its id, or what an artifact is.
        role: Of the model in the suite.
        server: The model and where it is served.
        requests: At most.
        read: Tokens, about.
        written: Tokens, at most.
    """

    experiment: str
    role: str
    server: str
    requests: int = 0
    read: int = 0
    written: int = 0

    def add(self, asks: Asks, times: int = 1) -> None:
        """Count what a trial asks, so many times."""
        self.requests += asks.requests * times
        self.read += asks.requests * asks.prompt_tokens * times
        self.written += asks.requests * asks.new_tokens * times

    def price(self, prices: tuple[float, float]) -> float:
        """What it costs, with the prices of a million tokens read and written."""
        return (self.read * prices[0] + self.written * prices[1]) / MILLION


def add_price(parser: argparse.ArgumentParser) -> None:
    """``--price-per-million``."""
    parser.add_argument(
        "--price-per-million",
        metavar="IN,OUT",
        help="what a million tokens read and a million written cost, to tell what served models would",
    )


def prices_of(text: str | None) -> tuple[float, float] | None:
    """The value of ``--price-per-million``.

    Raises:
        UsageError: If it is no pair of prices.
    """
    if text is None:
        return None
    try:
        found = tuple(map(float, text.split(",")))
    except ValueError:
        found = ()
    if len(found) != 2 or not all(0 <= price < math.inf for price in found):
        fix = "Give two numbers of one currency, such as 2.50,10."
        raise UsageError("These are no two prices", where=f"--price-per-million {text}", fix=fix)
    return found[0], found[1]


def requests_of(request: RunRequest, plan: Plan, forecast: Forecast) -> list[Asked]:
    """What is left to be asked of each served model, by experiment and by artifact."""
    endpoints = request.resolver.endpoints
    if not endpoints or not request.suite.served.expected:
        return []
    roles = {resource: role for role, resource in request.suite.bindings.items()}
    expects = _expects(request)
    found: dict[tuple[str, str], Asked] = {}

    def add(what: str, asks: Asks) -> None:
        if asks.resource in endpoints:
            place = (what, asks.resource)
            found.setdefault(place, Asked(what, roles[asks.resource], endpoints[asks.resource].told)).add(
                asks
            )

    for trial in _left(plan, forecast):
        for method in trial.methods.values():
            for asks in expects(trial.task, method):
                add(trial.experiment.id, asks)
    for artifact, built in forecast.artifacts():
        if not built:
            for asks in expects(artifact, None):
                add(artifact.title or type(artifact).__name__, asks)
    return list(found.values())


def _left(plan: Plan, forecast: Forecast) -> Iterator[PlannedTrial]:
    for trial in [*(point for group in plan.tunings for point in group.points), *plan.trials]:
        if not forecast.is_stored(trial):
            yield trial


def _expects(request: RunRequest) -> Callable[[Any, Any], list[Asks]]:
    """What the suite tells of a task with a method, or of an artifact; asked once for each pair."""
    name = request.suite.served.expected
    told = named_function(name)
    known: dict[tuple[int, int], list[Asks]] = {}
    loaded: dict[str, Any] = {}

    def load(resource: Resource) -> Any:
        if resource.name not in loaded:
            here = request.resolver.status(resource).state == "present"
            loaded[resource.name] = resource.load(request.resolver.path(resource)) if here else None
        return loaded[resource.name]

    def expects(item: Any, method: Any) -> list[Asks]:
        place = (id(item), id(method))
        if place not in known:
            with foreign("What is asked cannot be told", where=name, kind=SuiteError):
                known[place] = list(told(item, method, load))
        return known[place]

    return expects


def requests_lines(rows: Iterable[Asked], prices: tuple[float, float] | None) -> Iterator[str]:
    """The rows as text; nothing where no served model is asked."""
    rows = list(rows)
    if not rows:
        return
    yield "requests to servers, at most (tokens are about a quarter of the characters):"
    for row in rows:
        costs = f", {row.price(prices):,.2f}" if prices else ""
        yield f"  {row.experiment}, {row.role} ({row.server}): {_told(row)}{costs}"
    if len(rows) > 1:
        whole = Asked("", "", "")
        for row in rows:
            whole.requests, whole.read = whole.requests + row.requests, whole.read + row.read
            whole.written += row.written
        yield f"  together: {_told(whole)}{f', {whole.price(prices):,.2f}' if prices else ''}"


def _told(row: Asked) -> str:
    tokens = f"{row.read / MILLION:,.2f} million tokens read, {row.written / MILLION:,.2f} million written"
    return f"{plural(row.requests, 'request')}, {tokens}"


def requests_json(rows: Iterable[Asked], prices: tuple[float, float] | None) -> dict[str, Any]:
    """The rows as JSON data."""
    priced = [{**vars(row), **({"price": round(row.price(prices), 4)} if prices else {})} for row in rows]
    return {"requests": priced} if priced else {}
