#!/bin/sh
# pyarrow 26.0.1 on Linux: importing it starts a thread, of an allocator that is not the one in use.
#
# A program imports pyarrow, computes nothing yet, and forks workers.
# Usual expectation: an import starts no threads, and Arrow's pools come with its first work. The default memory
# pool is mimalloc, which has none.
# Seen: after the import the process has two threads. The second belongs to jemalloc, which is loaded beside
# mimalloc and starts a thread that gives memory back. So Python 3.12 and later warn of every os.fork() after it
# that the process is multi-threaded. With JE_ARROW_MALLOC_CONF=background_thread:false in the environment there
# is one thread.
set -eu
[ -d /proc/self/task ] || { echo "Threads can be counted on Linux only." >&2; exit 1; }
work=$(mktemp -d)
trap 'cd /; rm -rf "$work"' EXIT
cd "$work"
"${PYTHON:-python3}" -m venv venv
venv/bin/pip install -qq --disable-pip-version-check "pyarrow==26.0.1"
unset JE_ARROW_MALLOC_CONF

threads() {
  venv/bin/python -c '
import os
import pyarrow as pa
names = sorted(open(f"/proc/self/task/{one}/comm").read().strip() for one in os.listdir("/proc/self/task"))
print(len(names), pa.default_memory_pool().backend_name, *[name for name in names if "python" not in name])'
}

venv/bin/python -c 'import pyarrow; print("pyarrow", pyarrow.__version__)'
echo "Expected: 1 mimalloc"
usual=$(threads)
without=$(JE_ARROW_MALLOC_CONF=background_thread:false threads)
echo "Seen: $usual"
echo "Seen with JE_ARROW_MALLOC_CONF=background_thread:false: $without"
case $usual in "2 mimalloc jemalloc"*) ;; *) echo "The behaviour has changed." >&2; exit 1 ;; esac
[ "$without" = "1 mimalloc" ] || { echo "The behaviour has changed." >&2; exit 1; }
