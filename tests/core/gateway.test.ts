// What of the gateway cannot be seen through an adapter; all else is in the conformance suite.

import { describe, expect, it } from 'vitest';
import { type Application, encode, type ResponseBody, run, setupTestingDefaults } from 'waygate';
import { Exchange } from '../../core/gateway.ts';

describe('the response of an async application', () => {
  it('is there as soon as the application has written, also before its first await (WRITE-01)', async () => {
    let leave = (): void => {};
    const left = new Promise<void>((resolve) => {
      leave = resolve;
    });
    const app: Application = async (_environ, startResponse) => {
      startResponse('200 OK', [])(encode('early'));
      await left;
      return [];
    };
    const response = await run(app, setupTestingDefaults());
    expect(response.status).toBe('200 OK');
    leave();
  });
});

describe('a client that left while the application was working (ERR-05)', () => {
  const gone = () => {
    const log: string[] = [];
    const errors = { write: (text: string) => void log.push(text), writelines: () => {}, flush: () => {} };
    return { log, environ: setupTestingDefaults({ 'wsgi.errors': errors }) };
  };

  it('is no fault of an application that starts its response later', async () => {
    const { log, environ } = gone();
    const exchange = new Exchange(environ);
    let closed = 0;
    const response = exchange.run(async (_environ, startResponse) => {
      await null;
      const write = startResponse('200 OK', []);
      await write(encode('nobody reads this')).catch(() => {});
      return Object.assign([encode('nor this')], { close: () => void closed++ });
    });
    await exchange.close();
    await response;
    await new Promise((resolve) => setTimeout(resolve, 0));
    expect({ log, closed }).toEqual({ log: [], closed: 1 });
  });

  it('is no fault of an application whose body starts the response later', async () => {
    const { log, environ } = gone();
    const exchange = new Exchange(environ);
    const response = exchange.run(async function* (_environ, startResponse) {
      await null;
      startResponse('200 OK', []);
      yield encode('nobody reads this');
    });
    await exchange.close();
    await response;
    await new Promise((resolve) => setTimeout(resolve, 0));
    expect(log).toEqual([]);
  });

  it('does not hide what the application does wrong by itself', async () => {
    const { log, environ } = gone();
    const exchange = new Exchange(environ);
    const response = exchange.run(async (_environ, startResponse) => {
      await null;
      startResponse('bad', []);
      return [];
    });
    await exchange.close();
    await response;
    await new Promise((resolve) => setTimeout(resolve, 0));
    expect(log.join('')).toContain('SR-02');
  });
});

describe('what lingers after close()', () => {
  const gate = (): { opened: Promise<void>; open(): void } => {
    let open = (): void => {};
    const opened = new Promise<void>((resolve) => {
      open = resolve;
    });
    return { opened, open };
  };

  it('is the step that a generator is in, up to the end of its finally (CLOSE-03)', async () => {
    const { opened, open } = gate();
    const done: string[] = [];
    const app: Application = async function* (_environ, startResponse) {
      startResponse('200 OK', []);
      try {
        yield encode('first');
        await opened;
        yield encode('second');
      } finally {
        await null;
        done.push('closed');
      }
    };
    const work: Promise<void>[] = [];
    const response = await run(app, setupTestingDefaults(), { linger: (each) => work.push(each) });
    const body = response.body as ResponseBody;
    body.next();
    const second = body.next();
    await body.close();
    expect(work).toHaveLength(1);
    expect(done).toEqual([]);
    open();
    await Promise.all([second, ...work]);
    expect(done).toEqual(['closed']);
  });

  it('is an application that has not answered yet, and the close() of its body (ERR-05)', async () => {
    const { opened, open } = gate();
    const done: string[] = [];
    const app: Application = async () => {
      await opened;
      done.push('answered');
      return Object.assign([encode('late')], {
        async close() {
          await null;
          done.push('closed');
        },
      });
    };
    const work: Promise<void>[] = [];
    const exchange = new Exchange(setupTestingDefaults(), { linger: (each) => work.push(each) });
    const response = exchange.run(app);
    exchange.close();
    expect((await response).statusCode).toBe(499);
    expect(work).toHaveLength(1);
    open();
    await Promise.all(work);
    expect(done).toEqual(['answered', 'closed']);
  });
});
