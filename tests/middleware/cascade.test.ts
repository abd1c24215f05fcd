// cascade: the first application that knows the address answers, as if the others were not there.

import { afterEach, describe, expect, test } from 'vitest';
import { type Application, type ApplicationBody, encode, run, setupTestingDefaults } from 'waygate';
import { fromFetch } from 'waygate/fetch';
import { cascade, validator } from 'waygate/middleware';
import { fromNode } from 'waygate/node';
import { testEnviron } from 'waygate/testing';
import { ask, hello } from './answers.ts';
import { closeAll, everywhere } from './everywhere.ts';

afterEach(closeAll);

const answers =
  (status: string, text: string): Application =>
  (_environ, startResponse) => {
    startResponse(status, [['Content-Type', 'text/plain']]);
    return [encode(text)];
  };

/** Applications that do not know the address, of every kind; each counts its closings. */
const UNKNOWN: Record<string, (closed: () => void) => Application> = {
  array: () => answers('404 Not Found', 'no'),
  'array with close': (closed) => (environ, startResponse) =>
    Object.assign(answers('404 Not Found', 'no')(environ, startResponse) as Uint8Array[], { close: closed }),
  async: () => async (environ, startResponse) => answers('405 Method Not Allowed', 'no')(environ, startResponse),
  generator: (closed) =>
    function* (_environ, startResponse) {
      try {
        startResponse('404 Not Found', [['Content-Type', 'text/plain']]);
        yield encode('no');
        yield encode('never');
      } finally {
        closed();
      }
    },
  'async generator': (closed) =>
    async function* (_environ, startResponse) {
      try {
        await null;
        startResponse('404 Not Found', []);
        yield encode('no');
      } finally {
        closed();
      }
    },
  'empty generator': () =>
    // biome-ignore lint/correctness/useYield: it is empty.
    function* (_environ, startResponse) {
      startResponse('404 Not Found', []);
    },
  stream: (closed) => (_environ, startResponse) => {
    startResponse('404 Not Found', []);
    return new ReadableStream<Uint8Array>({ cancel: closed }) as ApplicationBody;
  },
  write: () => (_environ, startResponse) => {
    startResponse('404 Not Found', [])(encode('no'));
    return [encode('no')];
  },
  'replaced head': () => (_environ, startResponse) => {
    startResponse('200 OK', []);
    return answers('404 Not Found', 'no')(_environ, (status, headers) =>
      startResponse(status, headers, new Error('x')),
    );
  },
};

const CLOSES = ['array with close', 'generator', 'async generator', 'stream'];

describe.each(Object.entries(UNKNOWN))('an application that knows nothing, of the kind: %s', (kind, make) => {
  test('is passed over, closed once, and leaves no trace', async () => {
    let closed = 0;
    const first = validator(make(() => closed++));
    const known = validator(answers('200 OK', 'known'));
    if (kind === 'replaced head')
      return expect((await ask(validator(cascade([first, known])))).status).toBe('404 Not Found');
    const { status, text, log } = await ask(validator(cascade([first, known])));
    expect([status, text]).toEqual(['200 OK', 'known']);
    expect(closed).toBe(CLOSES.includes(kind) ? 1 : 0);
    expect(log.replace(/^.*\[(?:WRITE-02|L-42)\]\n/gm, '')).toBe('');
  });

  test('answers when it is the last', async () => {
    if (kind === 'stream') return; // It never ends.
    const { status } = await ask(cascade([answers('404 Not Found', 'x'), make(() => {})]));
    expect(status).toMatch(/^40[45] /);
  });

  test('is passed over in front of another such and a generator', async () => {
    if (kind === 'replaced head') return;
    function* generator(...[_environ, startResponse]: Parameters<Application>): Generator<Uint8Array> {
      startResponse('201 Created', [['Content-Type', 'text/plain']]);
      yield encode('a');
      yield encode('b');
    }
    const { status, text } = await ask(
      validator(cascade([validator(make(() => {})), validator(make(() => {})), validator(generator)])),
    );
    expect([status, text]).toEqual(['201 Created', 'ab']);
  });
});

test('each application gets the environ as it was', async () => {
  const messy: Application = (environ, startResponse) => {
    environ.PATH_INFO = '/changed';
    environ['app.own'] = 1;
    delete environ.HTTP_HOST;
    environ.HTTP_NEW = 'x';
    void environ['waygate.signal'];
    return answers('404 Not Found', 'no')(environ, startResponse);
  };
  const { environ } = await ask(cascade([messy, messy, hello]), { PATH_INFO: '/a' });
  expect(environ).toMatchObject({ PATH_INFO: '/a', HTTP_HOST: 'example.com' });
  expect(environ).not.toHaveProperty(['app.own']);
  expect(environ).not.toHaveProperty('HTTP_NEW');
});

test('an application that has read the body answers for itself; one that has not falls through', async () => {
  const reads: Application = async (environ, startResponse) => {
    const body = await environ['wsgi.input'].read();
    return answers('404 Not Found', `read ${body.byteLength}`)(environ, startResponse);
  };
  const readsLate: Application = async (environ, startResponse) => {
    startResponse('404 Not Found', [['Content-Type', 'text/plain']])(encode('first '));
    await environ['wsgi.input'].read(2);
    return [encode('late')];
  };
  const readsInBody: Application = async function* (environ, startResponse) {
    startResponse('404 Not Found', []);
    for await (const line of environ['wsgi.input']) yield line;
  };
  const echo: Application = async (environ, startResponse) => {
    startResponse('200 OK', []);
    return [await environ['wsgi.input'].bytes()];
  };
  const post = async (...apps: Application[]) => {
    const { status, text } = await ask(cascade(apps), { ...testEnviron({ 'wsgi.errors': undefined }, 'body') });
    return `${status.slice(0, 3)} ${text}`;
  };
  const looks: Application = (environ, startResponse) => {
    void environ['wsgi.input'].stream();
    void environ['wsgi.input'][Symbol.asyncIterator]();
    return answers('404 Not Found', 'no')(environ, startResponse);
  };
  const streams: Application = async (environ, startResponse) => {
    const stream = environ['wsgi.input'].stream() as ReadableStream<Uint8Array<ArrayBuffer>>;
    return answers('404 Not Found', await new Response(stream).text())(environ, startResponse);
  };
  expect(await post(looks, looks, echo)).toBe('200 body');
  expect(await post(looks, streams, echo)).toBe('404 body');
  expect(await post(reads, echo)).toBe('404 read 4');
  expect(await post(readsLate, echo)).toBe('404 first late');
  expect(await post(readsInBody, echo)).toBe('404 body');
  expect(await post(answers('404 Not Found', 'no'), echo)).toBe('200 body');
});

test('an answer that is not wanted is not held beyond a limit', async () => {
  const large: Application = (_environ, startResponse) => {
    const write = startResponse('404 Not Found', []);
    for (let round = 0; round < 10; round++) write(new Uint8Array(10_000));
    return [encode('end')];
  };
  const { status, text } = await ask(cascade([large, hello]));
  expect([status, text.length]).toEqual(['404 Not Found', 100_003]);
});

test('failures and other statuses go out; the statuses are yours to choose', async () => {
  const fails: Application = () => {
    throw new Error('no');
  };
  expect((await ask(cascade([fails, hello]))).status).toBe('500 Internal Server Error');
  expect((await ask(cascade([answers('403 Forbidden', 'x'), hello]))).status).toBe('403 Forbidden');
  const options = { statuses: [403] };
  expect((await ask(cascade([answers('403 Forbidden', 'x'), hello], options))).text).toBe('hello');
  expect((await ask(cascade([answers('404 Not Found', 'x'), hello], options))).status).toBe('404 Not Found');
});

test('mistakes in an answer that is not wanted are found as ever', async () => {
  const twice: Application = (_environ, startResponse) => {
    startResponse('404 Not Found', []);
    startResponse('404 Not Found', []);
    return [];
  };
  const wrong: Application = (_environ, startResponse) => {
    startResponse('404 Not Found', [['a b', 'c']]);
    return [];
  };
  expect((await ask(cascade([twice, hello]))).log).toContain('[SR-13]');
  expect((await ask(cascade([wrong, hello]))).log).toContain('[SR-05]');
});

test('synchronous applications stay synchronous', () => {
  const app = cascade([answers('404 Not Found', 'x'), answers('405 Method Not Allowed', 'x'), hello]);
  expect(run(app, setupTestingDefaults())).toMatchObject({ statusCode: 200, body: [encode('hello')] });
});

test('a client that leaves closes whichever body there is, once', async () => {
  let closed = 0;
  const slow = (status: string): Application =>
    async function* (_environ, startResponse) {
      try {
        startResponse(status, []);
        for (;;) yield encode('x');
      } finally {
        closed++;
      }
    };
  const response = await run(cascade([slow('404 Not Found'), slow('200 OK')]), setupTestingDefaults());
  expect(closed).toBe(1);
  const { body } = response;
  if (!Array.isArray(body)) {
    await body.next();
    await body.close();
    await body.close();
  }
  expect(closed).toBe(2);
});

test('a hosted Fetch app, a hosted node listener and an application share the addresses on every platform', async () => {
  const app = cascade([
    fromFetch(async (request: Request) =>
      new URL(request.url).pathname === '/fetch'
        ? new Response(await request.text())
        : new Response('?', { status: 404 }),
    ),
    fromNode((request, response) => {
      if (request.url === '/node') request.pipe(response);
      else response.writeHead(404).end('?');
    }),
    hello,
  ]);
  for (const [platform, call] of await everywhere(app)) {
    expect(await (await call('/fetch', { method: 'POST', body: 'one' })).text(), platform).toBe('one');
    expect(await (await call('/node', { method: 'POST', body: 'two' })).text(), platform).toBe('two');
    expect(await (await call('/other')).text(), platform).toBe('hello');
  }
});

describe('an application behind a generator that does not know the address', () => {
  const unknown: Application = function* (_environ, startResponse) {
    startResponse('404 Not Found', []);
    yield encode('no');
  };
  const late = (known: Application) => cascade([unknown, unknown, known]);

  test.each(['GET', 'HEAD'])('may write its response to %s', async (method) => {
    const writes: Application = (_environ, startResponse) => {
      const write = startResponse('200 OK', [['Content-Type', 'text/plain']]);
      write(encode('hel'));
      write(encode('lo'));
      return [encode(' you')];
    };
    const { status, text, log } = await ask(late(writes), { REQUEST_METHOD: method });
    expect([status, text, log]).toEqual(['200 OK', method === 'HEAD' ? '' : 'hello you', '']);
  });

  test('may wait for each chunk that it writes to be taken', async () => {
    const writes: Application = async (_environ, startResponse) => {
      const write = startResponse('200 OK', [['Content-Length', '5']]);
      await write(encode('hel'));
      await write(encode('lo'));
      return [];
    };
    for (const [platform, call] of await everywhere(late(writes))) {
      const response = await call('/');
      expect([response.status, await response.text()], platform).toEqual([200, 'hello']);
    }
  });

  test.each(['HEAD', 'GET'])('may leave out the content that it announces to %s', async (method) => {
    const head: Application = (_environ, startResponse) => {
      startResponse(method === 'HEAD' ? '200 OK' : '304 Not Modified', [['Content-Length', '5']]);
      return [];
    };
    const { status, headers, log } = await ask(late(head), { REQUEST_METHOD: method });
    expect([status.slice(0, 3), headers.get('content-length'), log]).toEqual([
      method === 'HEAD' ? '200' : '304',
      '5',
      '',
    ]);
  });

  test('cannot write text in place of bytes', async () => {
    const wrong: Application = (_environ, startResponse) => {
      startResponse('404 Not Found', [])('text' as never);
      return [];
    };
    for (const app of [cascade([wrong, hello]), late(wrong)]) expect((await ask(app)).log).toContain('[STR-04]');
  });
});

test('what cannot be a cascade is refused', () => {
  for (const apps of [[], undefined, hello, [undefined]] as never[]) expect(() => cascade(apps)).toThrow(TypeError);
  expect(() => cascade([])).toThrow(
    'cascade was given an empty array; expected an array of applications, at least one.',
  );
  expect(() => cascade([hello], { statuses: 404 as never })).toThrow(TypeError);
  expect(() => cascade([hello], { statuses: [1000] })).toThrow(TypeError);
});
