#!/bin/sh
# ir-measures 0.4.3 breaks ties in opposite orders for RR and RR@k, so that the two disagree on one run.
#
# A query has three documents a, b, c with equal scores; one of them is relevant. Each measure that is cut
# at rank 3 or below cuts nothing off.
# Usual expectation: RR and RR@3 are one number, as AP and AP@3 are, and P@1 = 1 exactly if RR@3 = 1.
# Seen: RR, AP, nDCG and P@1 rank equal scores by falling id (c, b, a), RR@k ranks them by rising id
# (a, b, c). With a relevant, RR is 1/3 and RR@3 is 1; with c relevant, RR is 1 and RR@3 is 1/3. P@1 is 0
# where RR@3 says that the first document is relevant.
# So rankers with ties (BM25 of short queries, rounded or binary scores) get an MRR@10 that is not their
# MRR, and either depends on how documents are named.
set -eu
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
"${PYTHON:-python3}" -m venv venv
venv/bin/pip install -qq --disable-pip-version-check "ir-measures==0.4.3" "pytrec-eval-terrier==0.5.11"
cat > check.py <<'END'
from importlib.metadata import version

import ir_measures
from ir_measures import AP, RR, P, nDCG

MEASURES = [RR, RR @ 3, P @ 1, AP, AP @ 3, nDCG, nDCG @ 3]
TIED, APART = {"a": 1.0, "b": 1.0, "c": 1.0}, {"a": 3.0, "b": 2.0, "c": 1.0}


def measured(relevant, run):
    found = ir_measures.calc_aggregate(MEASURES, {"q": {relevant: 1}}, {"q": run})
    return {str(measure): round(found[measure], 3) for measure in MEASURES}


print("ir-measures", version("ir-measures"), "pytrec-eval-terrier", version("pytrec-eval-terrier"))
print("Expected: RR equals RR@3, since there are three documents; P@1 is 1 exactly where RR@3 is.")
same = True
for relevant, wanted in (("a", (0.333, 1.0, 0.0)), ("b", (0.5, 0.5, 0.0)), ("c", (1.0, 0.333, 1.0))):
    tied, apart = measured(relevant, TIED), measured(relevant, APART)
    print(f"Seen with {relevant} relevant and equal scores: {tied}")
    same = same and (tied["RR"], tied["RR@3"], tied["P@1"]) == wanted
    same = same and tied["AP"] == tied["AP@3"] == tied["RR"] and tied["nDCG"] == tied["nDCG@3"]
    same = same and apart["RR"] == apart["RR@3"]
raise SystemExit(0 if same else "The behaviour has changed.")
END
venv/bin/python check.py 2> log || { tail -n 5 log >&2; exit 1; }
