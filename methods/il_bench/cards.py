"""Data cards: what each task of IL-Bench is, as drawn here."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class DataCard:
    """What must be known about a task's data.

    Attributes:
        name: Of the family of tasks.
        what: What an input and its label are.
        drawn: What is drawn anew for each seed, and from what.
        splits: How training, validation and test sets are kept apart, and further test sets.
        source: Where the data come from.
        licence: Under which terms.
        limits: What the data cannot show.
    """

    name: str
    what: str
    drawn: str
    splits: str
    source: str
    licence: str
    limits: str

    def __str__(self) -> str:
        """The card as a paragraph."""
        return (
            f"{self.name}: {self.what} Drawn for each seed: {self.drawn} Splits: {self.splits} "
            f"Source: {self.source} ({self.licence}). Limits: {self.limits}"
        )


_SPLITS = "each item is in one split; cuts and names come from the training items alone."

SYNTREE = DataCard(
    name="SynTree",
    what="an input assigns one of v symbols to each of d variables; its label is what a hidden tree of "
    "depth D says, which asks for one variable at each node and for none twice on a path.",
    drawn="the tree, the label names (of ten words without meaning), and independent uniform inputs. A tree "
    "is drawn again if a label has three fifths of all inputs or more, or 8 % or less.",
    splits="drawn independently, so that with few variables an input can occur in training and test. Shifted "
    "test sets: variables in another order, JSON and sentences in place of equations, one value of the "
    "root's variable with a tenth of its weight, and unseen values of the variables that no label needs.",
    source="generated",
    licence="no rights",
    limits="Labels are noise-free functions of few symbols: a decision tree solves them.",
)
WAVEFORM = DataCard(
    name="Waveform",
    what="an input is 21 values, each low, middle or high among the training values of its place; its label "
    "is which two of three triangular waves are mixed.",
    drawn="mixing weights (uniform), standard normal noise on each value, and label names.",
    splits=_SPLITS,
    source="the generator of Breiman et al. (1984)",
    licence="no rights",
    limits="No rule list is exact: at full resolution the best classifier is right for about 86 %.",
)
TABLES = DataCard(
    name="Tables",
    what="the wine and breast-cancer tables of scikit-learn; every variable is called x1, x2, … and is low, "
    "middle or high among its training values.",
    drawn="the split and the label names. The tables themselves are fixed.",
    splits=_SPLITS,
    source="UCI repository, as shipped with scikit-learn",
    licence="CC BY 4.0",
    limits="A few hundred rows each: seeds share most of their rows.",
)
DIGITS = DataCard(
    name="Digits",
    what="handwritten 3, 8 and 9, each as 16 cells of 2 × 2 pixels that are low, middle or high.",
    drawn="the split and the label names. The images themselves are fixed.",
    splits=_SPLITS,
    source="UCI repository, as shipped with scikit-learn",
    licence="CC BY 4.0",
    limits="Stands in for pictures of confusable species; nothing visual is left to be seen.",
)
