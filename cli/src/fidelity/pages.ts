// The pages of AWS and Cloudflare that say what is sent and accepted: each cell of a table of `check --fidelity` has one.

import type { SourceName } from 'waygate/aws-lambda';

/** What calls the code that is judged. */
export type Caller = SourceName | 'workers';

/** What a page is about. */
export type Topic = 'event' | 'result' | 'binary' | 'headers' | 'stream';

const GATEWAY = 'https://docs.aws.amazon.com/apigateway/latest/developerguide/';
const BALANCER = 'https://docs.aws.amazon.com/elasticloadbalancing/latest/application/lambda-functions.html';
const LATTICE = 'https://docs.aws.amazon.com/vpc-lattice/latest/ug/lambda-functions.html';
const FRONT = 'https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/';
const URLS = 'https://docs.aws.amazon.com/lambda/latest/dg/urls-invocation.html';
const STREAMS = 'https://docs.aws.amazon.com/lambda/latest/dg/configuration-response-streaming.html';
const WORKERS = 'https://developers.cloudflare.com/workers/runtime-apis/';

const PAGES: Record<Caller, Record<Exclude<Topic, 'stream'>, string>> = {
  'rest-api': {
    event: `${GATEWAY}set-up-lambda-proxy-integrations.html#api-gateway-simple-proxy-for-lambda-input-format`,
    result: `${GATEWAY}set-up-lambda-proxy-integrations.html#api-gateway-simple-proxy-for-lambda-output-format`,
    binary: `${GATEWAY}lambda-proxy-binary-media.html`,
    headers: `${GATEWAY}set-up-lambda-proxy-integrations.html#apigateway-multivalue-headers-and-parameters`,
  },
  'http-api': {
    event: `${GATEWAY}http-api-develop-integrations-lambda.html#http-api-develop-integrations-lambda.proxy-format`,
    result: `${GATEWAY}http-api-develop-integrations-lambda.html#http-api-develop-integrations-lambda.response`,
    binary: `${GATEWAY}http-api-develop-integrations-lambda.html#http-api-develop-integrations-lambda.response`,
    headers: `${GATEWAY}http-api-develop-integrations-lambda.html#http-api-develop-integrations-lambda.response`,
  },
  'function-url': {
    event: `${URLS}#urls-request-payload`,
    result: `${URLS}#urls-response-payload`,
    binary: `${URLS}#urls-response-payload`,
    headers: `${URLS}#urls-payloads`,
  },
  alb: {
    event: `${BALANCER}#receive-event-from-load-balancer`,
    result: `${BALANCER}#respond-to-load-balancer`,
    binary: `${BALANCER}#respond-to-load-balancer`,
    headers: `${BALANCER}#multi-value-headers`,
  },
  lattice: {
    event: `${LATTICE}#receive-event-from-service`,
    result: `${LATTICE}#respond-to-service`,
    binary: `${LATTICE}#respond-to-service`,
    headers: `${LATTICE}#receive-event-from-service`,
  },
  'lattice-v1': {
    event: `${LATTICE}#receive-event-from-service`,
    result: `${LATTICE}#respond-to-service`,
    binary: `${LATTICE}#respond-to-service`,
    headers: `${LATTICE}#receive-event-from-service`,
  },
  edge: {
    event: `${FRONT}lambda-event-structure.html#lambda-event-structure-request`,
    result: `${FRONT}lambda-event-structure.html#lambda-event-structure-response`,
    binary: `${FRONT}lambda-generating-http-responses-in-requests.html`,
    headers: `${FRONT}edge-function-restrictions-all.html`,
  },
  workers: {
    event: `${WORKERS}request/`,
    result: `${WORKERS}response/`,
    binary: `${WORKERS}response/`,
    headers: `${WORKERS}headers/`,
  },
};

/** The page that says what a caller does. */
export function pageOf(caller: Caller, topic: Topic): string {
  if (topic !== 'stream') return PAGES[caller][topic];
  if (caller === 'rest-api') return `${GATEWAY}response-transfer-mode-lambda.html`;
  return caller === 'function-url' ? STREAMS : PAGES[caller].result;
}
