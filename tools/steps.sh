#!/usr/bin/env bash
# The steps of .ci/run and of tools/nightly.sh: sourced by both after they have set `limit_seconds`.
# Each step runs even when one before it failed, so that one run shows all there is to fix.

cd "$(dirname "${BASH_SOURCE[0]}")/.."
exec </dev/null
export CI=true NO_COLOR=1
# A registry that does not answer is asked again after a minute, not after five.
export npm_config_fetch_timeout=60000 npm_config_fetch_retries=5

failed_steps=()

# step NAME COMMAND…: runs the command in what is left of the time.
step() {
  local name=$1 started=$SECONDS left=$((limit_seconds - SECONDS)) status=0
  shift
  echo "[$(date -u +%H:%M:%S)] $name: $*"
  if ((left < 1)); then
    echo "no time left: the run is limited to $limit_seconds seconds"
    status=124
  else
    timeout --kill-after=10 "$left" "$@" || status=$?
    ((status == 124)) && echo "stopped: the run is limited to $limit_seconds seconds"
  fi
  if ((status == 0)); then
    echo "[$(date -u +%H:%M:%S)] $name: ok after $((SECONDS - started)) s"
  else
    echo "[$(date -u +%H:%M:%S)] $name: FAILED with status $status after $((SECONDS - started)) s"
    failed_steps+=("$name")
  fi
  return "$status"
}

# install_step: the dependencies. Without their scripts: the build is a step of its own, with a result of its own.
install_step() {
  local command=install
  [[ -f package-lock.json ]] && command=ci
  step install npm "$command" --ignore-scripts --no-audit --no-fund
}

# finish: the last line and the status of the run.
finish() {
  if ((${#failed_steps[@]} > 0)); then
    echo "[$(date -u +%H:%M:%S)] failed: ${failed_steps[*]}"
    exit 1
  fi
  echo "[$(date -u +%H:%M:%S)] all steps passed in $SECONDS s"
}
