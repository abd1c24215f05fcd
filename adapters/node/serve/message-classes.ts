// What a server needs to know of the application that it serves, for those who make the server themselves.

import type { IncomingMessage, ServerOptions, ServerResponse } from 'node:http';
import type { Application } from '../../../core/types.ts';
import { ExpressMessages } from '../hosted/messages.ts';
import { hostedBehind } from '../hosted/registry.ts';

/** The options of `createServer` that {@link serverOptions} sets: the classes of its requests and responses. */
export type MessageClasses = Pick<ServerOptions, 'IncomingMessage' | 'ServerResponse'>;

/**
 * Options for `createServer` of `node:http` and `node:https`, for an application that is `fromNode` of an Express app. With
 * them the server gives requests and responses the app's own prototypes. What Express sees is the same, but it no longer
 * replaces those prototypes. On Node 20 and 22 it takes about a third of the time. {@link serve} sets these options by
 * itself.
 *
 * @param app the application that is served
 * @returns no options for any other application
 * @example
 * import { createServer } from 'node:http';
 * const app = fromNode(expressApp);
 * createServer(serverOptions(app), toNode(app)).listen(8000);
 */
export function serverOptions(app: Application): MessageClasses {
  const messages = hostedBehind(app)?.messages;
  if (!(messages instanceof ExpressMessages)) return {};
  // Called with `new`, a function may return another object than its own; an arrow function cannot be called so.
  function Message(socket: unknown): IncomingMessage {
    return (messages as ExpressMessages).request(socket);
  }
  function Response(request: IncomingMessage, options: unknown): ServerResponse {
    return (messages as ExpressMessages).response(request, options);
  }
  return { IncomingMessage: Message, ServerResponse: Response } as unknown as MessageClasses;
}
