// What got lost or was changed on the way through the platform. The request as it came is compared with the environ, and
// what the app answered with what the client got.

import { decodePath, splitTarget } from 'waygate/adapter';
import { lossOf } from '../everywhere/losses.ts';
import type { Docs } from './docs.ts';
import type { HeaderLines } from './messages.ts';
import { clientHead } from './response-head.ts';
import type { Exchange } from './store.ts';

/** One loss or change. */
export interface Mark {
  side: 'request' | 'response';
  /** A key of environ, `status`, `reason`, `body`, or a header's name in lower case. */
  part: string;
  expected?: string;
  seen?: string;
  /** Why, in a sentence. */
  why: string;
  /** The line of the documents that says so. */
  link?: string;
}

/** Headers about the connection, and those that have rules of their own. */
const PER_CONNECTION =
  /^(?:connection|keep-alive|proxy-connection|transfer-encoding|te|trailer|upgrade|expect|host|http2-settings|content-length|date)$/;

/**
 * Finds what differs.
 *
 * @param platform the platform as `--platform` names it
 */
export function marksOf(exchange: Exchange, platform: string, docs: Docs): Mark[] {
  const found: Omit<Mark, 'why' | 'link'>[] = [...requestMarks(exchange), ...responseMarks(exchange)];
  return found.flatMap((each): Mark[] => {
    const [why, link] = reason(each, platform, docs);
    return why === undefined ? [] : [{ ...each, why, link }];
  });
}

type Found = Omit<Mark, 'why' | 'link'>;

/** What only the platform adds to a response is marked where it is known to do so. */
function reason(found: Found, platform: string, docs: Docs): [why: string | undefined, link?: string] {
  const { side, part, expected, seen } = found;
  if (side === 'request' && part === 'HTTP_PROXY') {
    return ['A Proxy header is dropped: programs take that name for a setting.', docs.rule('ENV-27')];
  }
  if (part.startsWith('header ')) {
    return ['A name with an underscore is dropped: it could pose as another header.', docs.rule('ENV-26')];
  }
  const loss = lossOf({ platform, side, part, expected, seen });
  if (loss !== undefined) return [loss.why, docs.link('platforms.md', loss.line)];
  if (side === 'response' && expected === undefined) return [undefined];
  return [side === 'request' ? 'The app did not get what was sent.' : 'The client did not get what the app gave.'];
}

function requestMarks({ environ, target, method, headers }: Exchange): Found[] {
  if (environ === undefined) return [];
  const seen = new Map(environ);
  const found: Found[] = [];
  const compare = (part: string, expected: string, actual: string | undefined): void => {
    if (expected !== actual) found.push({ side: 'request', part, expected, seen: actual });
  };
  if (target.startsWith('/')) {
    const { path, query } = splitTarget(target, method);
    compare('PATH_INFO', decoded(path), `${seen.get('SCRIPT_NAME') ?? ''}${seen.get('PATH_INFO') ?? ''}`);
    compare('QUERY_STRING', query, seen.get('QUERY_STRING'));
  }
  for (const [name, values] of grouped(headers)) {
    if (PER_CONNECTION.test(name) || name.startsWith(':')) continue;
    if (!/^[A-Za-z0-9!#$%&'*+.^`|~-]+$/.test(name)) {
      found.push({ side: 'request', part: `header ${name}`, expected: values.join(', ') });
      continue;
    }
    const key = name === 'content-type' ? 'CONTENT_TYPE' : `HTTP_${name.toUpperCase().replaceAll('-', '_')}`;
    compare(key, values.join(name === 'cookie' ? '; ' : ', '), seen.get(key));
  }
  return found;
}

/** A path that cannot be decoded is refused, which shows by itself. */
function decoded(path: string): string {
  try {
    return decodePath(path);
  } catch {
    return path;
  }
}

function responseMarks(exchange: Exchange): Found[] {
  const given = exchange.occurrences.filter((each) => each.type === 'start').at(-1);
  const head = clientHead(exchange);
  if (given === undefined || head === undefined) return [];
  const found: Found[] = [];
  const compare = (part: string, expected: string | undefined, seen: string | undefined): void => {
    if (expected !== seen) found.push({ side: 'response', part, expected, seen });
  };
  const [, code = '', text = ''] = /^(\d{3}) ?(.*?)(?: \(after .*\))?$/.exec(given.text) ?? [];
  compare('status', code, String(head.status));
  if (exchange.head === undefined && code === String(head.status)) compare('reason', text, head.reason);
  const wanted = grouped(given.headers ?? []);
  const got = grouped(head.headers);
  for (const name of new Set([...wanted.keys(), ...got.keys()])) {
    if (PER_CONNECTION.test(name) && !(name === 'date' && wanted.has(name))) continue;
    compare(name, wanted.get(name)?.join('\n'), got.get(name)?.join('\n'));
  }
  return found;
}

function grouped(headers: HeaderLines): Map<string, string[]> {
  const found = new Map<string, string[]>();
  for (const [name, value] of headers) {
    const key = name.toLowerCase();
    found.set(key, [...(found.get(key) ?? []), value]);
  }
  return found;
}
