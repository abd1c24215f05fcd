// What both versions of VPC Lattice's events share.

import type { Settings } from '../../../core/environ.ts';
import type { GatewayResponse } from '../../../core/response.ts';
import type { Environ } from '../../../core/types.ts';
import { decodePath } from '../../../core/url.ts';
import type { Invocation } from '../invocation.ts';
import { attachBody, type ResultBody } from './body.ts';
import { begin } from './environ.ts';
import { singleValues } from './result-headers.ts';
import { queryOf, sentPath, sentQuery, type ValueMap } from './target.ts';

/** The result for both versions of the event. */
export interface LatticeResult extends ResultBody {
  statusCode: number;
  headers: Record<string, string | string[]>;
}

/**
 * Begins the environ of a Lattice request.
 *
 * @param target the path with its query; samples have it without, and then the map is what is left of the query
 */
export function beginLattice(
  method: unknown,
  target: unknown,
  parameters: ValueMap,
  settings: Settings,
  invocation: Invocation,
): Environ {
  const text = typeof target === 'string' ? target : '';
  const mark = text.indexOf('?');
  const path = sentPath(mark === -1 ? text : text.slice(0, mark));
  const query = sentQuery(mark === -1 ? queryOf(parameters, null, parameter) : text.slice(mark + 1));
  return begin({ method, scriptName: '', pathInfo: decodePath(path), path, query }, settings, invocation);
}

/** It is not documented whether the map is decoded: escapes stay, and what would end a parameter is escaped. */
function parameter(text: string): string {
  return text.replace(/%(?![0-9A-Fa-f]{2})|[&=+#]/g, encodeURIComponent);
}

/**
 * The result, the same for both versions of the event. A list stands where a value cannot be joined, as in events of
 * version 2; the guide does not say how to repeat a header.
 */
export function latticeResult(response: GatewayResponse, body: Uint8Array): LatticeResult {
  const cookies: string[] = [];
  const headers: Record<string, string | string[]> = singleValues(response.headers, cookies);
  if (cookies.length > 0) headers['set-cookie'] = cookies.length === 1 ? (cookies[0] as string) : cookies;
  return attachBody({ statusCode: response.statusCode, headers }, response, body);
}
