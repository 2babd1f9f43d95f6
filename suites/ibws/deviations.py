"""Where a run differs from the paper, and which way that should push."""

from __future__ import annotations

from harness.claims import Profile
from harness.suite import Deviation

_ALL_BUT_SMOKE = (Profile.SMALL, Profile.GPU, Profile.PAPER)

DEVIATIONS: tuple[Deviation, ...] = (
    Deviation(
        id="D1",
        field="annotators",
        paper="Crowd workers who answer tuples, sliders and scales.",
        here="A crowd simulated from real ratings: a percept is the rating of one of the item's raters, "
        "drawn at random, plus noise that undoes the rounding to integers.",
        effect="No context effects, fatigue, anchoring or learning: helps all protocols, and hides what real "
        "people may gain from comparing. The comparison of protocols is one of sampling noise.",
        profiles=_ALL_BUT_SMOKE,
    ),
    Deviation(
        id="D2",
        field="data",
        paper="Product reviews and dialogue responses (sets and sizes unknown).",
        here="Sentences of product reviews, newspaper editorials and film reviews rated for sentiment.",
        effect="Editorials are narrower and noisier than product reviews: lower correlations in the second "
        "domain.",
        profiles=_ALL_BUT_SMOKE,
    ),
    Deviation(
        id="D3",
        field="raters",
        paper="Number of raters of each item or tuple unknown.",
        here="Each item's 20 raters (15 for films) are split into gold (6), comparative (7) and direct (7), "
        "or 5 each; a simulated crowd draws from its group with replacement. One rater a tuple.",
        effect="Seven people stand for a whole crowd, so many ratings of an item level off below what as "
        "many different people would reach. Disjoint groups lower all correlations a little; a shared "
        "pool would inflate C3.",
        profiles=_ALL_BUT_SMOKE,
    ),
    Deviation(
        id="D4",
        field="protocol",
        paper="Split rule, appearances, terminal buckets and final score of IBWS are not public.",
        here="Thirds, tuples of 4, 1 to 4 appearances a round, a last tuple in small buckets; ranked by the "
        "position of the buckets and, separately, by Bradley-Terry over all rounds.",
        effect="Position alone keeps early errors: if the paper also scores all rounds together, ours "
        "understates IBWS by position.",
        claims=("C1a", "C1b", "C1c", "C1e", "C1f", "C2b", "C3b"),
    ),
    Deviation(
        id="D5",
        field="rater bias",
        paper="Whatever bias the paper's workers had.",
        here="Real ratings already mix raters; further shifts (sd 0 to 2 points of the -4 ... 4 scale) and "
        "stretches are simulated on top and stated with each number.",
        effect="Bias hurts scales and leaves best-worst answers as they are: C4 depends on it.",
        claims=("C3d", "C4a", "C4b", "C4c", "C4d", "C4e", "C4f", "C4g", "C4h"),
    ),
    Deviation(
        id="D6",
        field="scale",
        paper="People use a continuous slider.",
        here="The source ratings are nine-point integers; uniform noise of half a point turns them into "
        "slider marks.",
        effect="Handicaps the slider against a nine-point scale, which gets the integers back; so no claim "
        "compares these two.",
        claims=("C3a", "C3b", "C3c", "C3d", "C3e", "C4a", "C4b", "C4c", "C4d", "C4e"),
    ),
    Deviation(
        id="D7",
        field="cost",
        paper="Prices or times, unknown.",
        here="Counted judgements and reads; seconds as t0 + t1 * reads with 2 s a screen and 4 s a read, "
        "which are assumed, so that no claim rests on them.",
        effect="None on counts; the seconds only illustrate.",
        claims=("C2a", "C2b", "C2c", "C2d"),
    ),
    Deviation(
        id="D8",
        field="model",
        paper="RoBERTa with a scalar head.",
        here="Ridge regression on frozen MiniLM sentence embeddings.",
        effect="Lower correlations, and less to gain from better labels: makes C5a and C5c easier and "
        "C5e harder.",
        profiles=(Profile.SMALL,),
        claims=("C5a", "C5b", "C5c", "C5d", "C5e"),
    ),
    Deviation(
        id="D9",
        field="model",
        paper="RoBERTa with a scalar head.",
        here="MiniLM (22M) with a scalar head on the mean token vector, pairwise logistic loss.",
        effect="Somewhat lower correlations.",
        profiles=(Profile.GPU,),
        claims=("C5a", "C5b", "C5c", "C5d", "C5e"),
    ),
    Deviation(
        id="D10",
        field="sizes",
        paper="Training and test sizes unknown.",
        here="Disjoint pieces of the public sets for each seed: 248 to 1,260 training texts, 160 to 500 test "
        "texts.",
        effect="Small training sets favour the lexicon, and make label noise matter more.",
        profiles=_ALL_BUT_SMOKE,
        claims=("C5a", "C5b", "C5c", "C5d", "C5e"),
    ),
    Deviation(
        id="D11",
        field="loss",
        paper="Training loss unknown.",
        here="Pairwise logistic loss; squared error, margin and ListNet are run beside it.",
        effect="Small.",
        profiles=(Profile.GPU, Profile.PAPER),
        claims=("C5a", "C5b", "C5c", "C5d", "C5e"),
    ),
    Deviation(
        id="D12",
        field="precision",
        paper="Not stated.",
        here="Weights in float32; on a GPU products of float32 are computed in TF32 (ten bits of mantissa).",
        effect="None expected: differences lie far below those between seeds.",
        profiles=(Profile.GPU, Profile.PAPER),
        claims=("C5a", "C5b", "C5c", "C5d", "C5e"),
    ),
    Deviation(
        id="D13",
        field="model",
        paper="RoBERTa with a scalar head; size, what the head reads, epochs, batch and rate are unknown.",
        here="RoBERTa-base, whose mean token vector a linear head reads; three passes in batches of 32 at "
        "5e-5, texts of up to 128 tokens.",
        effect="Unknown.",
        profiles=(Profile.PAPER,),
        claims=("C5a", "C5b", "C5c", "C5d", "C5e"),
    ),
    Deviation(
        id="D14",
        field="protocol",
        paper="How many screens an iteration of EASL has is not known, nor whether the paper has EASL.",
        here="As many as a pass over all items takes.",
        effect="Little.",
        profiles=_ALL_BUT_SMOKE,
    ),
)
