#!/usr/bin/env bash
# Installs AWS's Lambda runtime client into .runtimes/lambda for the end-to-end tests. It is compiled on installation, which
# needs cmake, autoconf, automake and libtool; where they are missing and apt-get is there, they are installed first.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
folder=.runtimes/lambda
built=$folder/node_modules/aws-lambda-ric/dist/rapid-client.node
[[ -f $built ]] && exit 0

missing=()
for tool in cmake autoconf automake libtoolize; do command -v "$tool" >/dev/null || missing+=("${tool/libtoolize/libtool}"); done
if ((${#missing[@]} > 0)); then
  apt-get update -qq
  DEBIAN_FRONTEND=noninteractive apt-get install -y -qq "${missing[@]}" >/dev/null
fi
mkdir -p "$folder"
[[ -f $folder/package.json ]] || echo '{ "private": true }' >"$folder/package.json"
npm install --prefix "$folder" --no-audit --no-fund --no-save --ignore-scripts=false aws-lambda-ric@3.3.0
[[ -f $built ]]
