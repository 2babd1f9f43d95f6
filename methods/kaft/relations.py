"""Questions for the relations of T-REx (Elsahar et al., 2018), which are properties of Wikidata.

Copies of the set name a relation in three ways: by the property's identifier ("P131"), by a pattern
("[Person] was born in [Place]"), or by a name ("place of birth"). An identifier means nothing to a
model, so that it is asked for by what the property's public label says (Wikidata, CC0). The table
has the 41 relations of LAMA (Petroni et al., 2019, arXiv:1909.01066) and others that are frequent.
"""

from __future__ import annotations

import re

WIKIDATA = {
    "P17": "Which country is {head} in?",
    "P19": "Where was {head} born?",
    "P20": "Where did {head} die?",
    "P22": "Who is the father of {head}?",
    "P25": "Who is the mother of {head}?",
    "P26": "Who is married to {head}?",
    "P27": "Which country is {head} a citizen of?",
    "P30": "On which continent is {head}?",
    "P31": "What is {head} an instance of?",
    "P35": "Who is the head of state of {head}?",
    "P36": "What is the capital of {head}?",
    "P37": "What is the official language of {head}?",
    "P39": "Which position does {head} hold?",
    "P40": "Who is a child of {head}?",
    "P47": "What does {head} share a border with?",
    "P50": "Who is the author of {head}?",
    "P53": "Which family does {head} belong to?",
    "P54": "Which sports team is {head} a member of?",
    "P57": "Who directed {head}?",
    "P58": "Who wrote the script of {head}?",
    "P69": "Where was {head} educated?",
    "P86": "Who composed {head}?",
    "P101": "What is the field of work of {head}?",
    "P102": "Which political party is {head} a member of?",
    "P103": "What is the native language of {head}?",
    "P105": "What is the taxonomic rank of {head}?",
    "P106": "What is the occupation of {head}?",
    "P108": "Who is the employer of {head}?",
    "P112": "Who founded {head}?",
    "P118": "Which league does {head} play in?",
    "P123": "Who is the publisher of {head}?",
    "P127": "Who owns {head}?",
    "P131": "Which administrative territory is {head} located in?",
    "P136": "What is the genre of {head}?",
    "P137": "Who operates {head}?",
    "P138": "What is {head} named after?",
    "P140": "What is the religion of {head}?",
    "P150": "Which administrative territory does {head} contain?",
    "P155": "What does {head} follow?",
    "P156": "What is {head} followed by?",
    "P159": "Where are the headquarters of {head}?",
    "P161": "Who is a cast member of {head}?",
    "P162": "Who produced {head}?",
    "P166": "Which award did {head} receive?",
    "P170": "Who is the creator of {head}?",
    "P171": "What is the parent taxon of {head}?",
    "P175": "Who is the performer of {head}?",
    "P176": "Who is the manufacturer of {head}?",
    "P178": "Who is the developer of {head}?",
    "P190": "What is a twin city of {head}?",
    "P206": "Which body of water is {head} next to?",
    "P241": "Which military branch does {head} belong to?",
    "P264": "What is the record label of {head}?",
    "P272": "Which company produced {head}?",
    "P276": "Where is {head} located?",
    "P279": "What is {head} a subclass of?",
    "P361": "What is {head} a part of?",
    "P364": "What is the original language of {head}?",
    "P400": "On which platform does {head} run?",
    "P403": "Into what does {head} flow?",
    "P407": "What is the language of {head}?",
    "P413": "Which position does {head} play?",
    "P449": "Who was the original broadcaster of {head}?",
    "P463": "What is {head} a member of?",
    "P495": "What is the country of origin of {head}?",
    "P527": "What is a part of {head}?",
    "P530": "With which country does {head} have diplomatic relations?",
    "P569": "When was {head} born?",
    "P570": "When did {head} die?",
    "P571": "When did {head} begin?",
    "P577": "When was {head} published?",
    "P607": "In which conflict did {head} take part?",
    "P641": "Which sport is {head} connected with?",
    "P647": "Who drafted {head}?",
    "P706": "On which terrain feature is {head}?",
    "P740": "Where was {head} founded?",
    "P749": "What is the parent organization of {head}?",
    "P937": "Where does {head} work?",
    "P1001": "To which jurisdiction does {head} apply?",
    "P1303": "Which instrument does {head} play?",
    "P1344": "In what did {head} take part?",
    "P1346": "Who is the winner of {head}?",
    "P1376": "What is {head} the capital of?",
    "P1411": "What was {head} nominated for?",
    "P1412": "Which language does {head} speak or write?",
    "P1923": "Which team took part in {head}?",
    "P3373": "Who is a sibling of {head}?",
}
"""Question about the tail of a triple, by property."""

_SLOT = re.compile(r"\[([^\]]+)\]")


def question_for(relation: str, head: str) -> str:
    """The question that asks for the tail of a triple; empty if nothing says what the relation means."""
    if relation in WIKIDATA:
        return WIKIDATA[relation].replace("{head}", head)
    slots = _SLOT.findall(relation)
    if len(slots) == 2:
        given = iter((head, f"which {slots[1].lower()}"))
        text = _SLOT.sub(lambda _: next(given), relation).rstrip(". ")
        return f"{text[:1].upper()}{text[1:]}?"
    name = relation.replace("_", " ").strip()
    if slots or re.fullmatch(r"[PQ]\d+", name) or not re.search(r"[a-z]", name):
        return ""
    return f"What is the {name} of {head}?"
