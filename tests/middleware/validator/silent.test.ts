// The validator has nothing to say where nothing is wrong: about every example, every middleware we ship, and our own
// gateway under the conformance suite.

import { readdirSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { type Application, ContractError, type ErrorSink, encode, type GatewayOptions, type Middleware } from 'waygate';
import { toFetch } from 'waygate/fetch';
import { mount, proxyFix, validator } from 'waygate/middleware';
import { conformance } from 'waygate/testing';
import { errorPage } from '../../../examples/middleware/error-page.ts';
import { timing } from '../../../examples/middleware/timing.ts';
import { upperCase } from '../../../examples/middleware/upper-case.ts';
import { RULES, type Rule } from '../../../middleware/validator/rules.ts';
import { findings, streaming } from './lax-gateway.ts';

/** What the example of a Worker finds in its environ. */
const BINDINGS = { VISITS: { idFromName: String, get: () => ({ fetch: async () => new Response('1') }) } };

/** Collects what the validator says while a request goes through. */
async function spoken(app: Application, path: string, init?: RequestInit): Promise<string[]> {
  const said: string[] = [];
  const serve = toFetch(validator(app), {
    errors: (text) => void said.push(text),
    onError: (error) => void said.push(String(error)),
    environ: { 'cloudflare.env': BINDINGS },
  });
  const response = await serve(path, init);
  const reader = response.body?.getReader();
  // Some examples go on for ever: a few chunks tell enough.
  for (let chunks = 0; reader && chunks < 4; chunks++) if ((await reader.read()).done) break;
  await reader?.cancel();
  // A stream need not know of HEAD; the warning about that is no reproach to an example.
  return said.filter((text) => /\[[A-Z]+-\d\d\]/.test(text) && !text.endsWith('[L-58]'));
}

const REQUESTS: [path: string, init?: RequestInit][] = [
  ['/'],
  ['/some/path?q=1'],
  ['/', { method: 'HEAD' }],
  ['/echo', { method: 'POST', body: 'one\ntwo' }],
  ['/events?every=5'],
];

describe('examples', async () => {
  const folder = new URL('../../../examples/', import.meta.url);
  const names = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((path) =>
    /^[^/]+\/app\.ts$/.test(path),
  );
  test.each(names)('%s', async (name) => {
    const module = (await import(new URL(name, folder).href)) as { default?: Application; app?: Application };
    const app = (module.default ?? module.app) as Application;
    for (const [path, init] of REQUESTS)
      expect(await spoken(app, path, init), `${init?.method ?? 'GET'} ${path}`).toEqual([]);
  });
});

const middlewares: Record<string, Middleware> = {
  mount: (app) => mount({ '/': app }),
  'mount below a prefix': (app) => mount({ '/some': app }),
  proxyFix: (app) => proxyFix(app, { for: true, proto: true, host: true, prefix: true }),
  timing,
  errorPage,
  upperCase,
  'all of them': (app) => mount({ '/': proxyFix(errorPage(timing(upperCase(app))), { proto: true }) }),
};

describe('middlewares between two validators', () => {
  // One of the examples tells the console of failures.
  beforeAll(() => void vi.spyOn(console, 'error').mockImplementation(() => {}));
  afterAll(() => void vi.restoreAllMocks());

  const small: Application = (environ, startResponse) => {
    startResponse('200 OK', [['Content-Type', 'text/plain']]);
    return [encode(environ.PATH_INFO)];
  };
  const lines: Application = async (environ, startResponse) => {
    startResponse('200 OK', [['Content-Type', 'text/plain']]);
    return environ['wsgi.input'].readlines();
  };
  const failing: Application = () => {
    throw new Error('planted');
  };
  const headers = { 'X-Forwarded-For': '192.0.2.1', 'X-Forwarded-Proto': 'https', 'X-Forwarded-Host': 'a.test' };

  test.each(Object.entries(middlewares))('%s', async (_name, middleware) => {
    for (const app of [small, streaming('a', '', 'b'), lines, failing]) {
      const wrapped = middleware(validator(app));
      expect(await spoken(wrapped, '/some/path', { headers })).toEqual([]);
      expect(await spoken(wrapped, '/some', { headers, method: 'POST', body: 'one\ntwo' })).toEqual([]);
      expect(await spoken(wrapped, '/some', { method: 'HEAD' })).toEqual([]);
    }
  });

  test('two validators around each other', async () => {
    expect((await findings(validator(validator(validator(streaming('a', 'b')))))).rules).toEqual([]);
  });
});

// The suite plants faults in applications, of which the validator may speak. Of the gateway it has nothing to say, and
// where it is silent, no test comes out otherwise for its being there.
describe('the conformance suite through the validator', () => {
  /** What the validator said in the test that runs, and who is told when it does. */
  let heard: { rules: string[]; speak: () => void } = { rules: [], speak: () => {} };
  let silent = 0;

  const watched = (app: Application, options: GatewayOptions = {}): ReturnType<typeof toFetch> => {
    return toFetch(validator(app), {
      ...options,
      errors: withoutWarnings(options.errors),
      onError: listening(options.onError, heard),
    });
  };
  const listening = (onError: GatewayOptions['onError'], mine: typeof heard): GatewayOptions['onError'] => {
    if (onError !== undefined && typeof onError !== 'function') return onError;
    return (error, environ) => {
      if (error instanceof ContractError) {
        mine.rules.push(error.rule);
        mine.speak();
      }
      return onError?.(error, environ);
    };
  };
  const withoutWarnings = (errors: ErrorSink | undefined): ErrorSink | undefined => {
    if (typeof errors !== 'function') return errors;
    return (text) => (text.startsWith('validator: warning: ') ? undefined : errors(text));
  };
  /** The validator's body stands in for the gateway's own file wrapper, which alone tells a length. */
  const needsFileItself = (title: string): boolean => /FILE-04|HEAD of a file/.test(title);
  const it = (title: string, body: () => Promise<void>): void => {
    test(title, async () => {
      const spoken = new Promise<void>((speak) => {
        heard = { rules: [], speak: () => setTimeout(speak, 20) };
      });
      const { rules } = heard;
      let failure: unknown;
      // Once the validator has spoken the test may wait in vain for what would have come without it.
      await Promise.race([body(), spoken]).catch((error) => {
        failure = error;
      });
      for (const rule of rules) {
        const { binds = 'application' } = (RULES as Record<string, Rule>)[rule] ?? {};
        expect(binds, `${rule} would be the gateway's fault`).toContain('application');
      }
      if (rules.length > 0 || needsFileItself(title)) return;
      silent++;
      if (failure !== undefined) throw failure;
    });
  };

  conformance('toFetch', (app, options) => ({ fetch: watched(app, options) }), {
    describe,
    it,
    capabilities: { raw: false },
  });

  test('most of the suite breaks no rule', () => {
    expect(silent).toBeGreaterThan(100);
  });
});
