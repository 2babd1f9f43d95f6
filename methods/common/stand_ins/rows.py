"""Made-up rows of public data sets, with the columns and the types that the sets themselves have.

A data set is stored as fetching it from the hub stores it: ``<split>.jsonl.gz``. What reads it is
the real reader; only the sentences are invented.
"""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Any

Row = dict[str, Any]
_ROWS = {"train": 48, "validation": 40, "test": 40}

PEOPLE = ("Ada Brown", "Ben Clark", "Cora Diaz", "Dan Evans", "Eva Fox", "Finn Gray", "Gus Hale", "Ida Jones")
CITIES = ("Aldon", "Brevik", "Carsten", "Dorham", "Elmstad", "Farrow", "Gatton", "Holm", "Ivory", "Jansen")
THINGS = ("book", "bridge", "river", "engine", "garden", "violin", "castle", "lamp", "table", "clock")
VERBS = ("built", "found", "painted", "sold", "visited", "described", "repaired", "studied")
ADJECTIVES = ("old", "red", "small", "quiet", "famous", "heavy", "new", "tall")
FRENCH = ("le garçon lit un livre", "la forêt est déjà calme", "un vieux pont près de la rivière")
GERMAN = ("das große Haus am Fluß", "ein alter Turm über der Stadt", "die Kinder lesen ein Buch")
ROMANIAN = ("orașul este foarte vechi", "copiii citesc o carte în țară", "un pod peste râu")


def seeded(name: str) -> Random:
    """A generator of a name's own, the same each time."""
    return Random(name)  # noqa: S311 - made-up sentences are no secret


def fact(rng: Random) -> tuple[str, str, str, str]:
    """A person, what was done, to which thing, and in which city."""
    return rng.choice(PEOPLE), rng.choice(VERBS), rng.choice(THINGS), rng.choice(CITIES)


def sentence(rng: Random) -> str:
    """One made-up sentence."""
    who, did, what, where = fact(rng)
    return f"{who} {did} the {rng.choice(ADJECTIVES)} {what} in {where} in {rng.randint(1900, 2020)}."


def paragraph(rng: Random, sentences: int = 5) -> str:
    """Several sentences."""
    return " ".join(sentence(rng) for _ in range(sentences))


def scenery(rng: Random, sentences: int) -> str:
    """Several sentences that name nobody."""
    return " ".join(
        f"The {rng.choice(ADJECTIVES)} {rng.choice(THINGS)} of {rng.choice(CITIES)} has {rng.randint(2, 90)}."
        for _ in range(sentences)
    )


@dataclass(frozen=True)
class Rows:
    """A data set of one schema.

    Attributes:
        schema: Name of a function of :data:`SCHEMAS`.
        splits: Rows of each split.
    """

    schema: str
    splits: Mapping[str, int] = field(default_factory=lambda: _ROWS)

    def make(self, folder: Path) -> None:
        """Write a file for each split."""
        for split, count in self.splits.items():
            rng = seeded(f"{self.schema} {split}")
            rows = [SCHEMAS[self.schema](number, rng, split) for number in range(count)]
            write_rows(folder / f"{split}.jsonl.gz", rows)


def write_rows(path: Path, rows: list[Row]) -> None:
    """JSON lines, compressed."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with gzip.open(path, "wt", encoding="utf-8") as out:
        out.writelines(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)


def _options(rng: Random, count: int = 4) -> tuple[Row, str]:
    """Options under letters, and the letter of the right one."""
    letters = list("ABCDEFGH"[:count])
    found = rng.sample(CITIES, count)
    return {"text": found, "label": letters}, rng.choice(letters)


def _arc(number: int, rng: Random, split: str) -> Row:
    choices, key = _options(rng)
    _, did, what, _ = fact(rng)
    # A number of ARC's rows letter their options by digits.
    if number % 9 == 0:
        key = str(choices["label"].index(key) + 1)
        choices["label"] = ["1", "2", "3", "4"]
    question = f"In which city was the {what} {did}, as row {number} asks?"
    return {"id": f"ARC_{number}", "question": question, "choices": choices, "answerKey": key}


def _openbookqa(number: int, rng: Random, split: str) -> Row:
    choices, key = _options(rng)
    stem = f"The {rng.choice(THINGS)} of row {number} stands in"
    return {"id": f"7-{number}", "question_stem": stem, "choices": choices, "answerKey": key}


def _hellaswag(number: int, rng: Random, split: str) -> Row:
    context = f"{sentence(rng)} Then {rng.choice(PEOPLE)}"
    return {
        "ind": number,
        "activity_label": "Building",
        "ctx_a": context,
        "ctx_b": "",
        "ctx": context,
        "endings": [f"{rng.choice(VERBS)} the {thing}." for thing in rng.sample(THINGS, 4)],
        "source_id": f"activitynet~v_{number}",
        "split": split,
        "split_type": "indomain",
        "label": "" if split == "test" else str(rng.randrange(4)),
    }


def _boolq(number: int, rng: Random, split: str) -> Row:
    who, did, what, _ = fact(rng)
    question = f"did {who.lower()} the {number}th have {did} a {what}"
    return {"question": question, "answer": rng.random() < 0.6, "passage": paragraph(rng)}


def _gsm8k(number: int, rng: Random, split: str) -> Row:
    left, right = rng.randint(2, 900), rng.randint(2, 2000)
    answer = left * right if number % 5 == 0 else left + right
    question = f"{rng.choice(PEOPLE)} has {left} books and buys {right} more. How many are there?"
    return {"question": question, "answer": f"There are <<{left}+{right}={answer}>>so many.\n#### {answer:,}"}


def _mawps(number: int, rng: Random, split: str) -> Row:
    left, right = rng.randint(2, 40), rng.randint(2, 30)
    answer = left / right if number % 7 == 0 else float(left + right)
    question = f"{rng.choice(PEOPLE)} had {left} books , and got {right} more . How many in row {number} ?"
    return {"id": str(number), "question": question, "equation": f"X=({left}+{right})", "answer": answer}


def _multi30k(number: int, rng: Random, split: str) -> Row:
    return {"en": f"{sentence(rng)} {number}", "fr": f"{rng.choice(FRENCH)} à {rng.choice(CITIES)} {number}."}


def _wmt(language: str, texts: tuple[str, ...]) -> Callable[[int, Random, str], Row]:
    def row(number: int, rng: Random, split: str) -> Row:
        other = f"{rng.choice(texts)} {rng.choice(CITIES)} {number}."
        return {"translation": {language: other, "en": f"{sentence(rng)} {number}"}}

    return row


def _sick(number: int, rng: Random, split: str) -> Row:
    return {
        "id": str(number + 1),
        "sentence_A": sentence(rng),
        "sentence_B": sentence(rng),
        "relatedness_score": rng.randint(10, 50) / 10,
        "entailment_judgment": ("NEUTRAL", "ENTAILMENT", "CONTRADICTION")[number % 3],
    }


def _nq_open(number: int, rng: Random, split: str) -> Row:
    who, did, what, where = fact(rng)
    question = f"who {did} the {rng.choice(ADJECTIVES)} {what} of {where} in row {number}"
    return {"question": question, "answer": [who, who.split()[-1]][: 1 + number % 2]}


def _triviaqa(number: int, rng: Random, split: str) -> Row:
    """Without documents in ``rc.nocontext``; with Wikipedia's in ``rc.wikipedia``.

    Two people are all answers, so that a stand-in can know some.
    """
    _, did, what, where = fact(rng)
    who = PEOPLE[number % 2]
    stated = f"It was {who} who {did} the {what} of {where}."
    hidden = f"{scenery(rng, 25)} {stated} {scenery(rng, 8)}"
    lists = ("doc_source", "filename", "title", "wiki_context")
    pages = dict(zip(lists, (["TagMe"], [f"{number}.txt"], [f"{where} {what}"], [hidden]), strict=True))
    searched = ("description", "filename", "rank", "title", "url", "search_context")
    return {
        "question": f"Who {did} the {what} of {where} in row {number}?",
        "question_id": f"tc_{number}",
        "question_source": "http://www.triviacountry.com/",
        "entity_pages": pages,
        "search_results": {name: [] for name in searched},
        "answer": {
            "aliases": [who, who.split()[-1]],
            "normalized_aliases": [who.lower(), who.split()[-1].lower()],
            "matched_wiki_entity_name": "",
            "normalized_matched_wiki_entity_name": "",
            "normalized_value": who.lower(),
            "type": "WikipediaEntity",
            "value": who,
        },
    }


def _web_questions(number: int, rng: Random, split: str) -> Row:
    who, _, what, where = fact(rng)
    question = f"where did {who.lower()} find the {what} of row {number}?"
    return {"url": f"http://www.freebase.com/view/en/{number}", "question": question, "answers": [where]}


def _xsum(number: int, rng: Random, split: str) -> Row:
    return {"document": paragraph(rng, 10), "summary": sentence(rng), "id": str(10_000 + number)}


def _wikilingua(number: int, rng: Random, split: str) -> Row:
    summary = sentence(rng)
    return {
        "gem_id": f"wikilingua_multilingual-{split}-{number}",
        "gem_parent_id": f"wikilingua_multilingual-{split}-{number}",
        "source_language": "en",
        "target_language": "en",
        "source": paragraph(rng, 10),
        "target": summary,
        "references": [summary],
    }


def _rte(number: int, rng: Random, split: str) -> Row:
    label = -1 if split == "test" else number % 2
    return {"sentence1": paragraph(rng, 2), "sentence2": sentence(rng), "label": label, "idx": number}


def _cb(number: int, rng: Random, split: str) -> Row:
    label = -1 if split == "test" else number % 3
    return {"premise": paragraph(rng, 2), "hypothesis": sentence(rng), "idx": number, "label": label}


def _wic(number: int, rng: Random, split: str) -> Row:
    word = rng.choice(THINGS)
    first, second = (f"{rng.choice(PEOPLE)} saw the {word} in {rng.choice(CITIES)}." for _ in range(2))
    places = {"start1": first.index(word), "start2": second.index(word)}
    ends = {"end1": first.index(word) + len(word), "end2": second.index(word) + len(word)}
    label = -1 if split == "test" else number % 2
    texts = {"word": word, "sentence1": first, "sentence2": second}
    return texts | places | ends | {"idx": number, "label": label}


def _squad(number: int, rng: Random, split: str) -> Row:
    who, did, what, where = fact(rng)
    stated = f"It was {who} who {did} the {what} of {where}."
    before = paragraph(rng, 3)
    context = f"{before} {stated} {sentence(rng)}"
    answerable = number % 3 > 0
    start = len(before) + 1 + stated.index(who)
    answers = {"text": [who] * answerable, "answer_start": [start] * answerable}
    return {
        "id": f"{split}{number:024x}",
        "title": f"{where}_{number % 12}",
        "context": context,
        "question": f"Who {did} the {what} of {where}?  ",
        "answers": answers,
    }


def _trex(number: int, rng: Random, split: str) -> Row:
    who, _, what, where = fact(rng)
    relation = rng.choice(("P131", "P19", "P36"))
    text = f"The {what} of {who} stands in {where}. {sentence(rng)}"
    return {"relation": relation, "head": f"{what} of {who}", "tail": where, "title": where, "text": text}


def _qasc(number: int, rng: Random, split: str) -> Row:
    choices, key = _options(rng, 8)
    answer = choices["text"][choices["label"].index(key)]
    _, did, what, _ = fact(rng)
    # As in the first row of the set itself, the first fact may name the answer.
    first = f"a {what} is {did} in {answer if number % 3 == 0 else 'a city'}"
    return {
        "id": f"3{number:05}",
        "question": f"Where is the {what} of row {number} {did}?",
        "choices": choices,
        "answerKey": "" if split == "test" else key,
        "fact1": "" if split == "test" else first,
        "fact2": "" if split == "test" else f"cities are like {answer}",
        "combinedfact": "" if split == "test" else f"A {what} may be {did} in {answer}.",
        "formatted_question": f"Where is the {what} of row {number} {did}? (A) {choices['text'][0]}",
    }


def _sts(number: int, rng: Random, split: str) -> Row:
    sentences = {"sentence1": sentence(rng), "sentence2": sentence(rng)}
    more = {"split": split, "genre": "main-news", "dataset": "MSRpar", "year": "2012test", "sid": str(number)}
    return more | sentences | {"score": rng.randint(0, 50) / 10}


def _amazon(number: int, rng: Random, split: str) -> Row:
    label = number % 5
    return {"id": f"en_{number:07}", "text": paragraph(rng, 4), "label": label, "label_text": str(label)}


def _instructions(number: int, rng: Random, split: str) -> Row:
    return {
        "task_name": f"task{number % 4:03}_made_up",
        "id": f"task{number % 4:03}-{number:032x}",
        "definition": "Name the city that the sentence is about.",
        "inputs": sentence(rng),
        "targets": rng.choice(CITIES) if number % 4 else f"[{rng.choice(CITIES)}]",
    }


def _hotpotqa(number: int, rng: Random, split: str) -> Row:
    who, did, what, where = fact(rng)
    titles = [where, who]
    return {
        "id": f"5a{number:022x}",
        "question": f"In which city did the person who {did} the {what} of row {number} live?",
        "answer": where,
        "type": "bridge",
        "level": "medium",
        "supporting_facts": {"title": titles, "sent_id": [0, 0]},
        "context": {"title": titles, "sentences": [[sentence(rng)], [sentence(rng)]]},
    }


def _bamboogle(number: int, rng: Random, split: str) -> Row:
    _, did, what, where = fact(rng)
    question = f"Who led the city in which the {what} of row {number} was {did}?"
    return {"Question": question, "Answer": where}


def _corpus(number: int, rng: Random, split: str) -> Row:
    return {"_id": str(number), "title": f"{rng.choice(CITIES)} {number}", "text": paragraph(rng, 4)}


def _trecqa(number: int, rng: Random, split: str) -> Row:
    group = number // 8
    found = {"question": f"Who built the bridge of row {group} ?", "label": int(number % 8 < 2)}
    return found | {"sentence": sentence(rng)}


SCHEMAS: Mapping[str, Callable[[int, Random, str], Row]] = {
    "amazon_reviews": _amazon,
    "arc": _arc,
    "bamboogle": _bamboogle,
    "boolq": _boolq,
    "cb": _cb,
    "corpus": _corpus,
    "gsm8k": _gsm8k,
    "hellaswag": _hellaswag,
    "hotpotqa": _hotpotqa,
    "instructions": _instructions,
    "mawps": _mawps,
    "multi30k": _multi30k,
    "nq_open": _nq_open,
    "openbookqa": _openbookqa,
    "qasc": _qasc,
    "rte": _rte,
    "sick": _sick,
    "squad": _squad,
    "sts": _sts,
    "trecqa": _trecqa,
    "trex": _trex,
    "triviaqa": _triviaqa,
    "web_questions": _web_questions,
    "wic": _wic,
    "wikilingua": _wikilingua,
    "wmt_de": _wmt("de", GERMAN),
    "wmt_fr": _wmt("fr", FRENCH),
    "wmt_ro": _wmt("ro", ROMANIAN),
    "xsum": _xsum,
}
