"""Questions with their contexts, and the checks that keep training and testing apart."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from harness.method import ProblemError
from methods.kaft.substitution import mentions_any, substitute


@dataclass(frozen=True)
class Question:
    """A question with a context of each kind; an empty text means that there is none.

    Attributes:
        id: Unique among the questions of a set.
        entity: What the question is about; training and test sets share none.
        subject: How the question names it; a country's capital belongs to the country.
        relation: The kind of fact, or empty for free-form questions.
        text: The question.
        aliases: All names of the answer, the usual one first.
        relevant: A context that entails the answer.
        fake: The counterfactual answer.
        counterfactual: A context that entails the fake.
        hard: An irrelevant context on the same topic, with a plausible wrong answer.
        easy: A context of another question.
        distractor: The plausible wrong answer in ``hard``, where it is known.
        first: Id of the same question with its first contexts; empty if these are they.
    """

    id: str
    entity: str
    subject: str
    relation: str
    text: str
    aliases: tuple[str, ...]
    relevant: str = ""
    fake: str = ""
    counterfactual: str = ""
    hard: str = ""
    easy: str = ""
    distractor: str = ""
    first: str = ""

    @property
    def answer(self) -> str:
        """The usual name of the answer."""
        return self.aliases[0]

    @property
    def unit(self) -> str:
        """The question by which its contexts are grouped: they are no independent questions."""
        return self.first or self.id


@dataclass(frozen=True)
class Relation:
    """A kind of fact.

    Attributes:
        statements: Sentences with ``{subject}`` and ``{answer}``.
        question: A question with ``{subject}``.
        answers: All answers that this kind of fact can have.
    """

    statements: tuple[str, ...]
    question: str
    answers: tuple[str, ...]


def with_counterfactual(question: Question, fake: str) -> tuple[Question, str]:
    """The question with its counterfactual context.

    Returns:
        The question, and why it has no counterfactual context (empty if it has one).
    """
    from dataclasses import replace

    text, reason = substitute(question.relevant, question.aliases, fake)
    if reason:
        return question, reason
    return replace(question, fake=fake, counterfactual=text), ""


def check_support(questions: Iterable[Question]) -> None:
    """Make sure that contexts entail what they should (property 4 in card, section 3.6).

    Raises:
        ProblemError: If an answer is missing from its relevant context, a fake from its
            counterfactual one, or an answer occurs where it must not.
    """
    for question in questions:
        wrong = _unsupported(question)
        if wrong:
            raise ProblemError(
                wrong, where=f"question {question.id}", fix="Leave the question out, or repair its contexts."
            )


def _unsupported(question: Question) -> str:
    if question.relevant and not mentions_any(question.relevant, question.aliases):
        return f"The answer '{question.answer}' is missing from its relevant context"
    if question.counterfactual and not mentions_any(question.counterfactual, [question.fake]):
        return f"The counterfactual answer '{question.fake}' is missing from its context"
    for kind in ("counterfactual", "hard", "easy"):
        context = getattr(question, kind)
        if context and mentions_any(context, question.aliases):
            return f"The answer '{question.answer}' occurs in the {kind} context, which must not hold it"
    return ""


def check_disjoint(sets: Mapping[str, Sequence[Question]]) -> None:
    """Make sure that no two sets share an entity or a question, and that ids are unique.

    Raises:
        ProblemError: Otherwise, with the entities and questions that are shared.
    """
    for name, questions in sets.items():
        again = [key for key, times in Counter(q.id for q in questions).items() if times > 1]
        if again:
            raise ProblemError(f"Question ids occur twice: {_some(again)}", where=f"{name} set")
    names = list(sets)
    for index, left in enumerate(names):
        for right in names[index + 1 :]:
            shared = {q.entity for q in sets[left]} & {q.entity for q in sets[right]}
            shared |= {q.text for q in sets[left]} & {q.text for q in sets[right]}
            if shared:
                raise ProblemError(
                    f"The {left} and {right} sets share entities or questions: {_some(sorted(shared))}",
                    where=f"{left} and {right} sets",
                    fix="Split by entity, so that nothing asked in the test was trained on.",
                )


def _some(names: Sequence[str]) -> str:
    return ", ".join(names[:5]) + (f" and {len(names) - 5} more" if len(names) > 5 else "")
