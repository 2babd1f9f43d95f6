#!/bin/sh
# absl-py 2.5.1 (which rouge-score 0.1.2 imports) closes a stream that was sys.stderr when it was imported.
#
# A test runner, a notebook or a job's log puts a stream of its own in the place of sys.stderr for a while, and a
# library is imported meanwhile. Later something else configures logging with dictConfig, as command line tools do.
# Usual expectation: handlers of logging never close the stream that they were given, as logging's own
# StreamHandler does not.
# Seen: importing rouge_score makes a handler of absl that is bound to the stream of that moment, though it is on no
# logger; dictConfig closes all handlers that there are, and this one closes its stream, unless it is sys.stderr at
# that moment. What owns the stream then raises "I/O operation on closed file", far from either cause.
set -eu
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
"${PYTHON:-python3}" -m venv venv
venv/bin/pip install -qq --disable-pip-version-check "rouge-score==0.1.2" "absl-py==2.5.1"
cat > check.py <<'END'
import contextlib
import io
import logging
import logging.config
from importlib.metadata import version

print("absl-py", version("absl-py"), "rouge-score", version("rouge-score"))
plain, borrowed = io.StringIO(), io.StringIO()
logging.getLogger("plain").addHandler(logging.StreamHandler(plain))
with contextlib.redirect_stderr(borrowed):
    import rouge_score.rouge_scorer  # noqa: F401
assert not logging.getLogger().handlers
assert not borrowed.closed
logging.config.dictConfig({"version": 1})
print("closed: stream of logging's StreamHandler", plain.closed, "- stream of the import", borrowed.closed)
assert not plain.closed
assert borrowed.closed
print("as described")
END
venv/bin/python check.py
