import serverlessExpress from '@codegenie/serverless-express';
import express from 'express';
import { probeListener } from 'waygate/testing';
import { isBinary } from './text.mjs';

export const title = '@codegenie/serverless-express';
export const packages = ['@codegenie/serverless-express', 'express'];
export const options = '`binarySettings.isBinary`: all but UTF-8 text';
export const documented = 'https://github.com/CodeGenieApp/serverless-express';
export const sources = ['rest-api', 'http-api', 'function-url', 'alb', 'lattice', 'edge'];

const app = express().disable('x-powered-by').use(probeListener);
export const handler = serverlessExpress({
  app,
  binarySettings: { isBinary: ({ headers }) => isBinary(headers['content-type'], headers['content-encoding']) },
});
