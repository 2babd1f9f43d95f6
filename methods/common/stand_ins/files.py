"""Made-up data sets whose files have forms of their own."""

from __future__ import annotations

import csv
import io
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from methods.common.ratings import FILES
from methods.common.stand_ins.rows import CITIES, Row, fact, paragraph, seeded, sentence, write_rows

if TYPE_CHECKING:
    from random import Random


@dataclass(frozen=True)
class RatedTexts:
    """The four sets of texts with the ratings of many people each.

    Attributes:
        texts: Texts of a set.
        raters: Ratings of a text, at least.
    """

    texts: int = 240
    raters: int = 20

    def make(self, folder: Path) -> None:
        """Write two tab-separated files for each set."""
        for name, stem in FILES.items():
            rng = seeded(stem)
            truth, rated = [], []
            for number in range(self.texts):
                tone = rng.randint(-3, 3)
                count = self.raters + rng.randint(0, 3)
                values = [max(-4, min(4, tone + rng.randint(-1, 1))) for _ in range(count)]
                mean = sum(values) / count
                key, text = f"{name}_{number}", f"{sentence(rng)} {sentence(rng)}"
                truth.append(f"{key}\t{mean}\t{text}")
                rated.append(f"{key}\t{mean}\t0.5\t{values}")
            (folder / f"{stem}_GroundTruth.txt").write_text("\n".join(truth) + "\n", encoding="utf-8")
            (folder / f"{stem}_anonDataRatings.txt").write_text("\n".join(rated) + "\n", encoding="utf-8")


@dataclass(frozen=True)
class Collection:
    """Documents, queries and judgments, as ``ir_datasets`` exports them here.

    Attributes:
        given: Whether a first stage comes with it.
        documents: How many there are.
        queries: How many there are; the last of them has no relevant document.
    """

    given: bool = False
    documents: int = 60
    queries: int = 12

    def make(self, folder: Path) -> None:
        """Write three or four tables."""
        rng = seeded(folder.name)
        documents: list[Row] = [
            {"id": f"d{n}", "title": CITIES[n % 10] if n % 3 else "", "text": paragraph(rng, 3)}
            for n in range(self.documents)
        ]
        documents[1]["text"], documents[1]["title"] = "", ""
        queries, judgments, candidates = list[Row](), list[Row](), list[Row]()
        for number in range(self.queries):
            query = f"q{number}"
            who, did, what, where = fact(rng)
            queries.append({"id": query, "text": f"which {what} did {who} {did} in {where}"})
            found = rng.sample(range(self.documents), 12)
            for place, document in enumerate(found):
                grade = 0 if number == self.queries - 1 or place > 2 else rng.choice((1, 2, 3))
                judged: Row = {"query_id": query, "doc_id": f"d{document}", "relevance": grade}
                if place < 6:
                    judgments.append(judged)
                candidates.append({"query_id": query, "doc_id": f"d{document}", "score": 20.0 - place})
        tables = {"documents": documents, "queries": queries, "qrels": judgments}
        if self.given:
            tables["candidates"] = candidates
        for name, rows in tables.items():
            write_rows(folder / f"{name}.jsonl.gz", rows)


@dataclass(frozen=True)
class Images:
    """ImageNet as the hub stores it: Parquet files of encoded images with labels.

    Attributes:
        rows: Images of a file; there are two for training and one for validation.
    """

    rows: int = 90

    def make(self, folder: Path) -> None:
        """Write JPEG files of several sizes, in colour and in grey."""
        import pyarrow as pa
        import pyarrow.parquet as pq

        (folder / "data").mkdir()
        image = pa.struct([("bytes", pa.binary()), ("path", pa.string())])
        schema = pa.schema([("image", image), ("label", pa.int64())])
        for name in ("train-00000-of-00002", "train-00001-of-00002", "validation-00000-of-00001"):
            rng = seeded(name)
            rows = [
                {"image": {"bytes": _jpeg(rng), "path": f"n{n}.JPEG"}, "label": rng.randrange(1000)}
                for n in range(self.rows)
            ]
            pq.write_table(pa.Table.from_pylist(rows, schema), folder / "data" / f"{name}.parquet")


def _jpeg(rng: Random) -> bytes:
    from PIL import Image

    mode = rng.choice(("RGB", "RGB", "L"))
    width, height = rng.randint(20, 60), rng.randint(20, 60)
    picture = Image.frombytes(mode, (width, height), rng.randbytes(width * height * len(mode)))
    content = io.BytesIO()
    picture.save(content, "JPEG")
    return content.getvalue()


@dataclass(frozen=True)
class WebTexts:
    """C4 as the hub stores it: compressed JSON lines with text, time and address."""

    texts: int = 60

    def make(self, folder: Path) -> None:
        """Write two files for training and one for validation."""
        names = ["c4-train.00000-of-01024", "c4-train.00001-of-01024", "c4-validation.00000-of-00008"]
        for name in names:
            rng = seeded(name)
            rows = [
                {
                    "text": "\n".join(paragraph(rng, 6) for _ in range(3)),
                    "timestamp": "2019-04-25T12:57:54Z",
                    "url": f"https://example.org/{n}",
                }
                for n in range(self.texts)
            ]
            write_rows(folder / "en" / f"{name}.json.gz", rows)


@dataclass(frozen=True)
class QuestionTable:
    """BamTwoogle as its authors publish it: one table with questions and answers."""

    rows: int = 12

    def make(self, folder: Path) -> None:
        """Write one CSV file."""
        rng = seeded("bamtwoogle")
        with (folder / "bamtwoogle.csv").open("w", encoding="utf-8", newline="") as out:
            table = csv.writer(out)
            table.writerow(["Question", "Answer"])
            for number in range(self.rows):
                table.writerow([f"Where, in row {number}, was the {fact(rng)[2]} built?", rng.choice(CITIES)])
