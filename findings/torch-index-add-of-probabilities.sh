#!/bin/sh
# torch 2.13.0 on a CPU adds float32 numbers one by one in index_add, scatter_add and bincount.
#
# Sums of probabilities over groups of tokens (the mass of a group, an expected count) are written with one of
# the three. All numbers here belong to one group, so that each of them is the plain sum.
# Usual expectation: as near to the exact total as sum(), a few units in the last place: for numbers of one sign
# its error hardly grows with their count, since it adds in blocks.
# Seen: the total of a softmax over 2^20 entries is off by about one in a thousand by all three (bincount's
# result is float32, too), and by less than one in a million by sum() and by the last entry of cumsum().
set -eu
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
"${PYTHON:-python3}" -m venv venv
venv/bin/pip install -qq --disable-pip-version-check "torch==2.13.0" "numpy==2.4.6"
cat > check.py <<'END'
import torch

print("torch", torch.__version__)
generator = torch.Generator().manual_seed(0)
found = {}
for power in (14, 18, 20):
    p = torch.softmax(2 * torch.randn(2**power, generator=generator), dim=0)
    group = torch.zeros(2**power, dtype=torch.long)
    totals = {
        "index_add": torch.zeros(1).index_add(0, group, p)[0],
        "scatter_add": torch.zeros(1).scatter_add(0, group, p)[0],
        "bincount": torch.bincount(group, weights=p)[0],
        "sum": p.sum(),
        "cumsum": p.cumsum(0)[-1],
    }
    exact = p.double().sum()
    errors = {name: float((total.double() - exact).abs() / exact) for name, total in totals.items()}
    print(f"2^{power}:", ", ".join(f"{name} {error:.1e}" for name, error in errors.items()))
    found[power] = errors
    assert totals["bincount"].dtype == torch.float32
for name in ("index_add", "scatter_add", "bincount"):
    assert found[20][name] > 1e-4, (name, found[20][name])
for name in ("sum", "cumsum"):
    assert found[20][name] < 1e-6, (name, found[20][name])
print("as described")
END
venv/bin/python check.py
