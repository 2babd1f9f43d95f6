"""How assignments of symbols are written for a language model."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Literal, assert_never

Template = Literal["equations", "json", "sentence"]


def render(values: Mapping[str, str], template: Template) -> str:
    """An assignment as text, in the order of its variables."""
    match template:
        case "equations":
            return " ; ".join(f"{name} = {value}" for name, value in values.items())
        case "json":
            return json.dumps(dict(values))
        case "sentence":
            return ", and ".join(f"{name} is {value}" for name, value in values.items()) + "."
        case _:
            assert_never(template)
