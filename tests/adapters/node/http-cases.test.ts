// Every raw request of tests/cases/http.json over a real socket to toNode under node:http.

import { afterAll, beforeAll, expect, test } from 'vitest';
import { type ProbeServer, startProbe } from './http-cases-probe.ts';
import { httpCases } from './http-cases-run.ts';

let server: ProbeServer;
beforeAll(async () => {
  server = await startProbe();
});
afterAll(() => server.close());

httpCases(() => server.port);

test('the process has nothing to report about all of this', () => {
  expect(server.log).toEqual([]);
});
