// What lives as long as a request, apart from any adapter: the signal, the work after the response, the client that leaves.

import { describe, expect, it, vi } from 'vitest';
import { Exchange } from '../../core/exchange.ts';
import { RequestLifetime, signalToHear } from '../../core/lifetime.ts';
import { encode } from '../../core/strings.ts';
import { setupTestingDefaults } from '../../core/testing-defaults.ts';
import type { Application, Environ, ErrorStream } from '../../core/types.ts';
import { PendingWork, type WaitContext } from '../../core/work.ts';

function attached(lifetime: RequestLifetime, errors?: ErrorStream): Environ {
  const environ = setupTestingDefaults(errors && { 'wsgi.errors': errors });
  lifetime.attachTo(environ);
  return environ;
}

/** An exchange in the middle of its body, and what was closed of it. */
async function running(lifetime: RequestLifetime, close: () => void | Promise<void>): Promise<Environ> {
  const environ = attached(lifetime);
  const app: Application = (_environ, startResponse) => {
    startResponse('200 OK', []);
    return Object.assign([encode('one'), encode('two')], { close });
  };
  await lifetime.begin(new Exchange(environ, { context: lifetime })).run(app);
  return environ;
}

describe('waygate.signal', () => {
  it('aborts when the client leaves, with the reason that the platform gave', () => {
    const lifetime = new RequestLifetime();
    const { signal } = { signal: attached(lifetime)['waygate.signal'] };
    expect(signal.aborted).toBe(false);
    lifetime.clientLeft(new Error('reset'));
    expect(signal.reason).toEqual(new Error('reset'));
  });

  it('is the same each time, in copies too, and gives way to what is set', () => {
    const lifetime = new RequestLifetime();
    const environ = attached(lifetime);
    const copy = { ...environ };
    expect(environ['waygate.signal']).toBe(lifetime.signal);
    expect([environ['waygate.signal'], copy['waygate.signal']]).toEqual([lifetime.signal, lifetime.signal]);
    expect(Object.keys(environ)).toContain('waygate.signal');
    const other = new AbortController().signal;
    environ['waygate.signal'] = other;
    expect([environ['waygate.signal'], copy['waygate.signal']]).toEqual([other, lifetime.signal]);
  });

  it('is there in what derives from environ, before and after the first look', () => {
    for (const isSeen of [false, true]) {
      const lifetime = new RequestLifetime();
      const environ = attached(lifetime);
      if (isSeen) expect(environ['waygate.signal'].aborted).toBe(false);
      const derived = Object.create(Object.create(environ)) as Environ;
      expect(derived['waygate.signal']).toBe(lifetime.signal);
      expect(() => new Proxy(environ, {})['waygate.signal']).toThrow(
        '"waygate.signal" was read of an object that stands for the one which has it, such as a Proxy of environ; expected that object itself, or a copy: { ...environ }.',
      );
    }
  });

  it('is not heard where it never aborts, and always where somebody has set another', () => {
    class Deaf extends RequestLifetime {
      override get canAbort(): boolean {
        return false;
      }
    }
    const deaf = attached(new Deaf());
    expect(signalToHear(deaf)).toBe(null);
    // A copy has the signal itself, of which nothing is known.
    expect(signalToHear({ ...deaf })).toBe(deaf['waygate.signal']);
    const other = new AbortController().signal;
    deaf['waygate.signal'] = other;
    expect(signalToHear(deaf)).toBe(other);
    const lifetime = new RequestLifetime();
    expect(signalToHear(attached(lifetime))).toBe(lifetime.signal);
  });

  it('is aborted already for who asks after that', () => {
    const lifetime = new RequestLifetime();
    const environ = attached(lifetime);
    lifetime.clientLeft('early');
    expect(environ['waygate.signal'].reason).toBe('early');
  });

  it('is an AbortError without a reason', () => {
    const lifetime = new RequestLifetime();
    const environ = attached(lifetime);
    lifetime.clientLeft();
    expect(environ['waygate.signal'].reason).toMatchObject({ name: 'AbortError' });
  });

  it('keeps its first reason', () => {
    const lifetime = new RequestLifetime();
    lifetime.abort('shutdown');
    lifetime.clientLeft('reset');
    expect(lifetime.reason).toBe('shutdown');
    expect(lifetime.signal.reason).toBe('shutdown');
  });

  it('does not abort once the response is over', () => {
    const lifetime = new RequestLifetime();
    const { signal } = lifetime;
    lifetime.finish();
    lifetime.clientLeft();
    expect(signal.aborted).toBe(false);
    expect([lifetime.isOver, lifetime.hasLeft]).toEqual([true, false]);
  });

  it('has an adapter listen on its first use, while the request is open', () => {
    class Call extends RequestLifetime {
      heard = 0;
      protected override listen(): void {
        this.heard++;
      }
    }
    const call = new Call();
    const environ = attached(call);
    expect(call.heard).toBe(0);
    environ['waygate.signal'].throwIfAborted();
    call.signal.throwIfAborted();
    expect(call.heard).toBe(1);
    const late = new Call();
    late.finish();
    late.signal.throwIfAborted();
    expect(late.heard).toBe(0);
  });
});

describe('a client that leaves', () => {
  it('closes the body once, however often the platform says so (CLOSE-02)', async () => {
    const lifetime = new RequestLifetime();
    const close = vi.fn();
    await running(lifetime, close);
    lifetime.clientLeft();
    lifetime.clientLeft();
    lifetime.finish();
    expect(close).toHaveBeenCalledTimes(1);
    expect([lifetime.isOver, lifetime.hasLeft]).toEqual([true, true]);
  });

  it('may leave before the application is run: its body is closed unread (ERR-05)', async () => {
    const lifetime = new RequestLifetime();
    lifetime.clientLeft();
    const close = vi.fn();
    await running(lifetime, close);
    expect(close).toHaveBeenCalledTimes(1);
  });

  it('aborts the signal before the body is closed', async () => {
    const lifetime = new RequestLifetime();
    const { signal } = lifetime;
    let seen: boolean | null = null;
    await running(lifetime, () => {
      seen = signal.aborted;
    });
    lifetime.clientLeft();
    expect(seen).toBe(true);
  });
});

describe('the end', () => {
  it('comes when the body is closed and all work is done, also that which was added meanwhile (CLOSE-03)', async () => {
    const lifetime = new RequestLifetime();
    const done: string[] = [];
    const later = (name: string, milliseconds: number): Promise<void> =>
      new Promise((resolve) => setTimeout(resolve, milliseconds)).then(() => void done.push(name));
    const environ = await running(lifetime, () => later('closed', 1));
    expect(lifetime.hasWork).toBe(false);
    environ['waygate.wait_until'](later('work', 20).then(() => environ['waygate.wait_until'](later('more work', 10))));
    expect(lifetime.hasWork).toBe(true);
    await lifetime.end();
    expect(done.sort()).toEqual(['closed', 'more work', 'work']);
    expect(lifetime.hasWork).toBe(false);
  });

  it('logs work that failed, and rejects for nothing', async () => {
    const lifetime = new RequestLifetime();
    const log: string[] = [];
    const errors = { write: (text: string) => void log.push(text), writelines() {}, flush() {} };
    attached(lifetime, errors)['waygate.wait_until'](Promise.reject(new Error('no mail')));
    await lifetime.end();
    expect(log.join('')).toContain('Work after the response failed: Error: no mail');
  });
});

describe('a context', () => {
  it('gets the work, and the close of a body that takes time: the lifetime keeps none', async () => {
    const work: Promise<unknown>[] = [];
    const context: WaitContext = { waitUntil: (each) => void work.push(each) };
    const lifetime = new RequestLifetime(context);
    const environ = await running(lifetime, async () => {});
    environ['waygate.wait_until'](Promise.resolve());
    expect(work).toHaveLength(1);
    lifetime.finish();
    expect(work).toHaveLength(2);
    expect(lifetime.hasWork).toBe(false);
  });

  it('that all requests of a server share lets go of work that is done', async () => {
    const pending = new PendingWork();
    const environs = [new RequestLifetime(pending), new RequestLifetime(pending)].map((each) => attached(each));
    for (const environ of environs) environ['waygate.wait_until'](Promise.resolve());
    expect(pending.size).toBe(2);
    await pending.settled();
    expect(pending.size).toBe(0);
  });
});
