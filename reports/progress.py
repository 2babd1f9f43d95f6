"""How far a run is that goes on, as its page says it."""

from __future__ import annotations

from dataclasses import dataclass

from markupsafe import Markup

from harness.text import plural

REFRESH_SECONDS = 30
_OLD_MINUTES = 15
"""A page that is not written again for so long says so itself, where scripts run."""
_AGED = Markup("""
const told = document.querySelector(".live"), minutes = Math.round((Date.now() - told.dataset.written) / 6e4);
if (minutes >= told.dataset.old) told.querySelector("strong").textContent =
  `Nothing new for ${minutes} minutes: interrupted, or busy with something long.`;
""")


@dataclass(frozen=True)
class Progress:
    """How far a run is.

    Attributes:
        done: Trials that have finished.
        total: All trials.
        failed: Trials among those that have no result.
        left: How long it will still take, in words; empty where nobody can say.
        written: Seconds since 1970.
        clock: The same, for readers.
    """

    done: int
    total: int
    failed: int
    left: str
    written: float
    clock: str

    @property
    def refresh(self) -> Markup:
        """What makes a browser load the page again."""
        return Markup('<meta http-equiv="refresh" content="{}">').format(REFRESH_SECONDS)

    @property
    def banner(self) -> Markup:
        """What stands above the page while the run goes on."""
        failed = f", {self.failed} without a result" if self.failed else ""
        left = f", {self.left}" if self.left else ""
        state = f"Still running: {self.done} of {plural(self.total, 'trial')}{failed}{left}."
        note = f"As of {self.clock}. What rests on trials to come is marked as not measured."
        return Markup(
            '<div class="live" role="status" data-written="{}" data-old="{}"><p class="warning">'
            "<strong>{}</strong> {}</p><script>{}</script></div>"
        ).format(round(self.written * 1000), _OLD_MINUTES, state, note, _AGED)
