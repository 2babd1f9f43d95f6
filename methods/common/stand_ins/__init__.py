"""Tiny stand-ins for models and data sets, for rehearsals of the large profiles.

:data:`COMMON` has those of resources that several suites share; suites add their own.
"""

from collections.abc import Mapping

from methods.common.stand_ins.files import Collection, Images, QuestionTable, RatedTexts, WebTexts
from methods.common.stand_ins.models import TinyModel
from methods.common.stand_ins.rows import PEOPLE, Rows

StandIns = Mapping[str, Collection | Images | QuestionTable | RatedTexts | Rows | TinyModel | WebTexts]

DIGITS = tuple("0123456789")
"""Tokens to make loud in models that are to answer by a number."""
CONTINENTS = ("Africa", "Asia", "Europe")
SURNAMES = tuple(name.split()[-1] for name in PEOPLE)
"""Tokens of their own in the tokenizers, to make loud in models that are to know something."""

COMMON: StandIns = {
    "all-minilm-l6-v2": TinyModel("bert"),
    "arc-challenge": Rows("arc"),
    "arc-easy": Rows("arc"),
    "boolq": Rows("boolq", {"train": 48, "validation": 40}),
    "gemma-3-270m": TinyModel("gemma3"),
    "gsm8k": Rows("gsm8k", {"train": 48, "test": 40}),
    "hellaswag": Rows("hellaswag"),
    "human-ratings": RatedTexts(),
    "mawps": Rows("mawps", {"train": 48, "test": 40}),
    "mt5-xxl": TinyModel("mt5"),
    "multi30k-en-fr": Rows("multi30k"),
    "nq-open": Rows("nq_open", {"train": 48, "validation": 60}),
    "openbookqa": Rows("openbookqa"),
    "sick": Rows("sick"),
    "triviaqa": Rows("triviaqa"),
    "web-questions": Rows("web_questions", {"train": 48, "test": 40}),
    "wmt14-en-fr": Rows("wmt_fr"),
    "xsum": Rows("xsum"),
}

__all__ = [
    "COMMON",
    "CONTINENTS",
    "DIGITS",
    "SURNAMES",
    "Collection",
    "Images",
    "QuestionTable",
    "RatedTexts",
    "Rows",
    "StandIns",
    "TinyModel",
    "WebTexts",
]
