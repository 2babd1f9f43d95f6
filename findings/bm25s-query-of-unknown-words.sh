#!/bin/sh
# bm25s 0.3.16 answers a query of which no document has a word, and fills every list up to k documents.
#
# A search engine is asked for two documents: by a word that one document has, by words that none has, by
# nothing. Usual expectation: only documents that share a word with the query are found, as by Lucene,
# whose formula this is; so one, none and none.
# Seen: two each time. What shares no word stands there with the score 0, in no order that the query has a
# part in: of few documents those that were indexed last. There is no error and no mark, and the list
# looks like any other once its scores are dropped, as for a reader model or a re-ranker.
set -eu
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
"${PYTHON:-python3}" -m venv venv
venv/bin/pip install -qq --disable-pip-version-check "bm25s==0.3.16" "numpy==2.4.6" "scipy==1.17.1"
cat > check.py <<'END'
from importlib.metadata import version

import bm25s

TEXTS = ["the red cat sleeps", "a blue dog barks", "green birds sing", "old fish swim", "big cows graze"]
engine = bm25s.BM25(method="lucene")
engine.index(bm25s.tokenize(TEXTS, show_progress=False), show_progress=False)


def found(query):
    texts, scores = engine.retrieve(
        bm25s.tokenize([query], show_progress=False), corpus=TEXTS, k=2, show_progress=False
    )
    return list(zip(texts[0].tolist(), [round(float(score), 3) for score in scores[0]], strict=True))


print("bm25s", version("bm25s"))
print("Expected: the one text about a dog, nothing, nothing.")
same = True
for query, sharing in (("dog", 1), ("quagga zebu", 0), ("", 0)):
    answer = found(query)
    print(f"Seen for {query!r}: {answer}")
    same = same and len(answer) == 2 and sum(score > 0 for _, score in answer) == sharing
raise SystemExit(0 if same else "The behaviour has changed.")
END
venv/bin/python check.py 2> log || { tail -n 5 log >&2; exit 1; }
