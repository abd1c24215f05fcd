import { toLambdaHandler } from 'srvx/aws-lambda';
import { probeFetch } from 'waygate/testing';

export const title = 'srvx';
export const packages = ['srvx'];
export const options = 'none that matters here';
export const documented = 'https://srvx.h3.dev/guide/handler';
export const sources = ['rest-api', 'http-api', 'function-url'];
export const handler = toLambdaHandler({ fetch: probeFetch });
