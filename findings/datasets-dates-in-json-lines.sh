#!/bin/sh
# datasets 5.2.0 turns texts that look like dates into time stamps, by file, and drops what does not fit.
#
# Questions and answers are stored as JSON lines, whose answers are texts: "1969-07-20". The training
# file's answers are all dates; one answer of the test file is "unknown".
# Usual expectation: JSON has no dates, so that a text is a text, alike in both files; and what is
# read can be written as it was.
# Seen: the training answers are datetime objects ("1969-07-20 00:00:00" as text), the test answers are
# texts, so that no prediction matches a gold of the other kind, and joining the two is refused. Of times
# with an offset the offset is lost: "12:00:00+02:00" and "10:00:00Z" become one time without a zone.
# The same rows in a list (Dataset.from_list), or in a CSV file, keep their texts.
set -eu
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
export HF_HOME="$work/cache" HF_HUB_OFFLINE=1
"${PYTHON:-python3}" -m venv venv
venv/bin/pip install -qq --disable-pip-version-check "datasets==5.2.0" "pyarrow==26.0.1" "pandas==3.1.1"
cat > check.py <<'END'
import csv
import json
from importlib.metadata import version
from pathlib import Path

import datasets

datasets.disable_progress_bars()
FILES = {
    "train": ["1969-07-20", "1969-07-24"],
    "test": ["1961-04-12", "unknown"],
    "times": ["2024-02-29T12:00:00+02:00", "2024-02-29T10:00:00Z"],
}


def read(kind, name):
    return datasets.load_dataset(kind, data_files=f"{name}.{kind}", split="train")


read_as = {}
print("datasets", version("datasets"), "pyarrow", version("pyarrow"))
print("Expected: the texts that were stored, in every file.")
for name, answers in FILES.items():
    rows = [{"answer": answer} for answer in answers]
    Path(f"{name}.json").write_text("".join(json.dumps(row) + "\n" for row in rows))
    with open(f"{name}.csv", "w", newline="") as out:
        csv.writer(out).writerows([["answer"], *([answer] for answer in answers)])
    read_as[name] = read("json", name)
    assert datasets.Dataset.from_list(rows)["answer"][:] == read("csv", name)["answer"][:] == answers
    print(f"Seen of {answers}: {read_as[name].features['answer']}, {[str(a) for a in read_as[name]['answer']]}")
try:
    joined = str(datasets.concatenate_datasets([read_as["train"], read_as["test"]])["answer"][:])
except Exception as error:
    joined = type(error).__name__
print("Seen of training and test file together:", joined)
seen = {name: [str(answer) for answer in table["answer"]] for name, table in read_as.items()}
same = (
    seen["train"] == ["1969-07-20 00:00:00", "1969-07-24 00:00:00"]
    and seen["test"] == FILES["test"]
    and seen["times"] == ["2024-02-29 10:00:00"] * 2
    and joined == "ValueError"
)
raise SystemExit(0 if same else "The behaviour has changed.")
END
venv/bin/python check.py 2> log || { tail -n 5 log >&2; exit 1; }
