#!/usr/bin/env bash
# Makes the reports, runs the example on a private mesh, and shows what came of it. `make demo` calls it after the build.
set -euo pipefail
cd "$(dirname "$0")/.."
example=examples/quarterly-reports

${GO:-go} run ./scripts/make-reports -out "$example/reports"
rm -rf "$example/json"

echo >&2
echo "\$ orbit run --local $example/cluster.yml" >&2
code=0
bin/orbit run --local "$example/cluster.yml" >/dev/null || code=$?
# 3 says that some items failed: one of the reports is damaged on purpose.
if [ "$code" -ne 0 ] && [ "$code" -ne 3 ]; then
  exit "$code"
fi

echo >&2
echo "The JSON of the readable reports, from $example/json:" >&2
shopt -s nullglob
files=("$example"/json/*.json)
if [ "${#files[@]}" -eq 0 ]; then
  echo "demo: no JSON was written; look at the lines above for the reason" >&2
  exit 1
fi
cat "${files[@]}"
