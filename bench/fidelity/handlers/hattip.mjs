import awsLambdaAdapter from '@hattip/adapter-aws-lambda';
import { probeFetch } from 'waygate/testing';

export const title = '@hattip/adapter-aws-lambda';
export const packages = ['@hattip/adapter-aws-lambda'];
export const options = 'none';
export const documented = 'https://github.com/hattipjs/hattip/tree/main/packages/adapter/adapter-aws-lambda';
export const sources = ['http-api', 'function-url'];
/** Its types are those of payload 2.0 alone. */
export const payloads = ['2.0'];
export const handler = awsLambdaAdapter((context) => probeFetch(context.request));
