import awsLambdaAdapter from '@hattip/adapter-aws-lambda/streaming';
import { probeFetch } from 'waygate/testing';

export const title = '@hattip/adapter-aws-lambda, streamed';
export const packages = ['@hattip/adapter-aws-lambda'];
export const options = 'the entry `streaming`';
export const documented = 'https://github.com/hattipjs/hattip/tree/main/packages/adapter/adapter-aws-lambda';
export const sources = ['function-url'];
export const handler = awsLambdaAdapter((context) => probeFetch(context.request));
