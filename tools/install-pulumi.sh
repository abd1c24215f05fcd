#!/usr/bin/env bash
# Installs Pulumi's SDK and its provider of AWS into .runtimes/pulumi, for tests/e2e/deploying-pulumi.test.ts. They are 175 MB, so
# that only tools/nightly.sh runs this.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
folder=.runtimes/pulumi
[[ -d $folder/node_modules/@pulumi/aws ]] && exit 0
mkdir -p "$folder"
echo '{ "private": true, "type": "module" }' >"$folder/package.json"
npm install --prefix "$folder" --no-audit --no-fund --no-save --no-package-lock --ignore-scripts @pulumi/pulumi@3.276.0 @pulumi/aws@7.48.0
