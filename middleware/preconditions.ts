// Conditional requests: what a client says of the response that it has, against the response that it would get. (RFC 9110
// §13)

import type { Environ } from '../core/types.ts';

/** What distinguishes one state of a resource from another. */
export interface Validators {
  /** The entity tag as it stands in `ETag`: `"abc"`, or `W/"abc"` for a weak one. */
  etag?: string | undefined;
  /** The time of the last change: an HTTP date as it stands in `Last-Modified`. */
  lastModified?: string | undefined;
}

/**
 * Evaluates the preconditions of a request in the order of RFC 9110 §13.2.2.
 *
 * @param environ the request
 * @param current what the resource has now; null where there is none
 * @returns 412 or 304 where that is the answer, or 0 where the answer is the same as without a precondition
 */
export function evaluate(environ: Environ, current: Validators | null): 0 | 304 | 412 {
  const { HTTP_IF_MATCH: match, HTTP_IF_NONE_MATCH: noneMatch } = environ;
  const { etag, lastModified } = current ?? {};
  if (match !== undefined) {
    if (!(isAny(match) ? current !== null : matches(match, etag, true))) return 412;
  } else if (environ.HTTP_IF_UNMODIFIED_SINCE !== undefined) {
    const since = parseDate(environ.HTTP_IF_UNMODIFIED_SINCE);
    const changed = parseDate(lastModified);
    if (since !== undefined && changed !== undefined && changed > since) return 412;
  }
  const isRead = environ.REQUEST_METHOD === 'GET' || environ.REQUEST_METHOD === 'HEAD';
  if (noneMatch !== undefined) {
    if (isAny(noneMatch) ? current !== null : matches(noneMatch, etag, false)) return isRead ? 304 : 412;
  } else if (isRead && environ.HTTP_IF_MODIFIED_SINCE !== undefined) {
    const since = parseDate(environ.HTTP_IF_MODIFIED_SINCE);
    const changed = parseDate(lastModified);
    if (since !== undefined && changed !== undefined && changed <= since) return 304;
  }
  return 0;
}

/**
 * Whether the ranges of a request are asked of the very response that the client has a part of; without `If-Range` they
 * are. Weak tags never are the same bytes. (RFC 9110 §13.1.5)
 */
export function rangeApplies(environ: Environ, { etag, lastModified }: Validators): boolean {
  const condition = environ.HTTP_IF_RANGE;
  if (condition === undefined) return true;
  if (condition.includes('"')) return etag !== undefined && !etag.startsWith('W/') && condition.trim() === etag;
  const date = parseDate(condition);
  return date !== undefined && date === parseDate(lastModified);
}

/** Whether a request has a precondition that {@link evaluate} looks at. */
export function isConditional(environ: Environ): boolean {
  return (
    environ.HTTP_IF_NONE_MATCH !== undefined ||
    environ.HTTP_IF_MODIFIED_SINCE !== undefined ||
    environ.HTTP_IF_MATCH !== undefined ||
    environ.HTTP_IF_UNMODIFIED_SINCE !== undefined
  );
}

function isAny(header: string): boolean {
  return header.trim() === '*';
}

/** An entity tag, which may hold commas: a list of them cannot be split at these. (RFC 9110 §8.8.3) */
const ENTITY_TAG = /(?:W\/)?"[\x21\x23-\x7e\x80-\xff]*"/g;

/**
 * Whether a list of entity tags has this one.
 *
 * @param strong whether weak tags are never the same (RFC 9110 §8.8.3.2)
 */
function matches(list: string, etag: string | undefined, strong: boolean): boolean {
  if (etag === undefined || (strong && etag.startsWith('W/'))) return false;
  const wanted = opaque(etag);
  for (const [each] of list.matchAll(ENTITY_TAG)) {
    if (strong ? each === etag : opaque(each) === wanted) return true;
  }
  return false;
}

function opaque(etag: string): string {
  return etag.startsWith('W/') ? etag.slice(2) : etag;
}

const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];
/** `Sun, 06 Nov 1994 08:49:37 GMT`, the one form that is still written. */
const FIXED = /^[A-Z][a-z]{2}, (\d\d) ([A-Z][a-z]{2}) (\d{4}) (\d\d):(\d\d):(\d\d) GMT$/;
/** `Sunday, 06-Nov-94 08:49:37 GMT` */
const RFC_850 = /^[A-Z][a-z]{5,8}, (\d\d)-([A-Z][a-z]{2})-(\d\d) (\d\d):(\d\d):(\d\d) GMT$/;
/** `Sun Nov  6 08:49:37 1994` */
const ASCTIME = /^[A-Z][a-z]{2} ([A-Z][a-z]{2}) ([ \d]\d) (\d\d):(\d\d):(\d\d) (\d{4})$/;

/**
 * A date in one of the three forms of RFC 9110 §5.6.7, in milliseconds; undefined for anything else, which a recipient
 * passes over. (`Date.parse` would take much that is none.)
 */
export function parseDate(text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const fixed = FIXED.exec(text);
  if (fixed !== null) return time(fixed[3], fixed[2], fixed[1], fixed.slice(4));
  const old = RFC_850.exec(text);
  if (old !== null) return time(String(century(Number(old[3]))), old[2], old[1], old.slice(4));
  const asctime = ASCTIME.exec(text);
  if (asctime !== null) return time(asctime[6], asctime[1], asctime[2], asctime.slice(3, 6));
  return undefined;
}

/** A year of two digits that seems to be more than 50 years ahead is the last one that ended so. (RFC 9110 §5.6.7) */
function century(year: number): number {
  const now = new Date().getUTCFullYear();
  const guess = now - (now % 100) + year;
  return guess > now + 50 ? guess - 100 : guess;
}

function time(year: string | undefined, month: string | undefined, day: string | undefined, clock: string[]) {
  const index = MONTHS.indexOf(month ?? '');
  const [hours, minutes, seconds] = clock.map(Number) as [number, number, number];
  if (index === -1 || hours > 23 || minutes > 59 || seconds > 60) return undefined;
  const date = Date.UTC(Number(year), index, Number(day), hours, minutes, seconds);
  // There is no 31st of February.
  return new Date(date - seconds * 1000).getUTCDate() === Number(day) ? date : undefined;
}
