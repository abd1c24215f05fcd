// The time of the day, and which requests are shown.

import type { Summary } from '../src/inspect/view.ts';

/** A time of the day. */
export function clock(at: number): string {
  return new Date(at).toTimeString().slice(0, 8);
}

/** What the filter takes. */
export const FILTERS = ['all', '2xx', '3xx', '4xx', '5xx', 'findings', 'losses'] as const;

export type Filter = (typeof FILTERS)[number];

/** Whether a request is shown: each word of the search is in its method, its target or its status. */
export function isShown(request: Summary, filter: Filter, search: string): boolean {
  if (filter === 'findings' && request.findings === 0 && !request.failed) return false;
  if (filter === 'losses' && request.losses === 0) return false;
  if (/^\dxx$/.test(filter) && String(request.status)[0] !== filter[0]) return false;
  const text = `${request.method} ${request.target} ${request.status}`.toLowerCase();
  return search
    .toLowerCase()
    .split(/\s+/)
    .every((word) => text.includes(word));
}

/** The kind of a status, for its colour. */
export function statusKind(status: number, cut: boolean): string {
  if (cut || status >= 500) return 'bad';
  if (status >= 400) return 'warn';
  return status === 0 ? 'open' : 'good';
}
