// An application in a Lambda Web Function, held to the contract through the rules of its endpoint.

import http from 'node:http';
import type { AddressInfo } from 'node:net';
import { runInNewContext } from 'node:vm';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { serve } from 'waygate/node';
import { conformance, type Serve } from 'waygate/testing';
import { headerLines } from '../../cli/src/raw-headers.ts';
import { forward } from '../../cli/src/web-function/forward.ts';
import { reply } from '../../cli/src/web-function/reply.ts';
import { refusal } from '../../cli/src/web-function/rules.ts';
import { overSocket } from '../adapters/node/http-client.ts';

beforeAll(() => vi.stubEnv('AWS_LAMBDA_HTTP_ENDPOINT', '127.0.0.1:0'));
afterAll(() => vi.unstubAllEnvs());

/** The application as Lambda runs it, and the endpoint in front of it. */
const throughEndpoint: Serve = async (app, options) => {
  const environment = await serve(app, { ...options, signals: false, shutdownTimeout: 100 });
  const agent = new http.Agent({ keepAlive: true });
  const endpoint = http.createServer({ requireHostHeader: false }, (request, response) => {
    const { method = '', httpVersion, rawHeaders } = request;
    const refused = refusal({ method, httpVersion, headers: headerLines(rawHeaders) }, () => true);
    const { port } = environment;
    if (refused !== undefined) reply(response, refused, 'ID');
    else forward(request, response, { port, agent, timeout: 30, requestId: 'ID', logStream: 'stream' });
  });
  await new Promise<void>((resolve) => endpoint.listen(0, '127.0.0.1', resolve));
  return overSocket((endpoint.address() as AddressInfo).port, async () => {
    endpoint.closeAllConnections();
    endpoint.close();
    agent.destroy();
    await environment.close();
  });
};

/** What the endpoint keeps from an application or its client: these tests have to fail. docs/lambda-web.md lists them. */
const LOST: Record<string, string> = {
  '§3.2 on the wire: GET, HTTP/1.0, generator': 'HTTP/1.0 gets 505',
  'ENV-11: HTTP/1.0 without a Host is served, and said': 'HTTP/1.0 gets 505',
  'ENV-24: a Host, a length and a type that are repeated without contradiction are one': 'two Host headers get 400',
  'URL-05: an absolute target gives its path; scheme, name and port stay the server’s': 'they are the endpoint’s',
  'URL-05: a target that starts with // is a path': 'Host is the domain of the endpoint',
  'ENV-22: X-Forwarded-Proto and its like are a client’s words, not facts': 'the scheme is that of the endpoint',
  'SR-17, HTTP-02: order, case and repeats of headers are the application’s own': 'Lambda adds headers of its own',
  'CL-02: GET, a declared length and no body at all: broken off': 'a response without its first byte is a 502',
};

conformance('a Web Function', throughEndpoint, {
  describe,
  it: (name, body) => (Object.hasOwn(LOST, name) ? it.fails : it)(name, body),
  otherRealm: runInNewContext,
  // The endpoint takes seven methods.
  capabilities: { anyMethod: false },
});

it('every loss that is declared is of a test of the suite', () => {
  const names = new Set<string>();
  const list = (name: string): void => void names.add(name);
  conformance('names', throughEndpoint, { describe: (_name, body) => body(), it: list, otherRealm: runInNewContext });
  for (const name of Object.keys(LOST)) expect(names).toContain(name);
});
