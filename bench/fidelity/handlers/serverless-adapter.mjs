import { ServerlessAdapter } from '@h4ad/serverless-adapter';
import {
  AlbAdapter,
  ApiGatewayV1Adapter,
  ApiGatewayV2Adapter,
  RequestLambdaEdgeAdapter,
} from '@h4ad/serverless-adapter/adapters/aws';
import { ExpressFramework } from '@h4ad/serverless-adapter/frameworks/express';
import { DefaultHandler } from '@h4ad/serverless-adapter/handlers/default';
import { PromiseResolver } from '@h4ad/serverless-adapter/resolvers/promise';
import express from 'express';
import { probeListener } from 'waygate/testing';
import { isBinary } from './text.mjs';

export const title = '@h4ad/serverless-adapter';
export const packages = ['@h4ad/serverless-adapter', 'express'];
export const options =
  '`setBinarySettings`: all but UTF-8 text; `throwOnChunkedTransferEncoding: false`, `lowercaseRequestHeaders`';
export const documented = 'https://serverless-adapter.viniciusl.com.br/docs/main/adapters/aws/api-gateway-v1';
export const sources = ['rest-api', 'http-api', 'function-url', 'alb', 'edge'];

const app = express().disable('x-powered-by').use(probeListener);
export const handler = ServerlessAdapter.new(app)
  .setFramework(new ExpressFramework())
  .setHandler(new DefaultHandler())
  .setResolver(new PromiseResolver())
  .setBinarySettings({ isBinary: (headers) => isBinary(headers['content-type'], headers['content-encoding']) })
  .addAdapter(new ApiGatewayV1Adapter({ throwOnChunkedTransferEncoding: false, lowercaseRequestHeaders: true }))
  .addAdapter(new ApiGatewayV2Adapter({ throwOnChunkedTransferEncoding: false }))
  .addAdapter(new AlbAdapter())
  .addAdapter(new RequestLambdaEdgeAdapter())
  .build();
