// toNode inside other Node code: mounted by Express and its like, after headers were set, beside node.request and node.response.

import http, { type IncomingMessage, type RequestListener, type ServerResponse } from 'node:http';
import http2 from 'node:http2';
import https from 'node:https';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { type Application, type Environ, encode } from 'waygate';
import { toFetch } from 'waygate/fetch';
import { toNode } from 'waygate/node';

let stop = (): void => {};
afterEach(() => stop());

async function listening(listener: RequestListener): Promise<string> {
  const server = http.createServer(listener);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  stop = () => server.close().closeAllConnections();
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

/** What Express and connect do to a request before they call what is mounted under a prefix. */
function mount(prefix: string, listener: RequestListener): RequestListener {
  return (request, response) => {
    const url = request.url as string;
    const rest = url.slice(prefix.length);
    Object.assign(request, { originalUrl: url, baseUrl: prefix, url: rest.startsWith('/') ? rest : `/${rest}` });
    listener(request, response);
  };
}

const showing: Application = (environ, startResponse) => {
  startResponse('200 OK', []);
  const { SCRIPT_NAME, PATH_INFO, QUERY_STRING, REQUEST_URI } = environ;
  return [encode(JSON.stringify([SCRIPT_NAME, PATH_INFO, QUERY_STRING, REQUEST_URI]))];
};

describe('mounted under a prefix', () => {
  it.each([
    ['/api', '/api/users?a=1', ['/api', '/users', 'a=1', '/api/users?a=1']],
    ['/api', '/api', ['/api', '/', '', '/api']],
    ['/a%20b', '/a%20b/c%2Fd', ['/a b', '/c/d', '', '/a%20b/c%2Fd']],
  ])('%j, %j has its parts where they belong', async (prefix, url, parts) => {
    const origin = await listening(mount(prefix, toNode(showing)));
    expect(await (await fetch(origin + url)).json()).toEqual(parts);
  });

  it('adds a basePath to the prefix', async () => {
    const origin = await listening(mount('/api', toNode(showing, { basePath: '/v1' })));
    expect(await (await fetch(`${origin}/api/v1/users`)).json()).toEqual(['/api/v1', '/users', '', '/api/v1/users']);
  });

  it('is not for a client to say', async () => {
    const origin = await listening(toNode(showing));
    const headers = { 'Base-Url': '/evil', 'Original-Url': '/evil', baseUrl: '/evil', originalUrl: '/evil' };
    expect(await (await fetch(`${origin}/x`, { headers })).json()).toEqual(['', '/x', '', '/x']);
  });
});

describe('after other code', () => {
  const answering: Application = (environ, startResponse) => {
    startResponse('201 Made', [
      ['X-Mine', '1'],
      ...(environ.QUERY_STRING === 'more' ? [['X-More', '1'] as [string, string]] : []),
      ['Set-Cookie', 'a=1'],
      ['Set-Cookie', 'b=2'],
      ['X-Powered-By', 'waygate'],
    ]);
    return [encode('body')];
  };

  it('has set headers, they go out beside the application’s own, which win', async () => {
    const inner = toNode(answering);
    const origin = await listening((request, response) => {
      response.setHeader('X-Powered-By', 'Express');
      response.setHeader('X-Theirs', 'yes');
      inner(request, response);
    });
    const response = await fetch(origin);
    expect([response.status, response.statusText, await response.text()]).toEqual([201, 'Made', 'body']);
    expect(response.headers.get('x-theirs')).toBe('yes');
    expect(response.headers.get('x-powered-by')).toBe('waygate');
    expect(response.headers.getSetCookie()).toEqual(['a=1', 'b=2']);
  });

  // An odd and an even number of headers fail in different places of Node 20.
  it.each(['/', '/?more'])('has set headers and removed them all again, nothing is lost: %s', async (url) => {
    const inner = toNode(answering);
    const origin = await listening((request, response) => {
      response.setHeader('X-Theirs', 'yes');
      response.removeHeader('X-Theirs');
      inner(request, response);
    });
    const response = await fetch(origin + url);
    expect([response.status, response.statusText, await response.text()]).toEqual([201, 'Made', 'body']);
    expect([response.headers.get('x-theirs'), response.headers.get('x-mine')]).toEqual([null, '1']);
    expect(response.headers.getSetCookie()).toEqual(['a=1', 'b=2']);
  });

  it('has read the body, the application gets an error and nothing hangs', async () => {
    const inner = toNode(async (environ, startResponse) => {
      const outcome = await environ['wsgi.input'].read().then(
        (bytes) => `${bytes.byteLength} bytes`,
        (error) => error.message,
      );
      startResponse('200 OK', []);
      return [encode(outcome)];
    });
    const origin = await listening(async (request, response) => {
      for await (const _chunk of request);
      inner(request, response);
    });
    // The bytes are gone: less than was sent is an error, not an end. (INPUT-12)
    const said =
      /^The request body was read before .* Mount toNode ahead of it, or have it keep the bytes in request\.rawBody\.$/;
    expect(await (await fetch(origin, { method: 'POST', body: 'abc' })).text()).toMatch(said);
    const chunked = { method: 'POST', body: new Response('abc').body, duplex: 'half' } as RequestInit;
    expect(await (await fetch(origin, chunked)).text()).toMatch(said);
  });

  it('leaves already, its close() still comes', async () => {
    let closed = 0;
    const inner = toNode((_environ, startResponse) => {
      startResponse('200 OK', []);
      return Object.assign([encode('late')], { close: () => void closed++ });
    });
    const origin = await listening((request, response) => {
      response.end('theirs');
      inner(request, response);
    });
    expect(await (await fetch(origin)).text()).toBe('theirs');
    await expect.poll(() => closed).toBe(1);
  });
});

describe('the objects of Node', () => {
  it('are in environ, and the application may answer through them by itself', async () => {
    let seen: Environ | undefined;
    const origin = await listening(
      toNode((environ, startResponse) => {
        seen = environ;
        const response = environ['node.response'] as ServerResponse;
        response.writeHead(202, { 'X-By': 'node' });
        response.end((environ['node.request'] as IncomingMessage).url);
        startResponse('200 OK', []);
        return [];
      }),
    );
    const response = await fetch(`${origin}/path`);
    expect([response.status, response.headers.get('x-by'), await response.text()]).toEqual([202, 'node', '/path']);
    expect(seen?.['waygate.gateway']).toBe('node');
  });
});

describe('a listener', () => {
  it('is refused for a value that is not an application, when it is made', () => {
    expect(() => toNode(null as never)).toThrow(TypeError);
    expect(() => toNode(() => [], { maxBodyBytes: -1 })).toThrow(TypeError);
  });

  it('is what every createServer of Node takes, by its type too', () => {
    const listener = toNode(showing);
    const servers = [http.createServer(listener), https.createServer(listener), http2.createServer(listener)];
    const secure = http2.createSecureServer({}, listener);
    for (const server of [...servers, secure]) expect(server.listeners('request')).toEqual([listener]);
  });

  it('says what it is when somebody takes it for an application', async () => {
    const log: string[] = [];
    const response = await toFetch(toNode(showing) as never, { errors: (text) => log.push(text) })('/');
    expect(response.status).toBe(500);
    expect(log.join()).toMatch(/toNode made was called with a function as its response; .* fromNode\(listener\)\.$/m);
  });

  it('says whether other processes run the same application', async () => {
    const asked: boolean[] = [];
    const asking: Application = (environ, startResponse) => {
      asked.push(environ['wsgi.multiprocess']);
      return showing(environ, startResponse);
    };
    await fetch(await listening(toNode(asking)));
    stop();
    await fetch(await listening(toNode(asking, { multiprocess: true })));
    expect(asked).toEqual([false, true]);
  });
});
