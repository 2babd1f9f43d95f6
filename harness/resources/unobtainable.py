"""The error with which a source says that it has nothing now."""

from __future__ import annotations


class UnobtainableError(Exception):
    """This source does not have it now; the next one may."""
