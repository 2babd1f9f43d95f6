#!/bin/sh
# Ray 2.60.0: a streaming task cannot say `yield from` of a list.
#
# A remote generator reports what it has collected so far, as progress that came in a list. Usual
# expectation: `yield from items` gives the items of any iterable, as it does wherever a generator is
# iterated over.
# Seen: the first item arrives, then the task fails with "'list_iterator' object has no attribute 'send'".
# Ray advances the generator by send() with a value instead of next(), and `yield from` hands that value to
# the inner iterator, which only generators take. The same task with a loop that yields each item works; so
# does `yield from` a generator. A list of one item is enough, and an empty one hides it.
set -eu
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
"${PYTHON:-python3}" -m venv venv
venv/bin/pip install -qq --disable-pip-version-check "ray==2.60.0"
cat > check.py <<'END'
import ray

ITEMS = ["a", "b"]


@ray.remote(max_retries=0, num_returns="streaming")
def with_from(items):
    yield from items


@ray.remote(max_retries=0, num_returns="streaming")
def with_loop(items):
    for item in items:
        yield item


def received(task, items):
    found = []
    try:
        for reference in task.remote(items):
            found.append(ray.get(reference))
    except ray.exceptions.RayTaskError as error:
        return found, str(error.cause)
    return found, ""


ray.init(address="local", num_cpus=1, include_dashboard=False, log_to_driver=False, logging_level="error")
print("ray", ray.__version__)
print("Expected: both give", ITEMS)
seen = {
    "yield from, empty": received(with_from, []),
    "yield from": received(with_from, ITEMS),
    "loop": received(with_loop, ITEMS),
}
for name, answer in seen.items():
    print(f"Seen with {name}: {answer}")
ray.shutdown()
found, error = seen["yield from"]
same = (
    found == ["a"]
    and "list_iterator" in error
    and "send" in error
    and seen["loop"] == (ITEMS, "")
    and seen["yield from, empty"] == ([], "")
)
raise SystemExit(0 if same else "The behaviour has changed.")
END
RAY_USAGE_STATS_ENABLED=0 RAY_AUTH_MODE=disabled venv/bin/python check.py 2> log || { tail -n 5 log >&2; exit 1; }
