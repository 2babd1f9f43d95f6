"""The claims of the paper, with the rules of :mod:`suites.promot.rules`."""

from __future__ import annotations

from harness.claims import Claim, Exact, Profile
from suites.promot.cells import LEVELS, SLOW_LEVELS, held_out, related, untouched
from suites.promot.rules import (
    ENDS_APART,
    MODELS,
    SOME_FALL,
    STARTS_ALIGNED,
    TIME,
    avoids_half,
    beats_prompt,
    everywhere,
    gains,
    higher_curve,
    like_fine_tuning,
    loses_half,
    more,
    on_par,
    proxy,
    real,
    specialises,
    with_time,
)
from suites.promot.wholes import WHOLES

FORGETTING = (
    Claim(
        id="C1",
        statement="Fine-tuning on one task destroys in-context learning of others within a few hundred "
        "steps: at least half of the score is lost.",
        source="Figure 1, Table 3",
        forms={profile: loses_half(profile) for profile in MODELS},
        reported=("rte-triviaqa-pretrained", "rte-triviaqa-ft", "rte-webq-pretrained", "rte-webq-ft"),
    ),
    Claim(
        id="C2",
        statement="The cause is format specialisation: the share of outputs in the target's format rises "
        "by at least fifty points on tasks whose answers never have it.",
        source="Figure 2, section 3.2",
        forms={profile: specialises(profile) for profile in MODELS},
        reported=("share-300", "share-500"),
    ),
    Claim(
        id="C3a",
        parent="C3",
        statement="The format is learned first: at the start the gradient points where the gradient of "
        "permuted answers does.",
        source="Figures 3 and 7",
        forms=dict.fromkeys(MODELS, STARTS_ALIGNED),
        reported=("cosine-mlp-0", "cosine-query-0", "cosine-key-0", "cosine-value-0"),
    ),
    Claim(
        id="C3b",
        parent="C3",
        statement="Once outputs have the target's format the two gradients part.",
        source="Figures 3 and 7",
        forms=dict.fromkeys(MODELS, ENDS_APART),
        reported=("cosine-mlp-400", "cosine-query-400", "cosine-key-400", "cosine-value-400"),
        note="Read from the first checkpoint on at which nine of ten held-out outputs have the target's "
        "format; at the last one if there is none.",
    ),
)

TARGETS = (
    Claim(
        id="C4a",
        parent="C4",
        statement="On a true-or-false target ProMoT is on par with fine-tuning.",
        source="Table 2",
        forms=dict.fromkeys(MODELS, on_par("entailment")),
        reported=("rte-target-ft", "rte-target-promot"),
    ),
    Claim(
        id="C4b",
        parent="C4",
        statement="On a true-or-false target ProMoT is better than prompt tuning.",
        source="Table 2",
        forms=dict.fromkeys(MODELS, beats_prompt("entailment")),
        reported=("rte-target-pt", "rte-target-promot"),
    ),
    Claim(
        id="C4c",
        parent="C4",
        statement="On translation ProMoT is on par with fine-tuning.",
        source="Table 2",
        forms=with_time(lambda _: on_par("translation")),
        reported=("en-fr-target-ft", "en-fr-target-promot"),
    ),
    Claim(
        id="C4d",
        parent="C4",
        statement="On translation ProMoT is better than prompt tuning.",
        source="Table 2",
        forms=with_time(lambda _: beats_prompt("translation")),
        reported=("en-fr-target-pt", "en-fr-target-promot"),
    ),
)

KEEPING = (
    Claim(
        id="C5a",
        parent="C5",
        statement="Tuned on a true-or-false task, ProMoT avoids at least half of the held-out loss of "
        "fine-tuning, at the same target score.",
        source="Table 3",
        forms={profile: avoids_half("entailment", profile) for profile in MODELS},
        reported=("rte-avg1-pretrained", "rte-avg1-ft", "rte-avg1-promot"),
        relies_on=("C16",),
    ),
    Claim(
        id="C5b",
        parent="C5",
        statement="Tuned on a true-or-false task, ProMoT is even better than the pretrained model.",
        source="Table 3",
        forms=dict.fromkeys(MODELS, gains("entailment")),
        reported=("rte-avg1-pretrained", "rte-avg1-promot"),
        essential=False,
    ),
    Claim(
        id="C6a",
        parent="C6",
        statement="Tuned on translation, ProMoT avoids at least half of the held-out loss of fine-tuning, "
        "at the same target score.",
        source="Table 4",
        forms={profile: avoids_half("translation", profile) for profile in MODELS},
        reported=("en-fr-avg1-pretrained", "en-fr-avg1-ft", "en-fr-avg1-promot"),
        relies_on=("C16",),
    ),
    Claim(
        id="C6b",
        parent="C6",
        statement="Tuned on translation, ProMoT is even better than the pretrained model.",
        source="Table 4",
        forms=dict.fromkeys(MODELS, gains("translation")),
        reported=("en-fr-avg1-pretrained", "en-fr-avg1-promot"),
        essential=False,
    ),
    Claim(
        id="C7",
        statement="ProMoT transfers to tasks with the target's meaning in another format: they end above "
        "the pretrained model.",
        source="Tables 3 and 4",
        forms=real(related("promot"), related("pretrained")),
        reported=("en-fr-en-de-promot", "en-fr-en-ro-promot"),
    ),
    Claim(
        id="C8",
        statement="A demonstration before each training input helps ProMoT further.",
        source="Tables 3 and 4",
        forms=real(held_out("promot-1shot"), held_out("promot")),
        reported=("rte-avg1-promot", "rte-avg1-promot-1shot"),
    ),
    Claim(
        id="C9",
        statement="With several targets at once ProMoT generalises better than multi-task fine-tuning.",
        source="Tables 5 and 11",
        forms=real(held_out("promot", "several"), held_out("fine-tuning", "several")),
        reported=("multi-avg1-ft", "multi-avg1-promot"),
    ),
)

ABLATIONS = (
    Claim(
        id="C10",
        statement="Two stages are needed: prompt and model tuned jointly forget as fine-tuning does.",
        source="Table 6",
        forms=with_time(lambda at: like_fine_tuning("joint", "promot", LEVELS[at], at)),
        reported=("ablation-avg1-joint", "ablation-triviaqa-joint", "rte-avg1-ft", "rte-avg1-promot"),
    ),
    Claim(
        id="C11",
        statement="A fixed random prompt does not help.",
        source="Table 6",
        forms=with_time(lambda at: like_fine_tuning("random-prompt", "promot", SLOW_LEVELS[at], at)),
        reported=("ablation-avg1-random", "ablation-triviaqa-random", "rte-avg1-ft", "rte-avg1-promot"),
        note="A random prompt slows learning down, so that the target score is matched at a lower level "
        "than elsewhere.",
    ),
    Claim(
        id="C12",
        statement="A demonstration in place of the soft prompt does not take up the format.",
        source="Table 6",
        forms=with_time(
            lambda at: like_fine_tuning("fine-tuning-1shot", "promot-1shot", SLOW_LEVELS[at], at)
        ),
        reported=("ablation-avg1-ft-1shot", "ablation-triviaqa-ft-1shot", "rte-avg1-promot-1shot"),
    ),
    Claim(
        id="C13",
        statement="A soft prompt is a better first stage than LoRA: more is kept of other tasks.",
        source="Table 15",
        forms={
            Profile.SMALL: proxy(held_out("promot"), held_out("lora-first-4", "extras")),
            Profile.GPU: TIME,
            Profile.PAPER: more(held_out("promot", "translation"), held_out("lora-first-4", "extras")),
        },
        reported=("lora4-avg1", "en-fr-avg1-promot"),
    ),
)

GENERAL = (
    Claim(
        id="C14",
        statement="Over training time ProMoT has the better trade-off between target and held-out score.",
        source="Figures 5 and 6",
        forms={profile: higher_curve(profile) for profile in MODELS},
        reported=("tradeoff",),
    ),
    Claim(
        id="C15",
        statement="It holds for other models and targets.",
        source="Tables 10 and 12 to 14",
        forms=with_time(everywhere),
        reported=("snli-avg1-ft", "snli-avg1-promot", "t5-avg1-ft", "t5-avg1-promot", "mt5-xl-avg1-promot"),
    ),
    Claim(
        id="C16",
        statement="Prompt tuning alone leaves other tasks untouched, to the last bit.",
        source="section 5.1",
        forms=dict.fromkeys(
            (Profile.SMOKE, *MODELS),
            Exact(
                cells=(untouched("prompt-tuning"),),
                oracle="hashes of all weights, and answers of the pretrained model",
                min_cases=10,
            ),
        ),
        reported=("untouched",),
    ),
    Claim(
        id="C17",
        statement="ProMoT does not remove all specialisation: some unrelated tasks fall.",
        source="Tables 3 and 4",
        forms=dict.fromkeys(MODELS, SOME_FALL),
        reported=("rte-en-de-pretrained", "rte-en-de-promot", "en-fr-triviaqa-promot"),
    ),
)


def _order(claim: Claim) -> tuple[int, str]:
    """The paper's order, each whole before its parts."""
    return int("".join(filter(str.isdigit, claim.id))), claim.id


CLAIMS = tuple(sorted((*WHOLES, *FORGETTING, *TARGETS, *KEEPING, *ABLATIONS, *GENERAL), key=_order))
