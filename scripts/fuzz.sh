#!/usr/bin/env bash
# Runs every fuzz target of the module for the given time each. What one finds lies under the package's testdata/fuzz.
set -euo pipefail
cd "$(dirname "$0")/.."
time=${1:-30s}
said=$(mktemp)
trap 'rm -f "$said"' EXIT

fail() {
  echo "fuzz.sh: $1" >&2
  exit 1
}

while IFS=: read -r file target; do
  package=./$(dirname "$file")
  echo "== $package $target"
  if ! go test -run '^$' -fuzz "^$target\$" -fuzztime "$time" "$package" </dev/null 2>&1 | tee "$said"; then
    # Go before 1.27 calls it a failure, now and then, that the time is up; it names no input then.
    grep -q 'context deadline exceeded' "$said" && ! grep -q 'Failing input' "$said" || fail "$target has found something"
  fi
  # A target that is never run holds for any input.
  grep -q 'execs: [1-9]' "$said" || fail "$target was never run in $time; give it longer, or fewer seeds"
done < <(git ls-files -co --exclude-standard '*_test.go' | xargs grep -oE '^func Fuzz[A-Za-z0-9_]+' /dev/null | sed 's/func //')
