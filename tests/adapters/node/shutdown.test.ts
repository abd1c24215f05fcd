// How a process that serves ends at a signal: nothing that it has open keeps it, and nothing that runs is lost.

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import net from 'node:net';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { type Application, encode } from 'waygate';
import { serve } from 'waygate/node';
import { Conversation } from './http-client.ts';

const script = fileURLToPath(new URL('./serve-child.mjs', import.meta.url));

interface Child {
  port: number;
  process: ChildProcess;
  exit: Promise<unknown[]>;
  stderr: () => string;
}

async function child(args: string[], fd?: number): Promise<Child> {
  const stdio = ['ignore', 'pipe', 'pipe', ...(fd === undefined ? [] : [fd])] as const;
  const started = spawn(process.execPath, [script, ...args], { stdio: [...stdio] });
  let stderr = '';
  started.stderr?.on('data', (text) => {
    stderr += text;
  });
  const exit = new Promise<unknown[]>((resolve) => started.once('exit', (...how) => resolve(how)));
  const port = await new Promise<number>((resolve, reject) => {
    started.stdout?.on('data', (text) => resolve(Number(text)));
    started.once('exit', () => reject(new Error(`the server did not start: ${stderr}`)));
  });
  return { port, process: started, exit, stderr: () => stderr };
}

/** Begins a request, sends SIGTERM, and returns how the process ended and after how many milliseconds. */
async function terminated(args: string[]): Promise<Child & { how: unknown[]; took: number; received: string }> {
  const started = await child(args);
  const client = new Conversation(started.port);
  client.send('GET / HTTP/1.1\r\nHost: x\r\n\r\n');
  await client.until('begun,');
  const began = performance.now();
  started.process.kill('SIGTERM');
  const how = await started.exit;
  return { ...started, how, took: performance.now() - began, received: client.received };
}

describe('SIGTERM', { timeout: 30_000 }, () => {
  test.each(['timer', 'two'])('ends a process that has something open, with status 0: %s', async (mode) => {
    const { how, took, received, stderr } = await terminated([mode]);
    expect(how).toEqual([0, null]);
    expect(took).toBeLessThan(4000);
    expect(received).toMatch(/finished/);
    expect(stderr()).toBe('Shutting down: waiting for 1 connection with a request, for at most 8 s.\n');
  });

  test('waits for work after the response, and says so', async () => {
    const { how, stderr } = await terminated(['work']);
    expect(how).toEqual([0, null]);
    expect(stderr()).toMatch(
      /^Shutting down: waiting for .*1 piece of work after a response, for at most 8 s\.\nwork done\n$/,
    );
  });

  test('lets requests end themselves shortly before the deadline', async () => {
    const { how, took, received } = await terminated(['abort', '2000']);
    expect(how).toEqual([0, null]);
    expect(took).toBeGreaterThan(1200);
    expect(received).toMatch(/finished/);
  });

  test('cuts off what is left below the 10 seconds that Docker gives, and says so', async () => {
    const { how, took, received, stderr } = await terminated(['endless']);
    expect(how).toEqual([0, null]);
    expect(took).toBeLessThan(9800);
    expect(received).not.toMatch(/finished/);
    expect(stderr()).toMatch(/The shutdown took 8 s; it cut off 1 connection with a request/);
  });

  test('leaves other listeners for it the time that is left', async () => {
    const { how, stderr } = await terminated(['cleanup']);
    expect(how).toEqual([0, null]);
    expect(stderr()).toMatch(/cleaned up\n$/);
  });
});

test('an inherited descriptor is listened on', { timeout: 30_000 }, async () => {
  const owner = net.createServer().listen(0, '127.0.0.1');
  await once(owner, 'listening');
  const { port } = owner.address() as net.AddressInfo;
  const started = await child(['fd'], (owner as unknown as { _handle: { fd: number } })._handle.fd);
  owner.close();
  expect(started.port).toBe(port);
  expect(await (await fetch(`http://127.0.0.1:${port}/`)).text()).toBe('begun,finished');
  started.process.kill();
  expect(await started.exit).toEqual([0, null]);
});

describe('close()', () => {
  test('aborts the signals of a shutdown that gets late, with a reason', async () => {
    let reason: unknown;
    const app: Application = (environ, startResponse) => {
      startResponse('200 OK', []);
      const signal = environ['waygate.signal'];
      return (async function* () {
        yield encode('begun,');
        await new Promise((resolve) => signal.addEventListener('abort', resolve));
        reason = signal.reason;
        yield encode('finished');
      })();
    };
    const lines: string[] = [];
    const served = await serve(app, {
      port: 0,
      host: '127.0.0.1',
      signals: false,
      shutdownTimeout: 800,
      log: (line) => lines.push(line),
    });
    const response = await fetch(served.url);
    const closing = served.close();
    expect(await response.text()).toBe('begun,finished');
    await closing;
    expect(reason).toMatchObject({ name: 'AbortError', message: 'The server is shutting down.' });
    expect(lines).toEqual(['Shutting down: waiting for 1 connection with a request, for at most 0.8 s.']);
  });

  test('says nothing where nothing runs, and leaves no listener for signals', async () => {
    const before = process.listenerCount('SIGTERM');
    const lines: string[] = [];
    const app: Application = (_environ, startResponse) => {
      startResponse('200 OK', []);
      return [];
    };
    const served = await serve(app, { port: 0, host: '127.0.0.1', log: (line) => lines.push(line) });
    await (await fetch(served.url)).text();
    await new Promise((resolve) => setTimeout(resolve, 50));
    await served.close();
    expect([lines, process.listenerCount('SIGTERM')]).toEqual([[], before]);
  });
});
