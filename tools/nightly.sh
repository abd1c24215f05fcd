#!/usr/bin/env bash
# What takes too long for every change: 100,000 malformed requests and failing applications, a soak of ten minutes, every
# mutation, the end-to-end tests once more with every test under each agent, and a new seed for the generator of requests each night.
#
# usage: npm run nightly [-- SEED]
#   SEED   of the malformed requests; default: the date, so that a night can be repeated: npm run nightly -- 20261126
set -uo pipefail
readonly limit_seconds=14400
seed=${1:-$(date -u +%Y%m%d)}
source "$(dirname "${BASH_SOURCE[0]}")/steps.sh"

if install_step; then
  step build npm run build
  step test:nodes npm run test:nodes
  step debian-tools tools/install-debian-tools.sh
  step lambda-runtime tools/install-lambda-runtime.sh
  step pulumi tools/install-pulumi.sh
  step fuzz env WAYGATE_FUZZ_COUNT=100000 WAYGATE_FUZZ_SEED="$seed" npx vitest run --project e2e tests/e2e/fuzz.test.ts
  step inspector env WAYGATE_INSPECT_REQUESTS=10000 WAYGATE_INSPECT_STREAM=1024 npx vitest run --project e2e tests/e2e/inspector-memory.test.ts
  step soak env WAYGATE_SOAK_SECONDS=600 npx vitest run --project e2e tests/e2e/soak.test.ts
  step test:e2e env WAYGATE_AGENTS=all WAYGATE_PRESETS=large npm run test:e2e
  step mutations npm run mutations
fi
finish
