// What else a value may be that was given as an application, and what to write then.

import { ContractError } from './errors.ts';

/** Methods of a Node response that a listener calls on its second argument. */
const OF_A_RESPONSE =
  /\b(?:setHeader|getHeader|removeHeader|appendHeader|writeHead|writeContinue|flushHeaders|write|end|send|json|on|once|emit|cork|assignSocket) is not a function/;

/**
 * The failure of an application that is a node listener `(request, response)`: it took `startResponse` for a response.
 *
 * @param error what it threw, before it called `startResponse`
 * @param startResponse its second argument
 * @returns an error that says so (L-21), with `error` as its cause; any other error as it is
 */
export function explainFailure(error: unknown, startResponse: object): unknown {
  if (Object.keys(startResponse).length === 0 && !callsResponse(error)) return error;
  const explained = new ContractError(
    'L-21',
    'The application used startResponse as the response of Node; expected a function (environ, startResponse). ' +
      'A node listener (request, response) becomes an application with fromNode(listener).',
  );
  explained.cause = error;
  return explained;
}

/** What was thrown may fail on every look at it. */
function callsResponse(error: unknown): boolean {
  try {
    return error instanceof TypeError && OF_A_RESPONSE.test(error.message);
  } catch {
    return false;
  }
}

/** What to write for an object that was given as an application; a sentence, or nothing. */
export function applicationAdvice(value: unknown): string {
  if (typeof value !== 'object' || value === null) return '';
  const has = (name: string): boolean => typeof (value as Record<string, unknown>)[name] === 'function';
  if (has('callback') && has('use')) return ' A Koa app becomes an application with fromNode(app.callback()).';
  if (has('ready') && has('inject'))
    return ' A Fastify app becomes an application with fromNode(fastify.server), after await fastify.ready().';
  if (has('listen') && has('emit')) return ' A node server becomes an application with fromNode(server).';
  return '';
}
