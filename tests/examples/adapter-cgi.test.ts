// The adapter of docs/writing-an-adapter.md, held to the whole contract.

import { readFileSync } from 'node:fs';
import { runInNewContext } from 'node:vm';
import { describe, expect, it, test } from 'vitest';
import { conformance } from 'waygate/testing';
import { cgiHost, SCRIPT } from './cgi-host.ts';

conformance('CGI', cgiHost, {
  describe,
  it,
  mount: SCRIPT,
  otherRealm: runInNewContext,
  capabilities: { raw: false, requestStreaming: false, abortedUpload: false, headerBytes: false, pathBytes: false },
});

test('the adapter has fewer than 60 lines of code', () => {
  const lines = readFileSync(new URL('../../examples/adapter-cgi/cgi.ts', import.meta.url), 'utf8').split('\n');
  expect(lines.filter((line) => !/^\s*(\/\/|\/\*\*|$)/.test(line)).length).toBeLessThan(60);
});
