"""Real facts in templates, and public sets, as questions."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from harness.method import ResourceError
from methods.kaft import open_qa
from methods.kaft.facts import (
    PARAPHRASES,
    WORDINGS,
    Fact,
    collect,
    fact_questions,
    relations,
)
from methods.kaft.knowledge import solved
from methods.kaft.oracles import oracle_answer
from methods.kaft.prompts import Asked
from methods.kaft.questions import check_support
from methods.kaft.relations import WIKIDATA, question_for
from methods.kaft.scoring import is_complete
from methods.kaft.substitution import mentions_any
from methods.kaft.words import gives_any, same, unigrams
from tests.methods.common.real_tables import atlas, elements


@pytest.fixture(scope="module")
def facts() -> list[Fact]:
    return collect(atlas(), elements())


def test_facts_come_from_the_packages(facts: list[Fact]) -> None:
    held = {(fact.relation, fact.subject): fact.aliases[0] for fact in facts}
    assert held["capital", "France"] == "Paris"
    assert held["country", "Paris"] == "France"
    assert held["currency", "Japan"] == "Yen"
    assert held["language", "Japan"] == "Japanese"
    assert held["continent", "Kenya"] == "Africa"
    assert held["symbol", "Iron"] == "Fe"
    assert held["element", "Ag"] == "Silver"
    assert held["number", "Oxygen"] == "8"
    assert len(facts) > 350


def test_answers_have_words_and_are_not_given_away(facts: list[Fact]) -> None:
    assert all(unigrams(alias) for fact in facts for alias in fact.aliases)
    symbols = {fact.aliases[0] for fact in facts if fact.relation == "symbol"}
    assert not symbols & {"As", "In", "I", "No"}
    assert ("capital", "Luxembourg") not in {(fact.relation, fact.subject) for fact in facts}


def test_every_question_is_asked_once(facts: list[Fact]) -> None:
    texts = [WORDINGS[fact.relation][1].format(subject=fact.subject) for fact in facts]
    assert len(texts) == len(set(texts))
    capitals = {fact.subject for fact in facts if fact.relation == "country"}
    assert "Naypyidaw" not in capitals, "the tables spell it in two ways"
    assert "Belgrade" not in capitals, "Serbia is too small"
    assert not {"Serbia and Montenegro", "Burma"} & {fact.entity for fact in facts}


def test_an_answer_may_have_another_name(facts: list[Fact]) -> None:
    held = {(fact.relation, fact.subject): fact.aliases for fact in facts}
    assert held["country", "Ankara"] == ("Turkey", "Türkiye")
    assert held["continent", "Peru"] == ("South America", "Americas")
    assert not gives_any("South America", held["continent", "Mexico"])


def test_every_kind_of_fact_has_its_wordings() -> None:
    assert set(WORDINGS) == set(PARAPHRASES)
    assert all("{subject}" in text for text in PARAPHRASES.values())
    assert not {question for _, question in WORDINGS.values()} & set(PARAPHRASES.values())


def test_questions_are_supported_and_complete(facts: list[Fact]) -> None:
    questions, dropped = fact_questions(facts[:300], np.random.default_rng(0))
    check_support(questions)
    assert sum(map(is_complete, questions)) > 0.9 * len(questions)
    assert sum(dropped.values()) < 0.1 * 300
    assert not any(same(question.fake, question.answer) for question in questions)


def test_oracles_read_the_templates(facts: list[Fact]) -> None:
    questions, _ = fact_questions(facts[:200], np.random.default_rng(0))
    worded = relations(facts)
    for question in filter(is_complete, questions):
        for context, expected in ((question.counterfactual, question.fake), (question.hard, "belief")):
            asked = Asked(question.text, context, question.subject, question.relation)
            assert oracle_answer(asked, worded, {question.text: "belief"}, "gated") == expected


SQUAD_ROWS: list[dict[str, Any]] = [
    {"id": "a", "title": "Normans", "question": "Where is Normandy?", "context": "Normandy is in France.",
     "answers": {"text": ["France", "France"], "answer_start": [16, 16]}},
    {"id": "b", "title": "Normans", "question": "Who ruled the moon?", "context": "Rollo led the Normans.",
     "answers": {"text": [], "answer_start": []}},
    {"id": "c", "title": "Computing", "question": "Who wrote it?", "context": "It was written by Ada.",
     "answers": {"text": ["Ada"], "answer_start": [18]}},
    {"id": "d", "title": "Chess", "question": "Who won?", "context": "Nobody knows.",
     "answers": {"text": ["Tal"], "answer_start": [0]}},
]  # fmt: skip


def data(folder: Path, rows: list[dict[str, Any]], load: Any) -> Any:
    with gzip.open(folder / "train.jsonl.gz", "wt", encoding="utf-8") as file:
        file.writelines(json.dumps(row) + "\n" for row in rows)
    return load(folder)["train"]


def test_squad_gives_relevant_and_unanswerable_passages(tmp_path: Path) -> None:
    passages = data(tmp_path, SQUAD_ROWS, open_qa.load_squad)
    questions, dropped = open_qa.as_questions(passages, np.random.default_rng(0), kind="squad")
    found = {question.id: question for question in questions}
    assert set(found) == {"squad:a", "squad:b", "squad:c"}
    assert dropped["answer not in context"] == 1
    assert found["squad:b"].hard == "Rollo led the Normans."
    assert found["squad:b"].relevant == ""
    assert found["squad:a"].counterfactual in {"Normandy is in Ada.", "Normandy is in Tal."}
    assert found["squad:a"].easy in {"It was written by Ada.", "Nobody knows."}


def test_trivia_takes_the_window_with_the_answer(tmp_path: Path) -> None:
    far = " ".join(["word"] * open_qa.WINDOW)
    row = {
        "question_id": "q",
        "question": "Which band?",
        "answer": {"value": "The Rolling Stones", "aliases": ["Rolling Stones", "the"]},
        "entity_pages": {"title": ["Empty", "Band"], "wiki_context": ["", f"{far} The Rolling Stones sang."]},
    }
    (passage,) = data(tmp_path, [row], open_qa.load_trivia)
    assert passage.entity == "Band"
    assert passage.context == "The Rolling Stones sang."
    assert passage.beside == far
    assert passage.aliases == ("The Rolling Stones", "Rolling Stones")


@pytest.mark.parametrize(
    ("relation", "asked"),
    [
        ("P19", "Where was Ada born?"),
        ("P131", "Which administrative territory is Ada located in?"),
        ("place_of_birth", "What is the place of birth of Ada?"),
        ("[Person] was born in [Place]", "Ada was born in which place?"),
        ("[Country]'s flag is [Artifact]", "Ada's flag is which artifact?"),
        ("[Person] and [Person] are married", "Ada and which person are married?"),
        ("P99999", ""),
        ("[Person] works", ""),
        ("", ""),
    ],
)
def test_relations_are_asked_for_in_words(relation: str, asked: str) -> None:
    assert question_for(relation, "Ada") == asked


def test_relations_of_lama_are_all_there() -> None:
    lama = [
        17, 19, 20, 27, 30, 31, 36, 37, 39, 47, 101, 103, 106, 108, 127, 131, 136, 138, 140, 159, 176, 178,
        190, 264, 276, 279, 361, 364, 407, 413, 449, 463, 495, 527, 530, 740, 937, 1001, 1303, 1376, 1412,
    ]  # fmt: skip
    assert {f"P{number}" for number in lama} <= set(WIKIDATA)
    assert all(text.count("{head}") == 1 and text.endswith("?") for text in WIKIDATA.values())
    assert len(set(WIKIDATA.values())) == len(WIKIDATA)


def test_triples_without_a_name_are_counted(tmp_path: Path) -> None:
    rows = [
        {"head": f"Ada{n}", "relation": relation, "tail": f"London{n}", "title": "Ada",
         "text": f"Ada{n} was born in London{n}."}
        for n, relation in enumerate(["P19", "P99999", "P19"])
    ]  # fmt: skip
    passages = data(tmp_path, rows, open_qa.load_trex)
    questions, dropped = open_qa.as_questions(passages, np.random.default_rng(0), kind="trex")
    assert [question.text for question in questions] == ["Where was Ada0 born?", "Where was Ada2 born?"]
    assert dropped["relation without a name"] == 1
    check_support(questions)


def qasc(number: int, answer: str, facts: tuple[str, str, str], question: str) -> dict[str, Any]:
    """A row with the columns of the hub's copy."""
    options = ["pearls", "streams", "shells", "diamonds", "rain", answer, "cooled", "liquid"]
    labels = list("ABCDEFGH")
    told = " ".join(f"({label}) {option}" for label, option in zip(labels, options, strict=True))
    return {
        "id": f"row{number}", "question": question, "choices": {"text": options, "label": labels},
        "answerKey": "F", "fact1": facts[0], "fact2": facts[1], "combinedfact": facts[2],
        "formatted_question": f"{question} {told}",
    }  # fmt: skip


QASC_ROWS = [
    # The answer is in the first fact, as it is in the set's first row.
    qasc(0, "beads", ("beads of water are formed by condensing", "Clouds are made of vapor.",
                      "Beads of water can be formed by clouds."), "What is formed by clouds?"),
    # In the second.
    qasc(1, "steam", ("drops are formed by vapor", "An example of vapor is steam.",
                      "Steam forms drops."), "What forms drops?"),
    # In both.
    qasc(2, "moisture", ("moisture spoils food", "Drying removes moisture.",
                         "Food without moisture keeps."), "What spoils food?"),
    # The facts have half of its words, so that the right answer would count as copied.
    qasc(3, "warm air", ("air rises over land", "Hot air is light.",
                         "Warm air rises."), "What rises?"),
]  # fmt: skip
UNKEYED = qasc(4, "lungs", ("", "", ""), "What do mammals breathe with?") | {"answerKey": ""}


def test_hard_contexts_of_qasc_do_not_hold_the_answer(tmp_path: Path) -> None:
    passages = data(tmp_path, [*QASC_ROWS, UNKEYED], open_qa.load_qasc)
    questions, dropped = open_qa.as_questions(passages, np.random.default_rng(0), kind="qasc")
    assert [q.hard for q in questions] == ["Clouds are made of vapor.", "drops are formed by vapor", "", ""]
    assert questions[0].relevant == "Beads of water can be formed by clouds."
    assert "answer in hard context" not in dropped
    check_support(questions)


def test_questions_without_any_irrelevant_passage_are_left_out_and_counted() -> None:
    alone = [open_qa.Passage("a", "A", "Who sang?", ("Ada",), "Ada sang.")]
    questions, dropped = open_qa.as_questions(alone, np.random.default_rng(0), kind="x")
    assert not questions
    assert dropped == {"no irrelevant context": 1}


@pytest.mark.parametrize("seed", range(20))
def test_no_solved_example_is_answered_by_another(facts: list[Fact], seed: int) -> None:
    rng = np.random.default_rng(seed)
    entities = set(rng.permutation(sorted({fact.entity for fact in facts}))[:14])
    questions, _ = fact_questions([fact for fact in facts if fact.entity in entities], rng)
    shots = solved(questions, 4)
    by_id = {question.id: question for question in questions}
    chosen = [by_id[item.id] for item in shots]
    assert len({q.entity for q in chosen}) == len({q.relation for q in chosen}) == 4
    assert [bool(item.context) for item in shots] == [True, False, True, False]
    for place, question in enumerate(chosen):
        told = " ".join(item.context for item in shots[:place])
        assert not mentions_any(told, [question.subject, question.entity, *question.aliases])


def test_a_context_beside_that_holds_the_answer_is_left_out() -> None:
    passages = [
        open_qa.Passage("a", "A", "Who sang?", ("Ada",), "Ada sang.", "Ada danced."),
        open_qa.Passage("b", "B", "Who ran?", ("Bob",), "Bob ran.", "Nobody sat."),
    ]
    questions, dropped = open_qa.as_questions(passages, np.random.default_rng(0), kind="x")
    assert [question.hard for question in questions] == ["", "Nobody sat."]
    assert dropped["answer in hard context"] == 1


def test_fakes_look_like_the_answer() -> None:
    assert open_qa.looks("1969") != open_qa.looks("Paris") != open_qa.looks("paris")
    assert open_qa.looks("New York") != open_qa.looks("Paris")


def test_damaged_rows_are_named(tmp_path: Path) -> None:
    with pytest.raises(ResourceError, match="Row 0"):
        data(tmp_path, [{"id": "a"}], open_qa.load_squad)
