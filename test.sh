#!/usr/bin/env bash
# Runs all tests: installs what they need (Debian packages, npm packages), checks the format, builds with warnings as errors, tests.
# Ends with the line "N passed, N failed" and fails when a test failed or none ran.
#   ./test.sh [PROJECT ...]     only these test projects: ./test.sh Engine.Tests Gateway.Tests
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"
root=$PWD
export DOTNET_NOLOGO=1 DOTNET_CLI_TELEMETRY_OPTOUT=1 DOTNET_CLI_WORKLOAD_UPDATE_NOTIFY_DISABLE=true

say() { printf '\n== %s\n' "$*"; }

apt_install() {
  command -v apt-get >/dev/null || { echo "test.sh: needs $* — install it with this system's package manager" >&2; return 1; }
  if [ "$(id -u)" = 0 ]; then
    apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$@" >/dev/null
  else
    sudo sh -c "apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $*" >/dev/null
  fi
}

node_major() { "$1" --version 2>/dev/null | sed -E 's/^v([0-9]+).*/\1/' || true; }

say "What the tests need"
command -v redis-server >/dev/null || apt_install redis-server
# Renders the chart where helm is missing; its tests are skipped without.
[ -d /usr/share/gocode/src/github.com/Masterminds/sprig ] ||
  apt_install golang-go golang-github-masterminds-sprig-dev golang-k8s-sigs-yaml-dev || echo 'no Go packages: the chart is not rendered'
command -v npm >/dev/null || apt_install nodejs npm
SERVING_TEST_NODE=$(command -v node || true)
if [ -z "$SERVING_TEST_NODE" ] || [ "$(node_major "$SERVING_TEST_NODE")" -lt 22 ]; then
  SERVING_TEST_NODE=$root/artifacts/tools/node_modules/node/bin/node
  [ -x "$SERVING_TEST_NODE" ] || npm install --prefix artifacts/tools --no-audit --no-fund --no-save --loglevel=error node@22 >/dev/null
fi
export SERVING_TEST_NODE
for clients in EndToEnd Conformance; do
  # npm notes here what it has installed.
  [ "tests/$clients/node/node_modules/.package-lock.json" -nt "tests/$clients/node/package-lock.json" ] || npm ci --prefix "tests/$clients/node" --no-audit --no-fund --loglevel=error >/dev/null
done
# llama.cpp as a peer for converted models: 85 MB with its CPU build, which is there for x64 Linux; its tests are skipped without.
# The optional packages are CUDA and Vulkan builds (another 640 MB); the install script would look for a compiler. Not npm ci: it asks for all optional packages
# in the lock file, and not every registry has them.
[ -d tests/tools/llama-cpp/node_modules/node-llama-cpp ] ||
  npm install --prefix tests/tools/llama-cpp --omit=optional --ignore-scripts --no-save --no-audit --no-fund --loglevel=error >/dev/null ||
  echo 'no llama.cpp for this machine: converted models are not held against it'
echo "dotnet $(dotnet --version), node $("$SERVING_TEST_NODE" --version), $(redis-server --version | cut -d' ' -f3)"

say "Restore and build (warnings are errors)"
locked=(); [ "${CI:-}" = true ] && locked=(--locked-mode)
dotnet restore Serving.sln "${locked[@]}" --verbosity quiet
dotnet build Serving.sln -c Release --no-restore --verbosity quiet -clp:NoSummary

say "Format"
dotnet format whitespace Serving.sln --no-restore --verify-no-changes --verbosity quiet

say "Tests"
passed=0 failed=0 skipped=0 broken=()
projects=("$@")
[ ${#projects[@]} -gt 0 ] || for project in tests/*/*.csproj; do
  name=$(basename "$project" .csproj)
  [ "$name" = TestKit ] || projects+=("$name")
done
for name in "${projects[@]}"; do
  log=artifacts/test-$name.log
  begin=$(date +%s) status=0
  "artifacts/bin/$name/release/Serving.$name" >"$log" 2>&1 </dev/null || status=$?
  # The runner's closing line: "  Serving.X.Tests  Total: 12, Errors: 0, Failed: 0, Skipped: 1, Not Run: 0, Time: 0.2s".
  count() { sed -nE "s/.*Total: [0-9]+,.* ?$1: ([0-9]+).*/\1/p" "$log" | tail -1; }
  total=$(sed -nE 's/.*Total: ([0-9]+), Errors: .*/\1/p' "$log" | tail -1)
  bad=$(count Failed) errors=$(count Errors) skip=$(count Skipped)
  bad=$(( ${bad:-0} + ${errors:-0} ))
  ok=$(( ${total:-0} - bad - ${skip:-0} ))
  passed=$((passed + $ok)) failed=$((failed + $bad)) skipped=$((skipped + ${skip:-0}))
  printf '%-24s %5s passed %4s failed %4s skipped  %4s s\n' "$name" "$ok" "$bad" "${skip:-0}" $(($(date +%s) - begin))
  if [ $status != 0 ]; then
    [ "$bad" != 0 ] || { failed=$((failed + 1)); broken+=("$name ended with status $status"); }
    grep -vE '^\s*$' "$log" | tail -60
  fi
done

echo
for line in "${broken[@]:-}"; do [ -z "$line" ] || echo "$line"; done
[ $skipped = 0 ] || echo "$skipped skipped (each says why in artifacts/test-*.log)"
echo "$passed passed, $failed failed"
[ $failed = 0 ] && [ $passed -gt 0 ]
