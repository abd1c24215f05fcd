// The raw requests of tests/cases/http.json, byte for byte, as tests of anything that serves the probe application on a
// port through toNode.

import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { exchange, type Seen, seenIn } from './http-cases-probe.ts';

/** A case as the file has it; `about` and `rules` there say what the members mean. */
interface HttpCase {
  name: string;
  description: string;
  requestBase64: string;
  nodeReachesHandler: boolean;
  expect:
    | {
        outcome: 'environ';
        environ: Record<string, string>;
        absent: string[];
        bodyBase64: string;
        inputTerminated?: boolean;
      }
    | { outcome: 'reject' | 'implementation-defined'; statusOneOf: number[] };
}

const file = new URL('../../cases/http.json', import.meta.url);
const cases: HttpCase[] = JSON.parse(readFileSync(file, 'utf8')).cases;

/** Where the cases leave a choice, or the contract chose another: environ keys as Waygate makes them, or a status. */
const CHOSEN: Record<string, Record<string, string> | number> = {
  // Repeats are joined with ", ", as RFC 9110 §5.3 writes it.
  'headers-duplicate': { HTTP_X_A: '1, 2, 3' },
  'headers-duplicate-authorization': { HTTP_AUTHORIZATION: 'Basic dTpw, Bearer x' },
  // Sizes are Node's to limit: what it lets through is served.
  'header-long-12000': { HTTP_X_LONG: 'a'.repeat(12_000) },
  'headers-120': { HTTP_X_N0: '0', HTTP_X_N119: '119' },
  'request-line-long-6000': { PATH_INFO: `/${'p'.repeat(6000)}` },
  'line-extra-spaces': { PATH_INFO: '/two-spaces' },
  'header-long-20000': 431,
  'body-te-gzip-chunked': 501,
  // A Host is a host and a port (RFC 9112 §3.2): user information in it misleads whoever builds a URL of it (D12).
  'host-userinfo': 400,
};

/** What Node's parser answers by itself to what would be a request to others: no adapter can see those. */
const NODE_REFUSES: Record<string, number> = {
  'path-raw-utf8-bytes': 400,
  'path-raw-latin1-byte': 400,
  'method-short': 400,
  http12: 400,
};

/**
 * Registers a test for each case.
 *
 * @param port where the probe listens; asked for when a test runs
 */
export function httpCases(port: () => number): void {
  describe.each(cases)('$name', (each) => {
    test(each.description, async () => {
      const [response] = await exchange(port(), Buffer.from(each.requestBase64, 'base64'), 1, endsOnly(each));
      if (response === undefined) throw new Error('the connection closed without a response');
      const refused = refusal(each);
      if (refused !== undefined) {
        // The probe never answers with these.
        expect(refused).toContain(response.status);
        return;
      }
      expect(response.statusLine).toBe('HTTP/1.1 200 OK');
      checkEnviron(each, seenIn(response), port());
    });
  });

  test('every case that is decided here is among the cases', () => {
    const names = new Set(cases.map((each) => each.name));
    for (const name of [...Object.keys(CHOSEN), ...Object.keys(NODE_REFUSES)]) expect(names).toContain(name);
  });
}

/** An HTTP/0.9 request has no end but that of the connection. */
function endsOnly(each: HttpCase): boolean {
  return each.name === 'http09';
}

/** The statuses that are right where no application is to see the request, else undefined. */
function refusal({ name, expect: expected }: HttpCase): number[] | undefined {
  const chosen = CHOSEN[name];
  if (typeof chosen === 'number') return [chosen];
  if (NODE_REFUSES[name] !== undefined) return [NODE_REFUSES[name]];
  if (chosen !== undefined || expected.outcome === 'environ') return undefined;
  return expected.statusOneOf;
}

function checkEnviron({ name, expect: expected }: HttpCase, { environ, body }: Seen, port: number): void {
  const chosen = CHOSEN[name] as Record<string, string> | undefined;
  if (expected.outcome !== 'environ') {
    expect(environ).toMatchObject(chosen as Record<string, string>);
    return;
  }
  const wanted: Record<string, string> = { ...expected.environ, ...chosen };
  for (const [key, value] of Object.entries(wanted)) {
    expect(environ[key], key).toBe(value.replace('{serverPort}', String(port)));
  }
  for (const key of expected.absent) expect(environ, 'absent means absent, not empty').not.toHaveProperty([key]);
  const headers = Object.keys(environ).filter((key) => key.startsWith('HTTP_'));
  expect(headers.filter((key) => !(key in wanted))).toEqual([]);
  expect(environ.SERVER_NAME).toBe('127.0.0.1');
  expect(environ['wsgi.input_terminated']).toBe(true);
  expect(Buffer.from(body, 'latin1').toString('base64')).toBe(expected.bodyBase64);
}
