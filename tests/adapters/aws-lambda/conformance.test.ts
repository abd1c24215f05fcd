// The conformance suite round every event source: a Fetch call becomes the event that the event source makes of it, the
// event becomes environ, and the response goes back the same way. What an event source lacks is declared, and held to be
// really absent; docs/platforms.md says it in words.

import { runInNewContext } from 'node:vm';
import { describe, it } from 'vitest';
import { fromLambda, type SourceName, toLambda, toLambdaStream } from 'waygate/aws-lambda';
import { toFetch } from 'waygate/fetch';
import { type Capabilities, conformance } from 'waygate/testing';

/** A function gets the whole request in one event. */
const EVENT = { raw: false, requestStreaming: false, abortedUpload: false, headerBytes: false } as const;

/** It answers with the whole response in one result. */
const BUFFERED = {
  ...EVENT,
  streaming: false,
  earlyHead: false,
  disconnect: false,
  brokenConnection: 'status-500',
} as const;

/** The event source fills in the reason phrase. */
const NO_REASON = { reason: false };

const LACKS: Record<SourceName, Partial<Capabilities>> = {
  'rest-api': { ...NO_REASON, rawQuery: false },
  'http-api': { ...NO_REASON, decodedOnce: false, pathBytes: false, rawPath: false },
  'function-url': NO_REASON,
  alb: { rawQuery: false },
  lattice: NO_REASON,
  'lattice-v1': NO_REASON,
  edge: { headLength: false },
};

/** What a function that answers in one piece lacks takes time to show, and has nothing to do with the event source: once. */
const SAME = /^lacks (?:streaming|earlyHead|disconnect|requestStreaming),/;

/**
 * Behind the emulator a head goes out with its first byte of body, as everywhere: where a response breaks off without one,
 * nothing of it has reached the client, who gets a 500 instead of a broken response.
 */
const HEADLESS = 'CL-02: GET, a declared length and no body at all: broken off';

/** With payload 1.0 a path arrives as it was sent, but an HTTP API refuses `%25` alone whatever the payload is. */
const PERCENT = new Set([
  'ENV-06, URL-02: PATH_INFO of /100%25 is "/100%"',
  'URL-02: every ASCII byte survives in the path',
]);

const options = { describe, it, otherRealm: (expression: string) => runInNewContext(expression) as unknown };

for (const source of Object.keys(LACKS) as SourceName[]) {
  // Without multi-value headers a load balancer keeps one of several query values: see round-trip.test.ts.
  const emulated = { source, multiValueHeaders: true };
  conformance(
    `toLambda behind ${source}`,
    (app, given) => ({ fetch: toFetch(fromLambda(toLambda(app, given), emulated), { errors: () => {} }) }),
    {
      ...options,
      it: (title, body) => (source !== 'http-api' && SAME.test(title) ? undefined : it(title, body)),
      capabilities: { ...BUFFERED, ...LACKS[source] },
    },
  );
}

conformance(
  'toLambda behind http-api with payload 1.0',
  (app, given) => {
    const emulated = { source: 'http-api', payloadFormatVersion: '1.0' } as const;
    return { fetch: toFetch(fromLambda(toLambda(app, given), emulated), { errors: () => {} }) };
  },
  {
    ...options,
    it(title, body) {
      if (SAME.test(title)) return;
      if (PERCENT.has(title)) it.fails(title, body);
      else it(title, body);
    },
    capabilities: { ...BUFFERED, ...LACKS['http-api'], decodedOnce: true, rawQuery: false },
  },
);

for (const source of ['function-url', 'rest-api'] as const) {
  conformance(
    `toLambdaStream behind ${source}`,
    (app, given) => ({ fetch: toFetch(fromLambda(toLambdaStream(app, given), { source }), { errors: () => {} }) }),
    {
      ...options,
      it: (title, body) => (title === HEADLESS ? it.fails(title, body) : it(title, body)),
      capabilities: { ...EVENT, ...LACKS[source] },
    },
  );
}
