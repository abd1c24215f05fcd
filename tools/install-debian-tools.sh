#!/usr/bin/env bash
# Debian's programs that tests hold Waygate against: Python's servers (tests/e2e/python-servers.test.ts), a web server that
# runs CGI scripts (tests/e2e/cgi.test.ts), the proxies that stand in front of it (tests/e2e/proxies.test.ts), and the caches and
# the client that judge its middleware (tests/e2e/caches.test.ts), clients of the endpoint of Web Functions
# (tests/e2e/lambda-web.test.ts), and the browser for the inspector's page (tests/e2e/inspector.test.ts). Tests that miss one
# are skipped and say so.
set -euo pipefail

wanted=()
/usr/bin/python3 -c 'import gunicorn' 2>/dev/null || wanted+=(python3 gunicorn)
for tool in lighttpd nginx haproxy; do
  command -v "$tool" >/dev/null || [[ -x /usr/sbin/$tool ]] || wanted+=("$tool")
done
command -v openssl >/dev/null || wanted+=(openssl)
command -v curl >/dev/null || wanted+=(curl)
command -v nghttp >/dev/null || wanted+=(nghttp2-client)
# Varnish compiles its configuration.
{ [[ -x /usr/sbin/varnishd ]] && command -v cc >/dev/null; } || wanted+=(varnish gcc libc6-dev)
command -v chromium >/dev/null || wanted+=(chromium)
if ((${#wanted[@]} == 0)); then
  echo 'all there'
  exit
fi
if ! command -v apt-get >/dev/null; then
  echo "no apt-get here: without ${wanted[*]} some tests are skipped"
  exit
fi
export DEBIAN_FRONTEND=noninteractive
# No service is started: the tests start their own on free ports, and without an init system the installation would fail.
policy=/usr/sbin/policy-rc.d
if [[ ! -e $policy ]]; then
  trap 'rm -f "$policy"' EXIT
  printf '#!/bin/sh\nexit 101\n' >"$policy"
  chmod 755 "$policy"
fi
apt-get update -qq
apt-get install -y -qq --no-install-recommends -o Dpkg::Use-Pty=0 "${wanted[@]}"
