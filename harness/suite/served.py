"""Which of a suite's models a server may stand for, and what is asked of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field


@dataclass(frozen=True, kw_only=True)
class Role:
    """A model that ``--endpoint ROLE=URL --model ROLE=NAME`` takes the place of.

    Attributes:
        paper: What the paper used, by its name there.
        needs: What each experiment asks of the server, by the experiment's id: names that the suite's
            :attr:`Served.probe` knows.
    """

    paper: str
    needs: Mapping[str, Sequence[str]] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Served:
    """The models of a suite that may be behind servers.

    Attributes:
        roles: By a name that ``Suite.bindings`` has, too.
        probe: ``"module:function"``; called with an address, a model's name, ``key_variable`` and the
            needs by experiment, it asks the server and gives a :class:`harness.method.asked.Probed`.
        expected: ``"module:function"``; called with a task and a method, or an artifact and None, and with
            what loads a resource that is on this machine (or gives None), it tells what will be asked:
            :class:`harness.method.asked.Asks`.
    """

    roles: Mapping[str, Role] = field(default_factory=dict)
    probe: str = ""
    expected: str = ""
