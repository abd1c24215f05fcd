// The stream of events by which the page learns of new and changed requests. However fast they come, it reports each at
// most ten times a second, and keeps no more than their ids. (HTML §9.2, server-sent events)

import { encode } from 'waygate';
import type { Store } from './store.ts';

/** How long changes are collected, in milliseconds. */
const INTERVAL = 100;
/** How often something is sent while nothing happens, in milliseconds. */
const HEARTBEAT = 15_000;

/**
 * Tells of changes until the reader leaves.
 *
 * @param signal aborts when the stream is to end
 * @param summary a request as the list shows it, or undefined for one that is gone
 */
export async function* liveEvents(
  store: Store,
  signal: AbortSignal,
  summary: (id: string) => unknown,
): AsyncGenerator<Uint8Array> {
  const changed = new Set<string>();
  const removed = new Set<string>();
  let cleared = false;
  let wake = (): void => {};
  const end = store.listen((change) => {
    if (change.type === 'cleared') {
      cleared = true;
      changed.clear();
      removed.clear();
    } else if (change.type === 'removed') {
      changed.delete(change.id);
      removed.add(change.id);
      if (removed.size > 1000) removed.delete(removed.values().next().value as string);
    } else changed.add(change.id);
    wake();
  });
  const left = (): void => wake();
  signal.addEventListener('abort', left);
  try {
    yield encode('retry: 1000\n\n');
    while (!signal.aborted) {
      if (!cleared && changed.size === 0 && removed.size === 0) {
        await new Promise<void>((resolve) => {
          const timer = setTimeout(resolve, HEARTBEAT);
          wake = () => {
            clearTimeout(timer);
            resolve();
          };
        });
        if (!signal.aborted && !cleared && changed.size === 0 && removed.size === 0) yield encode(':\n\n');
        continue;
      }
      const message = {
        cleared,
        changed: [...changed].map(summary).filter((each) => each !== undefined),
        removed: [...removed],
      };
      cleared = false;
      changed.clear();
      removed.clear();
      yield encode(`data: ${JSON.stringify(message)}\n\n`);
      await new Promise((resolve) => setTimeout(resolve, INTERVAL));
    }
  } finally {
    end();
    signal.removeEventListener('abort', left);
  }
}
