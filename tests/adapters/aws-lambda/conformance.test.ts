import { describe, it } from 'vitest';
import { conformance } from 'waygate/testing';
import { fromLambda, toLambda, toLambdaStream } from 'waygate/aws-lambda';
import { toFetch } from 'waygate/fetch';
const buffered = { raw: false, streaming: false, earlyHead: false, requestStreaming: false, abortedUpload: false, disconnect: false, brokenConnection: 'status-500' as const, headerBytes: false };
for (const source of ['rest-api','http-api','function-url','alb','lattice','lattice-v1','edge'] as const)
  conformance(source, (app, options) => ({ fetch: toFetch(fromLambda(toLambda(app, options), { source, multiValueHeaders: true }), { errors: () => {} }) }), { describe, it, capabilities: buffered });
for (const source of ['rest-api','function-url'] as const)
  conformance(`${source} streamed`, (app, options) => ({ fetch: toFetch(fromLambda(toLambdaStream(app, options), { source }), { errors: () => {} }) }), { describe, it, capabilities: {...buffered, streaming: true, disconnect: true, brokenConnection: 'reject'} });
