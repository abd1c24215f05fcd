// Events that are no HTTP request: how they are refused, and what they are called in the message.

/** What is served, for messages. */
const SERVED =
  'REST API and HTTP API (payload 1.0 and 2.0), Lambda function URL, Application Load Balancer, VPC Lattice, and ' +
  'Lambda@Edge viewer and origin requests';

/**
 * The function was invoked with an event that no HTTP front door sends, or that cannot be answered. The invocation fails
 * with it; no application is called. The message names what came and what is served.
 */
export class UnsupportedEventError extends TypeError {
  override name = 'UnsupportedEventError';

  /** @param came what came, as the object of "The function was invoked with …" */
  constructor(came: string, served: string = SERVED) {
    super(`The function was invoked with ${came}; served are the HTTP requests of ${served}.`);
  }
}

interface Anything {
  [key: string]: unknown;
}

/**
 * Names an event, from the members by which AWS's services tell theirs apart.
 *
 * @param event any JSON value
 */
export function describeEvent(event: unknown): string {
  if (event === null || typeof event !== 'object') {
    return event === null || event === undefined
      ? String(event)
      : `a ${typeof event}, ${JSON.stringify(event)?.slice(0, 60)}`;
  }
  if (Array.isArray(event)) return 'an array';
  const { type, methodArn, routeArn, authorizationToken, requestContext, Records, source } = event as Anything;
  if (type !== undefined && (methodArn ?? routeArn ?? authorizationToken) !== undefined) {
    return `an API Gateway authorizer's question (type ${JSON.stringify(type)})`;
  }
  if ((requestContext as Anything | null | undefined)?.connectionId !== undefined) {
    const { eventType, routeKey } = requestContext as Anything;
    return `an API Gateway WebSocket event (${eventType ?? routeKey ?? 'connectionId'})`;
  }
  const record = (Array.isArray(Records) ? Records[0] : undefined) as Anything | undefined;
  if (record?.cf !== undefined) {
    return `a Lambda@Edge ${(record.cf as { config?: Anything }).config?.eventType ?? 'event'} event`;
  }
  const service = record?.eventSource ?? record?.EventSource ?? (event as Anything).eventSource;
  if (typeof service === 'string') return `an event of ${service}`;
  if (typeof source === 'string') {
    const detail = (event as Anything)['detail-type'];
    return detail === undefined
      ? `an event from ${JSON.stringify(source)}`
      : `an EventBridge event (${source}, ${detail})`;
  }
  const keys = Object.keys(event);
  return keys.length === 0 ? 'an empty object' : `an object with the keys ${keys.slice(0, 8).join(', ')}`;
}
