// Which applications are a hosted listener and nothing else: nothing can come between such a listener and a gateway.

import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { Application } from '../../../core/types.ts';
import type { Messages } from './messages.ts';

/** Calls a listener with the platform's own objects; what it returns is only looked at for a promise that rejects. */
export type DirectCall = (request: IncomingMessage, response: ServerResponse) => unknown;

/** What an application was made of. */
export interface HostedApp {
  readonly listener: DirectCall;
  /** The server whose listener it is; null where there is none. */
  readonly server: Server | null;
  /** Makes the requests and responses that the listener gets. */
  readonly messages: Messages;
}

const HOSTED = new WeakMap<Application, HostedApp>();

/** Remembers that an application is a hosted listener and nothing else. */
export function markHosted(app: Application, hosted: HostedApp): Application {
  HOSTED.set(app, hosted);
  return app;
}

/** The hosted listener that is the whole of an application; undefined for any other application. */
export function hostedBehind(app: Application): HostedApp | undefined {
  return HOSTED.get(app);
}
