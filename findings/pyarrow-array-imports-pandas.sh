#!/bin/sh
# pyarrow 26.0.1: the first pa.array() of a program imports pandas, if it is installed.
#
# A program that uses NumPy and Arrow, and no pandas, makes an Arrow array of a NumPy array, or of a list.
# Usual expectation: pandas is an optional package of Arrow's, for conversions to and from it; what is handed
# over here is none of it, so that it stays out of the process.
# Seen: importing pyarrow and pyarrow.parquet, and reading a file, leave pandas out. The first pa.array() brings
# it in, whatever it is given: Arrow asks pandas whether the value is a series. Hundreds of modules, which each
# of many short worker processes pays for with its first result. An array built from buffers brings in nothing.
set -eu
work=$(mktemp -d)
trap 'cd /; rm -rf "$work"' EXIT
cd "$work"
"${PYTHON:-python3}" -m venv venv
venv/bin/pip install -qq --disable-pip-version-check "pyarrow==26.0.1" "numpy<3" "pandas<4"
cat > look.py <<'PYTHON'
import sys

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq


def seen(what, make):
    before = len(sys.modules)
    make()
    print(f"{what}: pandas imported: {'pandas' in sys.modules}, new modules: {len(sys.modules) - before}")
    return "pandas" in sys.modules


values = np.arange(3, dtype=np.int64)
plain = pa.Array.from_buffers(pa.int64(), 3, [None, pa.py_buffer(values)])
print("pyarrow", pa.__version__)
found = [
    seen("import", lambda: None),
    seen("array from buffers, written and read", lambda: (
        pq.write_table(pa.Table.from_arrays([plain], names=["x"]), "x.parquet"),
        pq.ParquetFile("x.parquet").read(),
    )),
    seen("pa.array of a NumPy array", lambda: pa.array(values)),
]
sys.exit(found != [False, False, True])
PYTHON
echo "Expected: False, False, False."
venv/bin/python look.py || {
  echo "The behaviour has changed." >&2
  exit 1
}
