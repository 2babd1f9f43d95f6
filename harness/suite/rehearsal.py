"""How large profiles are tried out on small machines."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol


class StandIn(Protocol):
    """A tiny copy of a resource, of the very kind and form, made without a network."""

    def make(self, folder: Path) -> None:
        """Fill the empty ``folder`` as the resource's own source would."""


@dataclass(frozen=True, kw_only=True)
class Rehearsal:
    """How the large profiles are run at toy size; see :mod:`harness.rehearsal`.

    Attributes:
        stand_ins: What takes the place of each resource, by the resource's name. One without an
            entry is used as it is, which suits small packages.
        sizes: Largest values of declared fields, as ``Class.field``: of a number the number, of a
            tuple the length. A class is named by itself or by one that it derives from.
        servers: Roles of served models (:class:`harness.suite.Served`), each with the
            ``module:function`` that serves a tiny one on this machine: a context manager that gives an
            address.
        stops: Arms (``experiment/task/method``) that need a model which knows something, each with
            the words of the error by which a random one ends them. They are told apart.
    """

    stand_ins: Mapping[str, StandIn] = field(default_factory=dict)
    sizes: Mapping[str, float] = field(default_factory=dict)
    servers: Mapping[str, str] = field(default_factory=dict)
    stops: Mapping[str, str] = field(default_factory=dict)
