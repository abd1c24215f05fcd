// What the page asks of the inspector.

import type { Comparison } from '../src/everywhere/compare.ts';
import type { CopyForm } from '../src/inspect/copies.ts';
import type { Detail, Summary } from '../src/inspect/view.ts';

/** What is served. */
export interface AppInfo {
  name: string;
  origin?: string;
  /** Whether requests can be run on all platforms by now. */
  everywhere: boolean;
  platform: string;
  stream: boolean;
  validate: boolean;
}

/** A request as the page edits it. */
export interface EditedRequest {
  method: string;
  target: string;
  headers: [name: string, value: string][];
  text?: string;
  base64?: string;
}

/** One line of the comparison's head. */
export interface PlatformResult {
  label: string;
  status?: number;
  size?: number;
  duration?: number;
  error?: string;
}

/** What was run on all platforms, and what came of it. */
export interface EverywhereResult {
  sent: { method: string; target: string };
  platforms: PlatformResult[];
  comparison: LinkedComparison;
}

/** A comparison whose reasons are links. */
export interface LinkedComparison extends Omit<Comparison, 'differences'> {
  differences: (Omit<Comparison['differences'][number], 'others'> & {
    others: { platforms: string[]; value?: string; why?: { text: string; link?: string } }[];
  })[];
}

/** What the stream of events says. */
export interface LiveMessage {
  cleared: boolean;
  changed: Summary[];
  removed: string[];
}

const BASE = '/__waygate/api';

async function ask<Answer>(path: string, init: RequestInit = {}): Promise<Answer> {
  const response = await fetch(`${BASE}${path}`, init);
  const answer = await response.json().catch(() => ({ error: `The inspector answered ${response.status}.` }));
  if (!response.ok) throw new Error(answer.error);
  return answer;
}

function post<Answer>(path: string, value: unknown, method = 'POST'): Promise<Answer> {
  return ask(path, { method, headers: { 'Content-Type': 'application/json' }, body: JSON.stringify(value ?? {}) });
}

export const list = (): Promise<{ app: AppInfo; requests: Summary[] }> => ask('/requests');
export const clear = (): Promise<unknown> => post('/requests', undefined, 'DELETE');
export const detail = (id: string, secrets: boolean): Promise<Detail> =>
  ask(`/requests/${id}${secrets ? '?secrets=1' : ''}`);
export const editable = (id: string): Promise<EditedRequest> => ask(`/requests/${id}/request`);
export const copy = (id: string, form: CopyForm): Promise<{ text: string }> => ask(`/requests/${id}/copy/${form}`);
export const replay = (id: string, edited?: EditedRequest): Promise<{ id: string }> =>
  post(`/requests/${id}/replay`, edited);
export const everywhere = (id: string, edited?: EditedRequest): Promise<EverywhereResult> =>
  post(`/requests/${id}/everywhere`, edited);

/** Listens to what happens. `open` is called each time that the stream begins. */
export function listen(open: () => void, message: (message: LiveMessage) => void, lost: () => void): () => void {
  const source = new EventSource(`${BASE}/events`);
  source.onopen = open;
  source.onmessage = ({ data }) => message(JSON.parse(data));
  source.onerror = lost;
  return () => source.close();
}
