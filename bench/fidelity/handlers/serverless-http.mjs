import serverlessHttp from 'serverless-http';
import { probeListener } from 'waygate/testing';
import { isBinary } from './text.mjs';

export const title = 'serverless-http';
export const packages = ['serverless-http'];
export const options = '`binary`: all but UTF-8 text';
export const documented = 'https://github.com/dougmoscrop/serverless-http';
export const sources = ['rest-api', 'http-api', 'function-url', 'alb'];

const binary = (headers) => isBinary(headers['content-type'], headers['content-encoding']);
export const handler = serverlessHttp(probeListener, { binary });
