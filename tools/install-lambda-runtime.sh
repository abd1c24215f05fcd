#!/usr/bin/env bash
# Installs AWS's Lambda runtime clients for the end-to-end tests: 3.3.0, the code of the runtimes before Node 24, into
# .runtimes/lambda, and 4.0.2, that of the Node 24 runtime, into .runtimes/lambda-4, with the Node it needs in
# .runtimes/node-24. Both are compiled on installation, which takes two minutes each and needs cmake, autoconf, automake and
# libtool; where they are missing and apt-get is there, they are installed first.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
older=.runtimes/lambda/node_modules/aws-lambda-ric/dist/rapid-client.node
newer=.runtimes/lambda-4/node_modules/aws-lambda-ric/rapid-client.node
node24=.runtimes/node-24/node_modules/node/bin
[[ -f $older && -f $newer && -x $node24/node ]] && exit 0

missing=()
for tool in cmake autoconf automake libtoolize; do command -v "$tool" >/dev/null || missing+=("${tool/libtoolize/libtool}"); done
if ((${#missing[@]} > 0)); then
  apt-get update -qq
  DEBIAN_FRONTEND=noninteractive apt-get install -y -qq "${missing[@]}" >/dev/null
fi

# install FOLDER PACKAGE: with the scripts of the package, which compile it or put a binary in place.
install() {
  mkdir -p "$1"
  [[ -f $1/package.json ]] || echo '{ "private": true }' >"$1/package.json"
  npm install --prefix "$1" --no-audit --no-fund --no-save --no-package-lock --ignore-scripts=false "$2"
}
[[ -x $node24/node ]] || install .runtimes/node-24 node@24
pids=()
if [[ ! -f $older ]]; then install .runtimes/lambda aws-lambda-ric@3.3.0 & pids+=($!); fi
if [[ ! -f $newer ]]; then PATH="$PWD/$node24:$PATH" install .runtimes/lambda-4 aws-lambda-ric@4.0.2 & pids+=($!); fi
for pid in "${pids[@]}"; do wait "$pid"; done
[[ -f $older && -f $newer ]]
