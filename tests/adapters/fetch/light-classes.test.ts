// The light classes against the platform's own: each behaviour is run with both, on this very Node, and has to come out the
// same. What the standard says and the platform does not do is not asked for.

import { Readable } from 'node:stream';
import util from 'node:util';
import { describe, expect, test } from 'vitest';
import * as light from 'waygate/light-fetch/classes';

/** The classes under test. The names are those that a program would use. */
type Classes = Pick<typeof globalThis, 'Response' | 'Request' | 'Headers'>;
type Behaviour = (classes: Classes) => unknown;

const platform: Classes = { Response, Request, Headers };

/** What came of a behaviour, or which kind of error. */
async function outcome(behaviour: Behaviour, classes: Classes): Promise<unknown> {
  try {
    return await behaviour(classes);
  } catch (error) {
    return `throws ${(error as Error).name}`;
  }
}

function hold(behaviours: Record<string, Behaviour>): void {
  test.each(Object.entries(behaviours))('%s', async (_name, behaviour) => {
    expect(await outcome(behaviour, light)).toEqual(await outcome(behaviour, platform));
  });
}

/** Each outcome of several behaviours, errors included. */
const all = (...behaviours: (() => unknown)[]): Promise<unknown[]> =>
  Promise.all(behaviours.map((each) => outcome(each, platform)));

const pairs = (headers: Headers): [string, string][] => [...headers];
const bytes = (...values: number[]): Uint8Array<ArrayBuffer> => new Uint8Array(values);
const streamOf = (...texts: string[]): ReadableStream =>
  Readable.toWeb(Readable.from(texts.map((text) => new TextEncoder().encode(text)))) as ReadableStream;

/** Everything that a response shows, its body as text. */
async function shown(response: Response): Promise<unknown> {
  const { status, statusText, ok, type, url, redirected, bodyUsed, headers, body } = response;
  const seen = { status, statusText, ok, type, url, redirected, bodyUsed, headers: pairs(headers) };
  return { ...seen, hasBody: body !== null, text: await response.text(), used: response.bodyUsed };
}

const BODIES: Record<string, () => BodyInit | null | undefined> = {
  'a text': () => 'text',
  'an empty text': () => '',
  'a text beyond ASCII': () => 'hé — 🌍',
  'a text with half a character': () => 'a\ud800b',
  'a text with a byte order mark': () => '\ufeffmarked',
  undefined: () => undefined,
  null: () => null,
  bytes: () => bytes(0xff, 0, 0x41),
  'bytes of a text with a mark': () => bytes(0xef, 0xbb, 0xbf, 0x41),
  'no bytes': () => bytes(),
  'a Buffer': () => Buffer.from('buffer'),
  'a part of a buffer': () => bytes(1, 2, 3, 4).subarray(1, 3),
  'an ArrayBuffer': () => bytes(65, 66).buffer,
  'a DataView': () => new DataView(bytes(65, 66, 67).buffer, 1),
  'an Uint16Array': () => new Uint16Array([65, 66]),
  'a Blob': () => new Blob(['blob'], { type: 'x/y' }),
  'a Blob without a type': () => new Blob(['blob']),
  URLSearchParams: () => new URLSearchParams({ a: 'b c', d: 'é' }),
  'a stream': () => streamOf('one', 'two'),
  'an empty stream': () => streamOf(),
  'a number': () => 5 as never,
  'an object': () => ({}) as never,
  'an object with toString': () => ({ toString: () => 'made' }) as never,
  'a symbol': () => Symbol('no') as never,
  'shared memory': () => new Uint8Array(new SharedArrayBuffer(2)) as never,
};

describe('a response of', () => {
  for (const [name, body] of Object.entries(BODIES)) {
    hold({
      [name]: ({ Response }) => shown(new Response(body())),
      [`${name}, with a type`]: ({ Response }) =>
        shown(new Response(body(), { headers: { 'Content-Type': 'a/b', 'X-A': '1' }, status: 201 })),
      [`${name}, read in each way`]: ({ Response }) =>
        all(
          async () => (await new Response(body()).json()) as unknown,
          async () => [...new Uint8Array(await new Response(body()).arrayBuffer())],
          async () => [...(await (new Response(body()) as unknown as { bytes(): Promise<Uint8Array> }).bytes())],
          async () => {
            const blob = await new Response(body(), { headers: { 'content-type': 'Text/Plain' } }).blob();
            return [blob.type, blob.size, await blob.text()];
          },
          async () => [...(await new Response(body()).formData())],
        ),
      [`${name}, read twice`]: async ({ Response }) => {
        const response = new Response(body());
        await response.arrayBuffer();
        return [
          response.bodyUsed,
          ...(await all(
            () => response.text(),
            () => response.clone().text(),
          )),
        ];
      },
      [`${name}, cloned`]: async ({ Response }) => {
        const response = new Response(body(), { headers: { a: 'b' }, status: 203, statusText: 'Odd' });
        const clone = response.clone();
        response.headers.set('a', 'changed');
        return [await shown(response), await shown(clone), clone instanceof Response];
      },
      [`${name}, with a status that has none`]: ({ Response }) =>
        all(...[204, 205, 304].map((status) => () => shown(new Response(body(), { status })))),
      [`${name}, passed on`]: async ({ Response }) => {
        const inner = new Response(body(), { status: 202, headers: { 'x-i': '1' } });
        return [await shown(new Response(inner.body, inner)), inner.bodyUsed];
      },
    });
  }
});

describe('the init of a response', () => {
  const statuses = [
    100,
    101,
    199,
    200,
    299,
    599,
    600,
    999,
    65_736,
    -1,
    200.9,
    Number.NaN,
    '201',
    null,
    {},
    5n,
    Symbol('s'),
  ];
  for (const status of statuses) {
    hold({
      [`status ${String(status)}`]: ({ Response }) => shown(new Response(null, { status: status as number })),
      [`status ${String(status)}, of Response.json`]: ({ Response }) =>
        shown(Response.json({}, { status: status as number })),
      [`status ${String(status)}, of Response.redirect`]: async ({ Response }) =>
        shown(Response.redirect('http://h/', status as number)),
    });
  }
  for (const text of ['', 'Fine', 'a\tb', ' border ', 'é', '€', 'a\nb', '\0', 5, null, undefined, Symbol('s')]) {
    hold({
      [`statusText ${JSON.stringify(text) ?? String(text)}`]: ({ Response }) =>
        shown(new Response(null, { statusText: text as string })),
    });
  }
  hold({
    'null, undefined, a function, a number, a text': ({ Response }) =>
      all(
        ...[null, undefined, () => {}, 5, 'init', true].map(
          (init) => () => shown(new Response('x', init as ResponseInit)),
        ),
      ),
    'headers null, and no headers at all': ({ Response }) =>
      all(
        ...[null, 5, 'a', true, [], {}, [['a']], [['a', 'b', 'c']], ['ab'], [null]].map(
          (headers) => () => shown(new Response('x', { headers: headers as never })),
        ),
      ),
    'headers that are changed afterwards': ({ Headers, Response }) => {
      const headers = new Headers({ a: '1' });
      const response = new Response(null, { headers });
      headers.set('a', '2');
      return pairs(response.headers);
    },
    'the headers of another response': ({ Response }) =>
      pairs(new Response('x', { headers: new Response('y', { headers: { b: '1' } }).headers }).headers),
    'headers from an iterator that runs once': ({ Response }) => {
      const once = (function* () {
        yield ['a', '1'] as [string, string];
        yield ['b', '2'] as [string, string];
      })();
      return shown(new Response('x', { headers: once as never }));
    },
    'a type that is taken away again': async ({ Response }) => {
      const response = new Response('x');
      response.headers.delete('content-type');
      return [(await response.clone().blob()).type, pairs(response.headers), (await response.blob()).type];
    },
    'a type that is changed before the body is read': async ({ Response }) => {
      const response = new Response('a=b');
      response.headers.set('content-type', 'application/x-www-form-urlencoded');
      return [...(await response.formData())];
    },
    'bytes that are changed afterwards': async ({ Response }) => {
      const given = bytes(65, 66);
      const response = new Response(given);
      given[0] = 67;
      return response.text();
    },
    'bytes that are read are the reader’s own': async ({ Response }) => {
      const response = new Response(bytes(65, 66));
      const clone = response.clone();
      new Uint8Array(await response.arrayBuffer())[0] = 67;
      return clone.text();
    },
    'a form': async ({ Response }) => {
      const form = new FormData();
      form.set('a', 'é');
      const response = new Response(form);
      const type = response.headers.get('content-type')?.replace(/boundary=.*/, 'boundary');
      return [type, [...(await response.formData())]];
    },
  });
});

describe('the body of a response', () => {
  hold({
    'its stream, read': async ({ Response }) => {
      const response = new Response('stream me');
      const { body } = response;
      const same = response.body === body;
      const chunks = [];
      for await (const chunk of response.body as unknown as AsyncIterable<Uint8Array>) chunks.push(...chunk);
      return [
        same,
        chunks,
        response.bodyUsed,
        ...(await all(
          () => response.text(),
          () => response.clone(),
        )),
      ];
    },
    'its stream, locked': async ({ Response }) => {
      const response = new Response('x');
      const reader = response.body?.getReader();
      const locked = await all(
        () => response.text(),
        () => response.clone(),
        () => response.bodyUsed,
      );
      reader?.releaseLock();
      return [locked, await response.text()];
    },
    'its stream, cancelled': async ({ Response }) => {
      const response = new Response('x');
      await response.body?.cancel();
      return [response.bodyUsed, ...(await all(() => response.text()))];
    },
    'its stream, after it was read': async ({ Response }) => {
      const response = new Response('x');
      await response.text();
      return [response.bodyUsed, response.body === null, response.body?.locked];
    },
    'a stream that is locked or used as a body': async ({ Response }) => {
      const [locked, used] = [streamOf('a'), streamOf('b')];
      locked.getReader();
      await new Response(used).text();
      return all(
        () => new Response(locked),
        () => new Response(used),
      );
    },
    'a stream that fails, and one of what is no bytes': ({ Response }) =>
      all(
        () => new Response(new ReadableStream({ start: (c) => c.error(new RangeError('broken')) })).text(),
        () => new Response(new ReadableStream({ start: (c) => c.enqueue('text') })).text(),
      ),
    'reading starts at once': async ({ Response }) => {
      const response = new Response('x');
      const reading = response.text();
      return [response.bodyUsed, await reading];
    },
    'JSON that is none': ({ Response }) =>
      all(
        () => new Response('{').json(),
        () => new Response(null).json(),
      ),
    'no body can be read again and again': async ({ Response }) => {
      const response = new Response(null);
      return [await response.text(), await response.text(), response.bodyUsed, response.clone().body];
    },
  });
});

describe('the static methods of Response', () => {
  const data = [undefined, null, 5, 'text', { a: [1] }, () => {}, Symbol('s'), 5n, { toJSON: () => 'made' }];
  hold({
    json: ({ Response }) => all(...data.map((each) => () => shown(Response.json(each)))),
    'json with an init': ({ Response }) =>
      all(
        () => shown(Response.json({}, { headers: { 'content-type': 'a/b' } })),
        () => shown(Response.json({}, { headers: { 'x-a': '1' }, status: 201, statusText: 'Made' })),
        () => shown(Response.json({}, { status: 204 })),
        () => shown((Response.json as unknown as () => Response)()),
      ),
    redirect: ({ Response }) =>
      all(
        () => shown(Response.redirect('http://h/é?a b#c')),
        () => shown(Response.redirect(new URL('http://h/'), 308)),
        () => shown(Response.redirect('/relative')),
        () => shown((Response.redirect as unknown as () => Response)()),
        () => Response.redirect('http://h/').headers.set('a', 'b'),
        () => Response.redirect('http://h/').clone().headers.append('a', 'b'),
        () => Response.redirect('http://h/').headers.delete('location'),
      ),
    error: ({ Response }) =>
      all(
        () => shown(Response.error()),
        () => Response.error().headers.set('a', 'b'),
        () => Response.error().clone().type,
        () => new Response('x', Response.error()),
      ),
  });
});

describe('what responses are', () => {
  class Other {}
  hold({
    'their class': ({ Response }) => {
      const response = new Response('x');
      return [
        [response instanceof Response, response instanceof platform.Response, response instanceof Object],
        [new platform.Response('x') instanceof Response, {} instanceof Response, new Other() instanceof Response],
        [
          (null as unknown as object) instanceof Response,
          ('x' as unknown as object) instanceof Response,
          Response.prototype instanceof Response,
        ],
        [response.constructor === Response, Object.prototype.toString.call(response), String(response)],
        [Response.json({}) instanceof Response, Response.error() instanceof Response],
        [Response.name, Response.length, typeof Response],
      ];
    },
    'their members': ({ Response }) => {
      const members: string[] = [];
      for (const key in new Response('x')) members.push(key);
      const lengths = ['clone', 'text', 'json', 'blob', 'formData', 'arrayBuffer'] as const;
      return [
        members.sort(),
        Object.keys(new Response('x')),
        Object.keys(Response).sort(),
        lengths.map((key) => Response.prototype[key].length),
        [Response.json.length, Response.redirect.length, Response.error.length],
        JSON.stringify(new Response('x')),
      ];
    },
    'called without new': ({ Response }) => (Response as unknown as () => Response)(),
    'members of what is none': ({ Response }) =>
      all(
        () => Response.prototype.status,
        () => Response.prototype.headers,
        () => Response.prototype.body,
        () => Response.prototype.text.call({} as Response),
        () => Response.prototype.clone.call({} as Response),
      ),
    'methods called with responses of the platform': ({ Response }) => {
      const status = Object.getOwnPropertyDescriptor(Response.prototype, 'status')?.get;
      return all(
        () => Response.prototype.text.call(new platform.Response('theirs')),
        () => Response.prototype.clone.call(new platform.Response('theirs')).text(),
        () => status?.call(new platform.Response(null, { status: 202 })),
      );
    },
    'a class that extends it': async ({ Response }) => {
      class Own extends Response {
        extra = 1;
        override get ok(): boolean {
          return !super.ok;
        }
      }
      const own = new Own('own', { headers: { 'x-o': '1' }, status: 201 });
      return [
        [own instanceof Own, own instanceof Response, new Response('x') instanceof Own, own.constructor === Own],
        [own.extra, own.ok, own.status, own.clone() instanceof Own, own.clone() instanceof Response],
        [pairs(own.headers), await own.text()],
      ];
    },
    'members that are set': ({ Response }) => {
      const response = new Response('x') as unknown as Record<string, unknown>;
      response.own = 1;
      return [response.own, ...['status', 'headers', 'ok'].map((key) => Reflect.set(response, key, 1))];
    },
    'what is shown of them': ({ Response }) => {
      const response = new Response('x', { headers: { 'X-B': '1', a: '2' }, statusText: 'Fine' });
      return [response, [response], new Response(), Response.error()].map((each) => util.inspect(each, { depth: 5 }));
    },
    'copies of them': ({ Response, Headers }) =>
      all(
        () => Object.keys(structuredClone(new Response('x')) as object),
        () => Object.keys(structuredClone(new Headers({ a: 'b' })) as object),
      ),
  });
});

describe('headers', () => {
  const inits: Record<string, unknown> = {
    nothing: undefined,
    null: null,
    'a number': 5,
    'a text': 'a',
    'a record': { 'X-B': '1', a: '2', 'x-b': '3' },
    'a record of what are no texts': { a: 1, b: null, c: undefined, d: ['x', 'y'], e: true },
    'a record with a symbol': { [Symbol('s')]: '1' },
    'a list': [
      ['B', '1'],
      ['a', '2'],
      ['b', '3'],
      ['set-cookie', 'x=1'],
      ['Set-Cookie', 'y=2'],
    ],
    'a list of lists that are too short': [['a']],
    'a list of lists that are too long': [['a', 'b', 'c']],
    'a list of texts': ['ab'],
    'a map': new Map([['a', '1']]),
    'a list of sets': [new Set(['a', 'b'])],
    'what is iterable by name only': { [Symbol.iterator]: 5 },
    'what is iterable as nothing': { [Symbol.iterator]: null, a: '1' },
    'headers of the platform': new platform.Headers([
      ['Set-Cookie', 'a=1'],
      ['set-cookie', 'b=2'],
      ['c', '3'],
    ]),
    'many of one name': Array.from({ length: 40 }, (_, at) => ['x-a', String(at)]),
    'many names': Array.from({ length: 40 }, (_, at) => [`x-${at}`, String(at)]).concat([['X-3', 'again']]),
    cookies: [
      ['cookie', 'a=1'],
      ['Cookie', 'b=2'],
    ],
  };
  for (const [name, init] of Object.entries(inits)) {
    hold({
      [`of ${name}`]: ({ Headers }) => {
        const headers = new Headers(init as HeadersInit);
        return [
          pairs(headers),
          headers.getSetCookie(),
          headers.get('A'),
          headers.has('X-B'),
          headers.get('set-cookie'),
        ];
      },
      // Headers of the platform keep to themselves how they were given.
      [`of ${name}, shown`]: ({ Headers }) =>
        init instanceof platform.Headers ? null : util.inspect(new Headers(init as HeadersInit)),
    });
  }
  for (const name of ['', ' ', 'a b', 'a:', 'é', 'ā', 'X-Ok', '!#$', 'a\n', null, undefined, 5]) {
    hold({
      [`a name that is ${JSON.stringify(name) ?? name}`]: ({ Headers }) =>
        all(
          ...(['append', 'set', 'get', 'has', 'delete'] as const).map((method) => () => {
            const headers = new Headers({ 'x-ok': 'there' });
            const result = headers[method](name as string, 'v');
            return [result, pairs(headers)];
          }),
          () => pairs(new Headers([[name as string, 'v']])),
          () => pairs(new Headers({ [name as string]: 'v' })),
        ),
    });
  }
  for (const value of [
    '',
    ' v ',
    '\tv\r\n',
    '\r\n\t ',
    'a\nb',
    'a\0b',
    'a\x01b',
    'é',
    'ā',
    'a b',
    '\x7f',
    '\x0bv\x0c',
    5,
    null,
  ]) {
    hold({
      [`a value that is ${JSON.stringify(value)}`]: ({ Headers }) =>
        all(
          ...(['append', 'set'] as const).map((method) => () => {
            const headers = new Headers({ a: 'there' });
            headers[method]('A', value as string);
            return pairs(headers);
          }),
          () => pairs(new Headers({ a: value as string })),
        ),
    });
  }
  hold({
    'changed in all ways': ({ Headers }) => {
      const headers = new Headers({ b: '1', a: '2' });
      const seen: unknown[] = [];
      const look = (): number => seen.push([...headers.keys()], [...headers.values()], headers.getSetCookie());
      headers.append('B', '3');
      look();
      headers.set('c', '4');
      look();
      headers.append('set-cookie', 'x');
      headers.append('Set-Cookie', 'y');
      headers.append('set-cookie', '');
      look();
      headers.set('set-cookie', 'z');
      look();
      headers.delete('A');
      headers.delete('set-cookie');
      look();
      headers.append('', 'x');
      return seen;
    },
    'changed while many are there': ({ Headers }) => {
      const headers = new Headers(Array.from({ length: 40 }, (_, at): [string, string] => [`x-${at}`, 'v']));
      headers.append('x-7', 'w');
      headers.delete('x-8');
      headers.set('x-9', 'set');
      headers.append('x-8', 'back');
      return pairs(headers);
    },
    'without arguments': ({ Headers }) => {
      const headers = new Headers({ undefined: '1' }) as unknown as Record<string, (...given: unknown[]) => unknown>;
      return all(
        ...['append', 'set', 'get', 'has', 'delete', 'forEach'].flatMap((method) => [
          () => headers[method]?.(),
          () => headers[method]?.('a'),
        ]),
      );
    },
    'walked, and changed meanwhile': ({ Headers }) => {
      const headers = new Headers([
        ['a', '1'],
        ['b', '2'],
        ['c', '3'],
      ]);
      const seen: unknown[] = [];
      for (const [name, value] of headers) {
        seen.push([name, value]);
        if (name === 'a') headers.delete('b');
        if (name === 'c') headers.append('d', '4');
      }
      headers.forEach((value, name, self) => {
        seen.push([value, name, self === headers]);
        if (name === 'a') headers.set('e', '5');
      });
      return seen;
    },
    forEach: ({ Headers }) => {
      const headers = new Headers({ a: '1' });
      const self: unknown[] = [];
      const keep = function (this: unknown): void {
        self.push(this === globalThis ? 'global' : this);
      };
      const result = [headers.forEach(keep, 'own'), headers.forEach(keep), headers.forEach(keep, null)];
      return all(
        () => [result, self],
        () => headers.forEach(5 as never),
        () => headers.forEach({} as never),
      );
    },
    'their iterators': ({ Headers }) => {
      const headers = new Headers({ a: '1' });
      const iterator = headers.entries() as unknown as Record<symbol | 'next', unknown> & Iterator<unknown>;
      return [
        Object.prototype.toString.call(iterator),
        (iterator as unknown as Iterable<unknown>)[Symbol.iterator]() === (iterator as unknown),
        [iterator.next(), iterator.next(), iterator.next()],
        Object.hasOwn(iterator, 'next'),
        headers[Symbol.iterator] === headers.entries,
        Headers.prototype[Symbol.iterator] === Headers.prototype.entries,
      ];
    },
    'iterators of something else': ({ Headers }) => {
      const iterator = new Headers().entries();
      return all(
        () => iterator.next.call({} as never),
        () => Headers.prototype.entries.call({} as Headers),
        () => Headers.prototype.get.call({} as Headers, 'a'),
        () => Headers.prototype.forEach.call({} as Headers, () => {}),
        () => Headers.prototype.get.call({} as Headers, ''),
      );
    },
    'what they are': ({ Headers }) => {
      const headers = new Headers({ a: '1' });
      const members: string[] = [];
      for (const key in headers) members.push(key);
      return [
        [headers instanceof Headers, headers instanceof platform.Headers, new platform.Headers() instanceof Headers],
        [{} instanceof Headers, headers.constructor === Headers, Object.prototype.toString.call(headers)],
        [Headers.name, Headers.length, members.sort(), Object.keys(headers), JSON.stringify(headers)],
        (['append', 'delete', 'get', 'has', 'set', 'forEach', 'keys', 'entries', 'getSetCookie'] as const).map(
          (key) => Headers.prototype[key].length,
        ),
        pairs(new platform.Headers(headers)),
        Object.fromEntries(headers),
      ];
    },
    'a class that extends them': ({ Headers }) => {
      class Own extends Headers {
        override get(name: string): string | null {
          return `own ${super.get(name)}`;
        }
      }
      const own = new Own({ a: '1' });
      return [
        own.get('a'),
        own instanceof Own,
        own instanceof Headers,
        new Headers() instanceof Own,
        pairs(new Headers(own)),
      ];
    },
    'how often an iterator is asked for': ({ Headers }) => {
      let asked = 0;
      const iterable = (...items: unknown[]): unknown => ({
        get [Symbol.iterator]() {
          asked++;
          return () => items.values();
        },
      });
      return [pairs(new Headers(iterable(iterable('a', '1'), ['b', '2']) as HeadersInit)), asked];
    },
    'an iterator that is null and not listed': ({ Headers }) =>
      pairs(new Headers(Object.defineProperty({ a: '1' }, Symbol.iterator, { value: null }))),
    'in which order a record is read': ({ Headers }) => {
      const log: string[] = [];
      const seen = (trap: string, key: unknown): number => log.push(`${trap} ${String(key)}`);
      const record = new Proxy({ b: '1', A: '2' } as Record<string, string>, {
        ownKeys: (target) => (seen('ownKeys', '') ? Reflect.ownKeys(target) : []),
        get: (target, key) => seen('get', key) && Reflect.get(target, key),
        getOwnPropertyDescriptor: (target, key) =>
          seen('own', key) ? Reflect.getOwnPropertyDescriptor(target, key) : undefined,
      });
      return [pairs(new Headers(record)), log];
    },
  });
});

describe('requests', () => {
  const url = 'http://localhost/a?b';
  hold({
    'made of all kinds': async ({ Request, Headers }) => {
      const request = new Request(url, { method: 'POST', headers: new Headers({ a: '1' }), body: 'body' });
      const copy = new Request(request.clone(), { headers: { b: '2' } });
      return [
        [
          request.url,
          request.method,
          request.headers.get('a'),
          request.headers.get('content-type'),
          'duplex' in request,
        ],
        [copy.url, copy.method, pairs(copy.headers), await copy.text(), await request.text(), request.bodyUsed],
      ];
    },
    'that cannot be': ({ Request }) =>
      all(
        () => new Request('/relative'),
        () => new Request(url, { body: 'x' }),
        () => new Request(url, { method: 'TRACE' }),
        () => new (Request as unknown as new () => Request)(),
        () => (Request as unknown as (url: string) => Request)(url),
      ),
    'what they are': ({ Request, Headers }) => {
      const request = new Request(url);
      return [
        [request instanceof Request, request instanceof platform.Request, new platform.Request(url) instanceof Request],
        [{} instanceof Request, request.constructor === Request, Object.prototype.toString.call(request)],
        [
          Request.name,
          Request.length,
          typeof Request,
          request.headers instanceof Headers,
          request.clone() instanceof Request,
        ],
        Object.getOwnPropertyNames(Request.prototype).length > 0,
      ];
    },
    'a class that extends it': async ({ Request }) => {
      class Own extends Request {
        extra = 1;
        override get method(): string {
          return `own ${super.method}`;
        }
      }
      const own = new Own(url, { method: 'POST', body: 'x' });
      return [
        own.extra,
        own.method,
        own instanceof Own,
        own instanceof Request,
        new Request(url) instanceof Own,
        await own.text(),
      ];
    },
  });
});
