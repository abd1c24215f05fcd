// Events that are not HTTP requests: how they are refused, and what they are called in the message.

import { describe } from '../../../core/errors.ts';
import { quotePath } from '../../../core/url.ts';

/** What is served, for messages. */
const SERVED =
  'REST API and HTTP API (payload 1.0 and 2.0), Lambda function URL, Application Load Balancer, VPC Lattice, and ' +
  'Lambda@Edge viewer and origin requests';

/**
 * The function was invoked with an event that no HTTP event source sends, or that cannot be answered. The invocation fails
 * with it; no application is called. The message names what came and what is served.
 */
export class UnsupportedEventError extends TypeError {
  override name = 'UnsupportedEventError';

  /** @param came what came, as the object of "The function was invoked with …" */
  constructor(came: string, served: string = SERVED) {
    super(`The function was invoked with ${came}; served are the HTTP requests of ${served}.`);
  }
}

/**
 * The application answered with a status that the option `errorStatuses` makes a failure. The invocation fails with this
 * error, and the client gets the event source's own error page.
 */
export class FailedResponseError extends Error {
  override name = 'FailedResponseError';
  /** The status of the response that nobody gets. */
  readonly statusCode: number;

  constructor(statusCode: number, environ: { REQUEST_METHOD: string; SCRIPT_NAME: string; PATH_INFO: string }) {
    const { REQUEST_METHOD: method, SCRIPT_NAME: script, PATH_INFO: path } = environ;
    super(`The answer to ${method} ${quotePath(script + path)} is ${statusCode}, a status that fails the invocation.`);
    this.statusCode = statusCode;
  }
}

interface Anything {
  [key: string]: unknown;
}

/**
 * Names an event that looks like a request but is none: an authorizer's question, and what happens on a WebSocket.
 *
 * @returns null for any other event
 */
export function nonHttpEventName(event: Anything): string | null {
  const { type, methodArn, routeArn, authorizationToken } = event;
  if (type && (methodArn || routeArn || authorizationToken)) {
    return `an API Gateway authorizer's question (type ${JSON.stringify(type)})`;
  }
  const { connectionId, eventType, routeKey } = (event.requestContext ?? {}) as Anything;
  return connectionId ? `an API Gateway WebSocket event (${eventType ?? routeKey ?? 'connectionId'})` : null;
}

/**
 * Names an event by the members that only the events of one AWS service have.
 *
 * @param event any JSON value
 */
export function describeEvent(event: unknown): string {
  if (event === null || typeof event !== 'object' || Array.isArray(event)) return describe(event);
  const known = nonHttpEventName(event as Anything);
  if (known !== null) return known;
  const { Records, source, eventSource, 'detail-type': detail } = event as Anything;
  const record = (Array.isArray(Records) ? Records[0] : undefined) as Anything | undefined;
  const cloudFront = record?.cf as { config?: Anything; request?: unknown } | null | undefined;
  if (typeof cloudFront === 'object' && cloudFront !== null) {
    const type = cloudFront.config?.eventType;
    if (type === undefined) return 'a Lambda@Edge event without an eventType';
    return `a Lambda@Edge ${type} event${cloudFront.request ? '' : ' without a request'}`;
  }
  const service = record?.eventSource ?? record?.EventSource ?? eventSource;
  if (typeof service === 'string') return `an event of ${service}`;
  if (typeof source === 'string') {
    return detail === undefined
      ? `an event from ${JSON.stringify(source)}`
      : `an EventBridge event (${source}, ${detail})`;
  }
  const keys = Object.keys(event);
  return keys.length === 0 ? 'an empty object' : `an object with the keys ${keys.slice(0, 8).join(', ')}`;
}
