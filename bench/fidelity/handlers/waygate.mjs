import { toLambda } from 'waygate/aws-lambda';
import { fromFetch } from 'waygate/fetch';
import { probeFetch } from 'waygate/testing';

export const title = 'waygate';
export const packages = ['waygate'];
export const options = 'none';
export const documented = 'docs/platforms.md';
export const sources = ['rest-api', 'http-api', 'function-url', 'alb', 'lattice', 'lattice-v1', 'edge'];
export const handler = toLambda(fromFetch(probeFetch));
