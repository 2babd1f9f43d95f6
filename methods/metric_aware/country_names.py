"""Short and official names of countries, from ``pycountry``.

A module of its own: the cache keeps what it writes only while this code, and all that it imports,
stays as it is.
"""

from __future__ import annotations

import json
from pathlib import Path

from harness.method import PackageSource, Resource

NAMES = "names.json"


def provide_names(folder: Path) -> None:
    """Write the short and official names of countries from ``pycountry``."""
    import pycountry

    rows = [
        {"name": country.name, "official": country.official_name}
        for country in pycountry.countries
        if getattr(country, "official_name", country.name) != country.name and "," not in country.name
    ]
    (folder / NAMES).write_text(json.dumps(sorted(rows, key=lambda row: row["name"])), encoding="utf-8")


def load_names(folder: Path) -> list[dict[str, str]]:
    """Rows with ``name`` and ``official``."""
    found: list[dict[str, str]] = json.loads((folder / NAMES).read_text(encoding="utf-8"))
    return found


COUNTRY_NAMES = Resource(
    name="official-country-names",
    kind="dataset",
    licence="LGPL-2.1",
    version="26.2.16",
    sources=(PackageSource("pycountry", "26.2.16", "methods.metric_aware.country_names:provide_names"),),
    loader="methods.metric_aware.country_names:load_names",
    size_mb=23,
)
"""Short and official names of countries: "Portugal", "Portuguese Republic"."""
