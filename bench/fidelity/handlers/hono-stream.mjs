import { Hono } from 'hono';
import { streamHandle } from 'hono/aws-lambda';
import { probeFetch } from 'waygate/testing';

export const title = 'hono, streamed';
export const packages = ['hono'];
export const options = '`streamHandle`';
export const documented = 'https://hono.dev/docs/getting-started/aws-lambda';
export const sources = ['function-url'];
export const handler = streamHandle(new Hono().all('*', (c) => probeFetch(c.req.raw)));
