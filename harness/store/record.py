"""The base of all stored records."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict

from harness.text import storable


class Record(BaseModel):
    """Base of all records: immutable, and strict about unknown fields."""

    model_config = ConfigDict(
        frozen=True, extra="forbid", use_attribute_docstrings=True, ser_json_inf_nan="constants"
    )

    def as_json(self, indent: int | None = None) -> str:
        """The record as JSON text that UTF-8 can hold, whatever foreign code put into its fields."""
        try:
            return self.model_dump_json(indent=indent)
        except ValueError:  # Text that UTF-8 cannot hold.
            return type(self).model_validate(storable(self.model_dump())).model_dump_json(indent=indent)
