import { toLambdaStream } from 'waygate/aws-lambda';
import { fromFetch } from 'waygate/fetch';
import { probeFetch } from 'waygate/testing';

export const title = 'waygate, streamed';
export const packages = ['waygate'];
export const options = '`toLambdaStream`';
export const documented = 'docs/platforms.md';
export const sources = ['rest-api', 'function-url'];
export const handler = toLambdaStream(fromFetch(probeFetch));
