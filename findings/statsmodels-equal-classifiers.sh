#!/bin/sh
# statsmodels 0.15.0 finds that two classifiers which err on the same items differ, with p = 0.
#
# mcnemar compares two classifiers by the items on which one is right and the other is wrong; here there are
# none. Its chi-squared form (exact=False, the approximation for large samples) is asked with
# and without the correction, and the p-values of several such comparisons go on to multipletests, by Holm.
# Usual expectation: no difference, p = 1, as the exact form says; or an error. Of a p-value that is no
# number, that it is not rejected and that the others are corrected as they are.
# Seen: with the correction the statistic is (|0 - 0| - 1)^2 / 0 = inf, and p = 0. Without it both are
# NaN, and Holm's method rejects the NaN wherever it rejects all others, and where it stands alone. The
# method of Benjamini and Hochberg does not reject it, and turns all other corrected p-values into NaN.
set -eu
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
"${PYTHON:-python3}" -m venv venv
venv/bin/pip install -qq --disable-pip-version-check \
    "statsmodels==0.15.0" "numpy==2.4.6" "scipy==1.17.1" "pandas==3.1.1"
cat > check.py <<'END'
import math
from importlib.metadata import version

from statsmodels.stats.contingency_tables import mcnemar
from statsmodels.stats.multitest import multipletests

EQUAL = [[90, 0], [0, 10]]  # Both right on 90 items, both wrong on 10.
OTHER = mcnemar([[70, 25], [2, 3]], exact=True).pvalue


def compared(**how):
    found = mcnemar(EQUAL, **how)
    return float(found.statistic), float(found.pvalue)


def corrected(p_values, method):
    reject, p, _, _ = multipletests(p_values, method=method)
    return reject.tolist(), [round(float(one), 6) for one in p]


exact = compared(exact=True)
with_correction = compared(exact=False, correction=True)
without = compared(exact=False, correction=False)
print("statsmodels", version("statsmodels"))
print("Expected of two classifiers that err on the same items: p = 1, and nothing rejected.")
print(f"Seen: exact form {exact}; chi-squared with correction {with_correction}, without {without}")
same = exact[1] == 1.0 and with_correction == (math.inf, 0.0) and all(map(math.isnan, without))
for others, method, rejected, lost in (
    ([], "holm", [True], 0),
    ([OTHER], "holm", [True, True], 0),
    ([0.5], "holm", [False, False], 0),
    ([OTHER], "fdr_bh", [False, True], 1),
):
    reject, p = corrected([without[1], *others], method)
    print(f"Seen, {method} over NaN and {[round(float(one), 6) for one in others]}: rejected {reject}, p {p}")
    same = same and reject == rejected and math.isnan(p[0]) and sum(map(math.isnan, p[1:])) == lost
raise SystemExit(0 if same else "The behaviour has changed.")
END
venv/bin/python check.py 2> log || { tail -n 5 log >&2; exit 1; }
