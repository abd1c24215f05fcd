// The short answers that middleware gives in place of the application.

import { reasonPhrase } from '../core/status.ts';
import { encode } from '../core/strings.ts';
import type { ApplicationBody, ReadonlyHeaderList, StartResponse } from '../core/types.ts';

/**
 * Answers with one line of plain text.
 *
 * @param startResponse the gateway's
 * @param code the HTTP status code
 * @param headers fields of the response beside its type
 * @param sentence what the client should know, without the line end; empty for the reason phrase alone
 * @param error the failure that this answer stands for, where there is one (SR-10)
 * @returns the body
 */
export function answer(
  startResponse: StartResponse,
  code: number,
  headers: ReadonlyHeaderList,
  sentence = '',
  error?: unknown,
): ApplicationBody {
  const reason = reasonPhrase(code) || 'Error';
  const list: ReadonlyHeaderList = [['Content-Type', 'text/plain; charset=utf-8'], ...headers];
  if (error === undefined) startResponse(`${code} ${reason}`, list);
  else startResponse(`${code} ${reason}`, list, error);
  return [encode(sentence === '' ? `${code} ${reason}\n` : `${sentence}\n`)];
}
