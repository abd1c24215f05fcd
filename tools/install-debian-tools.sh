#!/usr/bin/env bash
# Debian's programs that tests hold Waygate against: Python's servers (tests/e2e/python-servers.test.ts) and a web server
# that runs CGI scripts (tests/e2e/cgi.test.ts). Tests that miss one are skipped and say so.
set -euo pipefail

wanted=()
/usr/bin/python3 -c 'import gunicorn' 2>/dev/null || wanted+=(python3 gunicorn)
command -v lighttpd >/dev/null || [[ -x /usr/sbin/lighttpd ]] || wanted+=(lighttpd)
if ((${#wanted[@]} == 0)); then
  echo 'all there'
  exit
fi
if ! command -v apt-get >/dev/null; then
  echo "no apt-get here: without ${wanted[*]} some tests are skipped"
  exit
fi
export DEBIAN_FRONTEND=noninteractive
apt-get update -qq
# No service is started: on a machine without an init system that would fail the installation.
apt-get install -y -qq --no-install-recommends -o Dpkg::Use-Pty=0 "${wanted[@]}"
