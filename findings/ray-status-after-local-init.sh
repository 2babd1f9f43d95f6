#!/bin/sh
# Ray 2.60.0: a local ray.init() in a program changes what `ray start` and `ray status` do afterwards.
#
# A cluster is started by `ray start --head` and asked by `ray status`, in the same shell, with no Ray variable
# set. Usual expectation: it answers, whatever Python programs the user has run before.
# Seen: it does, until one of them has called ray.init() for a cluster of its own. That call writes a token into
# ~/.ray, and from then on `ray start` takes the token up and protects the cluster by it, while `ray status`
# does not: it ends with AuthenticationError and says that the mode is 'disabled'. With RAY_AUTH_MODE=token in the
# environment of both, it answers again.
set -eu
work=$(mktemp -d)
trap 'HOME="$work/home" venv/bin/ray stop --force > log 2>&1 || true; cd /; rm -rf "$work"' EXIT
cd "$work"
"${PYTHON:-python3}" -m venv venv
venv/bin/pip install -qq --disable-pip-version-check "ray==2.60.0"
export RAY_USAGE_STATS_ENABLED=0 HOME="$work/home"
unset RAY_AUTH_MODE RAY_AUTH_TOKEN RAY_AUTH_TOKEN_PATH RAY_ADDRESS
mkdir home

status() {
  # Starts a cluster, asks it, ends it; prints what came of the question.
  venv/bin/ray start --head --port="$1" --num-cpus=1 --include-dashboard=false > log 2>&1
  if venv/bin/ray status --address "$(venv/bin/python -c 'import ray; print(ray.util.get_node_ip_address())'):$1" \
    > answer 2>&1; then
    echo "answered"
  elif grep -q AuthenticationError answer; then
    echo "AuthenticationError"
  else
    echo "another error"
  fi
  venv/bin/ray stop --force > log 2>&1
}

venv/bin/python -c 'import ray; print("ray", ray.__version__)'
echo "Expected: answered, answered, answered."
before=$(status 26379)
venv/bin/python -c 'import ray; ray.init(address="local", num_cpus=1, include_dashboard=False); ray.shutdown()' > log 2>&1
after=$(status 26381)
asked=$(RAY_AUTH_MODE=token status 26383)
echo "Seen: before $before, after a local ray.init() $after, with RAY_AUTH_MODE=token $asked."
ls home/.ray
[ "$before" = answered ] && [ "$after" = AuthenticationError ] && [ "$asked" = answered ] || {
  echo "The behaviour has changed." >&2
  exit 1
}
