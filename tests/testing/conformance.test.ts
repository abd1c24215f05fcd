// The suite itself: that it passes where a platform is right or honest about its lacks, and fails where it is neither.

import { describe, expect, it } from 'vitest';
import type { Application } from 'waygate';
import { toFetch } from 'waygate/fetch';
import { type Capabilities, conformance, type Serve } from 'waygate/testing';

/** The titles of the tests that fail, among those whose title matches. */
async function failures(serve: Serve, capabilities: Partial<Capabilities>, titles: RegExp): Promise<string[]> {
  const tests: [string, () => Promise<void>][] = [];
  const collect = {
    describe: (_name: string, body: () => void) => body(),
    it: (...test: (typeof tests)[0]) => void tests.push(test),
  };
  conformance('collected', serve, { ...collect, capabilities: { raw: false, ...capabilities } });
  const chosen = tests.filter(([title]) => titles.test(title));
  expect(chosen.length).toBeGreaterThan(0);
  const failed: string[] = [];
  for (const [title, body] of chosen) await body().catch((error) => failed.push(`${title} — ${error.message}`));
  return failed;
}

/** A platform that changes responses on their way. */
const changing =
  (change: (response: Response, init: RequestInit | undefined) => Response | Promise<Response>): Serve =>
  (app, options) => {
    const handler = toFetch(app, options);
    return { fetch: async (path, init) => change(await handler(path, init), init) };
  };

const plain: Serve = (app, options) => ({ fetch: toFetch(app, options) });

/** A platform that has the whole response before it sends anything. */
const buffered = changing(async (response) => {
  const { status, statusText, headers } = response;
  let body: ArrayBuffer | null;
  try {
    body = await response.arrayBuffer();
  } catch {
    return new Response('502', { status: 502 });
  }
  return new Response(body.byteLength === 0 ? null : body, { status, statusText, headers });
});

const BUFFERED = { streaming: false, earlyHead: false, disconnect: false, brokenConnection: 'status-500' } as const;

describe('a platform that declares its lacks', () => {
  conformance('buffered', buffered, { describe, it, capabilities: { raw: false, ...BUFFERED } });
});

// Here tests fail on purpose, some of them only when their patience is at its end: all at the same time.
describe.concurrent('a platform that is not as it declares', () => {
  it('has an ability that it declares to be lacking', async () => {
    for (const lack of [
      'streaming',
      'disconnect',
      'setCookies',
      'headerBytes',
      'rawPath',
      'reason',
      'anyMethod',
    ] as const) {
      const failed = await failures(plain, { [lack]: false }, new RegExp(`^lacks ${lack},`));
      expect(failed).toEqual([expect.stringContaining(`"${lack}" is declared to be lacking, but is there`)]);
    }
    expect(await failures(plain, { brokenConnection: 'status-500' }, /^CL-02.*GET, fewer/)).toHaveLength(3);
  });

  it('has no socket, and does not say so', async () => {
    expect(await failures(plain, { raw: true }, /^SRV: a raw/)).toEqual([
      expect.stringContaining('Served has no raw()'),
    ]);
  });

  it('lacks an ability that it does not declare to be lacking', { timeout: 20_000 }, async () => {
    expect(await failures(buffered, {}, /^BODY-02: a chunk reaches/)).toHaveLength(1);
    expect(await failures(buffered, {}, /^ERR-04, trap 7: after the head, its body throws/)).toHaveLength(1);
  });
});

describe.concurrent('a platform that breaks the contract', () => {
  const FAULTS: Record<string, [fault: Serve, titles: RegExp]> = {
    'folds cookies into one': [
      changing((response) => {
        const cookies = response.headers.getSetCookie().join(', ');
        if (cookies !== '') response.headers.set('set-cookie', cookies);
        return response;
      }),
      /two Set-Cookie/,
    ],
    'loses the reason': [
      changing(({ body, status, headers }) => new Response(body, { status, headers })),
      /the reason phrase/,
    ],
    'sends text for bytes': [
      changing(async (response) => new Response(await response.text(), response)),
      /BODY-03, STR-06/,
    ],
    'invents a header value': [
      changing((response) => {
        response.headers.delete('content-length');
        return response;
      }),
      /the length of an array of one chunk/,
    ],
    'calls the application twice': [
      (app, options) => {
        const twice: Application = (environ, startResponse) => {
          app({ ...environ }, () => async () => {});
          return app(environ, startResponse);
        };
        return { fetch: toFetch(twice, options) };
      },
      /CALL-04/,
    ],
    'forgets to close': [
      (app, options) => {
        const forgetful: Application = async (environ, startResponse) => {
          const body = await app(environ, startResponse);
          return Array.isArray(body)
            ? body
            : (async function* () {
                yield* body;
              })();
        };
        return { fetch: toFetch(forgetful, options) };
      },
      /exhausted \(sync\)/,
    ],
    'swallows the error of the deployer’s log': [
      (app, options) => ({ fetch: toFetch(app, { ...options, errors: () => {} }) }),
      /ERR-02, ERR-03: it throws/,
    ],
    'decodes the path twice': [
      (app, options) => {
        const decoding: Application = (environ, startResponse) =>
          app({ ...environ, PATH_INFO: unescape(environ.PATH_INFO) }, startResponse);
        return { fetch: toFetch(decoding, options) };
      },
      /the path is decoded once/,
    ],
    'lets through a header that poses as another': [
      (app, options) => {
        const naive: Application = (environ, startResponse) => {
          const request = environ['fetch.request'] as Request;
          for (const [name, value] of request.headers)
            environ[`HTTP_${name.toUpperCase().replaceAll('-', '_')}`] = value;
          return app(environ, startResponse);
        };
        return { fetch: toFetch(naive, options) };
      },
      /httpoxy/,
    ],
    'shares an environ': [
      (app, options) => {
        let shared: Record<string, unknown> = {};
        const sharing: Application = (environ, startResponse) => {
          shared = Object.assign(shared, environ);
          return app(shared as typeof environ, startResponse);
        };
        return { fetch: toFetch(sharing, options) };
      },
      /ENV-03/,
    ],
    'stops at the first chunk that is empty': [
      (app, options) => {
        const stopping: Application = async (environ, startResponse) => {
          const body = await app(environ, startResponse);
          return (async function* () {
            for await (const chunk of body) {
              if (chunk.byteLength === 0) return;
              yield chunk;
            }
          })();
        };
        return { fetch: toFetch(stopping, options) };
      },
      /BODY-07/,
    ],
  };
  for (const [fault, [serve, titles]] of Object.entries(FAULTS)) {
    it(`is found out: it ${fault}`, { timeout: 20_000 }, async () => {
      expect(await failures(plain, {}, titles)).toEqual([]);
      expect(await failures(serve, {}, titles)).not.toEqual([]);
    });
  }
});

describe('the suite', () => {
  it('names a clause, a trap, a decision or an option in every title', () => {
    const titles: string[] = [];
    const collect = {
      describe: (_name: string, body: () => void) => body(),
      it: (title: string) => void titles.push(title),
    };
    conformance('collected', plain, collect);
    const named =
      /[A-Z]+-[0-9]{2}|§[0-9]|trap [0-9]+|decision D[0-9]+|SRV|^(?:maxBodyBytes|onError|waygate\.|bytes\(\)|a NUL|what goes in|with its)/;
    expect(titles.filter((title) => !named.test(title))).toEqual([]);
    expect(titles.filter((title, at) => titles.indexOf(title) !== at)).toEqual([]);
    expect(titles.length).toBeGreaterThan(500);
  });

  it('needs a test runner, and says so', () => {
    expect(() => conformance('alone', plain)).toThrow('found no describe and it');
  });
});
