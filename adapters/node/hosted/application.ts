// A hosted app as an application: called with the platform's own objects where it may have them, else in memory.

import type { Application, ApplicationBody } from '../../../core/types.ts';
import { PassthroughBody, requestState } from '../passthrough.ts';
import { awaitBody } from './body.ts';
import { HostedCall } from './call.ts';
import type { Host } from './host.ts';
import type { DirectCall } from './registry.ts';
import type { HostedRequest } from './request.ts';
import type { HostedResponse } from './response.ts';

/** The application that calls a host: with the platform's own objects where nothing has changed the request, else in memory. */
export function applicationOf(host: Host): Application {
  return (environ, startResponse) => {
    const run = (): ApplicationBody => new HostedCall(host, environ, startResponse).run(host);
    if (requestState(environ)?.isUnchanged(environ) !== true) {
      const known = awaitBody(environ);
      return known === null ? run() : known.then(run);
    }
    const call: DirectCall = (request, response) => {
      const known = request as HostedRequest;
      known.environ = environ;
      return host.call(known, response as HostedResponse, environ);
    };
    return new PassthroughBody(call, run, startResponse);
  };
}
