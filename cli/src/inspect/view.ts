// What the page is given of a request, as JSON: secrets masked unless they are asked for, bodies up to a limit.

import type { Docs } from './docs.ts';
import { type Mark, marksOf } from './marks.ts';
import { maskEnviron, maskHead, maskHeader, maskHeaders, maskJson, maskTarget } from './mask.ts';
import { clientBody, clientHead, parseHead } from './response-head.ts';
import { bytesOf, type Exchange, type Kept } from './store.ts';

/** How much of a body is shown, in bytes. */
const SHOWN = 32 * 1024;

/** A line of the list. */
export interface Summary {
  id: string;
  revision: number;
  /** When the request came, in milliseconds since the epoch. */
  at: number;
  method: string;
  target: string;
  /** 0 as long as there is no status, and where none went out. */
  status: number;
  /** Bytes of the response's body so far. */
  size: number;
  /** In milliseconds; undefined while it goes on. */
  duration?: number;
  /** Whether the response was cut off. */
  cut: boolean;
  /** Whether the app failed. */
  failed: boolean;
  findings: number;
  losses: number;
  replayOf?: string;
}

/** A body as it is shown. */
export interface ShownBody {
  /** As text, where it is UTF-8 that can be shown; else in base64. */
  text?: string;
  base64?: string;
  /** The bytes of the whole body. */
  size: number;
  /** The bytes that are shown. */
  shown: number;
}

/** Everything about one request. Times of steps are in milliseconds since the request came. */
export interface Detail extends Summary {
  version: string;
  remote?: string;
  request: { headers: [string, string][]; body: ShownBody };
  event?: { what: string; json: string; truncated: boolean };
  environ?: [key: string, value: string][];
  app?: { at: number; read: number; steps: ShownStep[]; chunks: ShownChunk[]; moreChunks: number; body: ShownBody };
  result?: { what: string; json: string; truncated: boolean; streamed?: ShownBody };
  client: { head: string; body: ShownBody; sent: number };
  marks: Mark[];
  found: { rule: string; text: string; link?: string }[];
}

/** Something that the app did. */
export interface ShownStep {
  at: number;
  type: string;
  text: string;
  headers?: [string, string][];
}

/** A chunk, with its beginning. */
export interface ShownChunk {
  at: number;
  size: number;
  by: string;
  preview: string;
}

/** A request as a line of the list. */
export function summaryOf(exchange: Exchange, platform: string, docs: Docs): Summary {
  const { id, revision, at, method, end, replayOf, body, findings } = exchange;
  return {
    id,
    revision,
    at,
    method,
    target: maskTarget(exchange.target),
    status: end?.status ?? clientHead(exchange)?.status ?? 0,
    size: end?.size ?? body.size,
    duration: end && end.at - at,
    cut: end?.complete === false,
    failed: exchange.occurrences.some((each) => each.type === 'failed'),
    findings: findings.length,
    losses: marksOf(exchange, platform, docs).length,
    replayOf,
  };
}

/**
 * A request with all that is known of it.
 *
 * @param secrets whether secrets are shown as they are
 */
export function detailOf(exchange: Exchange, platform: string, docs: Docs, secrets: boolean): Detail {
  const { at, environ, version, remoteAddress, remotePort, event, result } = exchange;
  const headers = (lines: [string, string][]): [string, string][] => (secrets ? lines : maskHeaders(lines));
  const native = (value: NonNullable<Exchange['event']>): { what: string; json: string; truncated: boolean } => ({
    what: value.what,
    json: JSON.stringify(secrets ? value.value : maskJson(value.value), null, 2),
    truncated: value.truncated,
  });
  return {
    ...summaryOf(exchange, platform, docs),
    target: secrets ? exchange.target : maskTarget(exchange.target),
    version,
    remote: remoteAddress && `${remoteAddress}:${remotePort}`,
    request: { headers: headers(exchange.headers), body: shown(exchange.received) },
    event: event && native(event),
    environ: environ?.map(([key, value]) => [key, secrets ? value : maskEnviron(key, value)]),
    app: appOf(exchange, headers),
    result: result && {
      ...native(result),
      streamed: exchange.streamed.size > 0 ? shown(exchange.streamed) : undefined,
    },
    client: clientOf(exchange, secrets),
    marks: marksOf(exchange, platform, docs).map((mark) => (secrets ? mark : maskMark(mark))),
    found: exchange.findings.map((each) => ({ ...each, link: docs.rule(each.rule) })),
    at,
  };
}

function appOf(exchange: Exchange, headers: (lines: [string, string][]) => [string, string][]): Detail['app'] {
  const { at, calledAt, read, occurrences, chunks, moreChunks, body } = exchange;
  if (calledAt === undefined && occurrences.length === 0) return undefined;
  const kept = bytesOf(body);
  return {
    at: (calledAt ?? at) - at,
    read,
    steps: occurrences.map((each) => ({
      at: each.at - at,
      type: each.type,
      text: each.text,
      headers: each.headers && headers(each.headers),
    })),
    chunks: chunks.map(({ at: came, size, by, from }) => ({
      at: came - at,
      size,
      by,
      preview: preview(kept.subarray(from, from + Math.min(size, PREVIEW))),
    })),
    moreChunks,
    body: shown(body),
  };
}

/** How much of a chunk is shown beside it, in bytes. */
const PREVIEW = 60;

function preview(bytes: Uint8Array): string {
  return new TextDecoder().decode(bytes).replace(/[\0-\x1f\x7f-\x9f\ufffd]/g, '·');
}

function clientOf(exchange: Exchange, secrets: boolean): Detail['client'] {
  const { sent, head } = exchange;
  if (head !== undefined) {
    const lines = head.headers.map(([name, value]) => `${name}: ${secrets ? value : maskHeader(name, value)}`);
    return { head: [`:status: ${head.status}`, ...lines].join('\n'), body: shown(sent), sent: sent.size };
  }
  const text = bytesOf(sent).toString('latin1');
  const end = parseHead(text)?.end ?? text.length;
  const bytes = text.slice(0, end);
  const body = clientBody(exchange) ?? Buffer.from(text.slice(end), 'latin1');
  const size = sent.kept < sent.size ? sent.size - end : body.byteLength;
  return { head: secrets ? bytes : maskHead(bytes), body: shownBytes(body, size), sent: sent.size };
}

function maskMark(mark: Mark): Mark {
  const mask = (value: string | undefined): string | undefined =>
    value && (mark.side === 'request' ? maskEnviron(mark.part, value) : maskHeader(mark.part, value));
  return { ...mark, expected: mask(mark.expected), seen: mask(mark.seen) };
}

function shown(kept: Kept): ShownBody {
  return shownBytes(bytesOf(kept), kept.size);
}

/** Bytes as text where they are UTF-8, else as base64. */
export function shownBytes(bytes: Uint8Array, size = bytes.byteLength, limit = SHOWN): ShownBody {
  const part = bytes.subarray(0, limit);
  const text = textOf(part, part.byteLength < size);
  if (text !== undefined) return { text, size, shown: part.byteLength };
  return { base64: Buffer.from(part).toString('base64'), size, shown: part.byteLength };
}

/** Bytes as text, or undefined where they are none. What was cut in the middle of a character is shown without it. */
function textOf(bytes: Uint8Array, cut: boolean): string | undefined {
  try {
    const text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes, { stream: cut });
    return /[\0-\x08\x0e-\x1a]/.test(text) ? undefined : text;
  } catch {
    return undefined;
  }
}
