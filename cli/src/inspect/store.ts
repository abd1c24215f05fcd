// The requests that the inspector keeps: the last 200, and of their bodies no more than a limit in all.

import type { HeaderLines, Report, Reporter, RequestHead } from './messages.ts';

/** How many requests are kept. */
export const KEPT_REQUESTS = 200;
/** How much of all requests is kept, in bytes of bodies and characters of text. */
export const KEPT_SIZE = 64 * 1024 ** 2;

/** The beginning of a body. */
export interface Kept {
  data: Uint8Array[];
  /** How many bytes there were. */
  size: number;
  /** How many of them are kept. */
  kept: number;
}

/** A chunk as it came. */
export interface Chunk {
  at: number;
  size: number;
  by: 'body' | 'write';
  /** Its bytes stand at this place of what is kept. */
  from: number;
}

/** Something that the app did, or that happened meanwhile. */
export interface Occurrence {
  at: number;
  type: 'start' | 'returned' | 'closed' | 'failed' | 'errors' | 'wait' | 'waited';
  text: string;
  headers?: HeaderLines;
}

/** One value in the platform's own form. */
export interface Native {
  what: string;
  value: unknown;
  truncated: boolean;
}

/** All that is known of one request. Times are in milliseconds since the epoch. */
export interface Exchange extends RequestHead {
  id: string;
  /** Counts the changes. */
  revision: number;
  at: number;
  received: Kept;
  event?: Native;
  environ?: [key: string, value: string][];
  /** When the app was called. */
  calledAt?: number;
  /** How many bytes the app has read of the body. */
  read: number;
  occurrences: Occurrence[];
  chunks: Chunk[];
  /** The chunks that came after as many as are shown singly. */
  moreChunks: number;
  body: Kept;
  findings: { rule: string; text: string }[];
  result?: Native;
  streamed: Kept;
  sent: Kept;
  /** The head of a response that is not in `sent`. */
  head?: { status: number; headers: HeaderLines };
  end?: { at: number; status: number; size: number; complete: boolean };
  /** The request that this one repeats. */
  replayOf?: string;
}

/** What the store announces. */
export type Change = { type: 'changed' | 'removed'; id: string } | { type: 'cleared' };

/** Keeps what recorders report. */
export class Store {
  readonly #exchanges = new Map<string, Exchange>();
  readonly #sizes = new Map<string, number>();
  readonly #listeners = new Set<(change: Change) => void>();
  /** Connections on which replays are sent, by their port: so that their requests are known. */
  readonly #replays = new Map<number, { of: string; seen: (id: string) => void }>();
  #size = 0;

  /** Takes a report. */
  readonly report: Reporter = (report) => {
    let exchange = this.#exchanges.get(report.id);
    if (exchange === undefined) {
      // What comes of a request that was removed is not kept.
      if (report.type !== 'request') return;
      exchange = this.#begin(report);
    }
    const size = apply(exchange, report);
    exchange.revision += 1;
    this.#size += size;
    this.#sizes.set(report.id, (this.#sizes.get(report.id) ?? 0) + size);
    this.#announce({ type: 'changed', id: report.id });
    this.#limit();
  };

  /** All that is kept, oldest first. */
  get all(): Exchange[] {
    return [...this.#exchanges.values()];
  }

  /** How much is kept, in bytes of bodies and characters of text. */
  get size(): number {
    return this.#size;
  }

  get(id: string): Exchange | undefined {
    return this.#exchanges.get(id);
  }

  /** Has changes told. Returns a function that ends it. */
  listen(listener: (change: Change) => void): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  clear(): void {
    this.#exchanges.clear();
    this.#sizes.clear();
    this.#size = 0;
    this.#announce({ type: 'cleared' });
  }

  /**
   * Expects a request from a port of this machine: it is a replay.
   *
   * @param of the id of the request that it repeats
   * @param seen called with the id of the new one
   * @returns a function that ends it
   */
  expectReplay(port: number, of: string, seen: (id: string) => void): () => void {
    this.#replays.set(port, { of, seen });
    return () => void this.#replays.delete(port);
  }

  #begin(report: Extract<Report, { type: 'request' }>): Exchange {
    const exchange = newExchange(report);
    this.#exchanges.set(report.id, exchange);
    const replay = report.remotePort === undefined ? undefined : this.#replays.get(report.remotePort);
    if (replay !== undefined && report.remotePort !== undefined) {
      this.#replays.delete(report.remotePort);
      exchange.replayOf = replay.of;
      replay.seen(report.id);
    }
    return exchange;
  }

  /** The oldest go; the newest always stays. */
  #limit(): void {
    while (this.#exchanges.size > 1 && (this.#exchanges.size > KEPT_REQUESTS || this.#size > KEPT_SIZE)) {
      const id = this.#exchanges.keys().next().value as string;
      this.#exchanges.delete(id);
      this.#size -= this.#sizes.get(id) ?? 0;
      this.#sizes.delete(id);
      this.#announce({ type: 'removed', id });
    }
  }

  #announce(change: Change): void {
    for (const listener of this.#listeners) listener(change);
  }
}

function newExchange({
  id,
  at,
  method,
  target,
  version,
  headers,
  remoteAddress,
  remotePort,
}: Extract<Report, { type: 'request' }>): Exchange {
  const request = { method, target, version, headers, remoteAddress, remotePort };
  const lists = { occurrences: [], chunks: [], moreChunks: 0, findings: [], read: 0 };
  const bodies = { received: nothing(), body: nothing(), streamed: nothing(), sent: nothing() };
  return { id, revision: 0, at, ...request, ...lists, ...bodies };
}

function nothing(): Kept {
  return { data: [], size: 0, kept: 0 };
}

/** Adds a report to what is known. Returns by how much that grew. */
function apply(exchange: Exchange, report: Report): number {
  const { at } = report;
  switch (report.type) {
    case 'request':
      return 500 + report.target.length + lengthOf(report.headers);
    case 'received':
      return keep(exchange.received, report.data, report.size);
    case 'event':
      exchange.event = nativeOf(report);
      return jsonLength(report.value);
    case 'environ':
      exchange.environ = report.entries;
      exchange.calledAt = at;
      return lengthOf(report.entries);
    case 'read':
      exchange.read += report.size;
      return 0;
    case 'start': {
      const { status, headers, error } = report;
      return occur(exchange, {
        at,
        type: 'start',
        text: error === undefined ? status : `${status} (after ${error})`,
        headers,
      });
    }
    case 'chunk':
      return addChunk(exchange, report);
    case 'returned':
      return occur(exchange, { at, type: 'returned', text: report.what });
    case 'closed':
      return occur(exchange, { at, type: 'closed', text: '' });
    case 'failed':
      return occur(exchange, { at, type: 'failed', text: report.error });
    case 'errors':
      return occur(exchange, { at, type: 'errors', text: report.text });
    case 'finding':
      exchange.findings.push({ rule: report.rule, text: report.text });
      return report.text.length;
    case 'wait':
      return occur(exchange, { at, type: 'wait', text: `work ${report.work + 1}` });
    case 'waited': {
      const how = report.error === undefined ? 'done' : `failed: ${report.error}`;
      return occur(exchange, { at, type: 'waited', text: `work ${report.work + 1} ${how}` });
    }
    case 'result':
      exchange.result = nativeOf(report);
      return jsonLength(report.value);
    case 'streamed':
      return keep(exchange.streamed, report.data, report.size);
    case 'sent':
      return keep(exchange.sent, report.data, report.size);
    case 'head':
      exchange.head = { status: report.status, headers: report.headers };
      return lengthOf(report.headers);
    case 'end': {
      const { status, size, complete } = report;
      exchange.end = { at, status, size, complete };
      return 0;
    }
  }
}

function nativeOf({ what, value, truncated }: Native): Native {
  return { what, value, truncated };
}

function occur(exchange: Exchange, occurrence: Occurrence): number {
  exchange.occurrences.push(occurrence);
  return 50 + occurrence.text.length + lengthOf(occurrence.headers ?? []);
}

/** A chunk without bytes stands for many: too many came to show each. */
function addChunk(exchange: Exchange, { at, by, data, size }: Extract<Report, { type: 'chunk' }>): number {
  if (exchange.chunks.length < SHOWN_CHUNKS) {
    exchange.chunks.push({ at, by, size, from: exchange.body.kept });
    return 50 + keep(exchange.body, data, size);
  }
  exchange.moreChunks += 1;
  return keep(exchange.body, data, size);
}

/** How many chunks are shown singly. */
const SHOWN_CHUNKS = 300;

function keep(kept: Kept, data: Uint8Array, size: number): number {
  if (data.byteLength > 0) kept.data.push(data);
  kept.kept += data.byteLength;
  kept.size += size;
  return data.byteLength === 0 ? 0 : data.byteLength + 50;
}

function lengthOf(pairs: readonly (readonly [string, string])[]): number {
  return pairs.reduce((sum, [name, value]) => sum + name.length + value.length + 16, 0);
}

function jsonLength(value: unknown): number {
  return JSON.stringify(value)?.length ?? 0;
}

/** What is kept of a body, in one piece. */
export function bytesOf(kept: Kept): Buffer {
  return Buffer.concat(kept.data);
}
