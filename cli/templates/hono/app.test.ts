import { expect, test } from 'vitest';
import { fromLambda, toLambda } from 'waygate/aws-lambda';
import { fromFetch, toFetch } from 'waygate/fetch';
import { validator } from 'waygate/middleware';
import app from './app.ts';

const application = fromFetch(app);
// Through the contract's checker: a broken rule fails the test.
const fetch = toFetch(validator(application));

test('greets', async () => {
  const response = await fetch('/');
  expect(response.status).toBe(200);
  expect(await response.text()).toBe('Hello from Waygate!\n');
});

test('echoes a body, byte for byte', async () => {
  const body = Uint8Array.of(0, 255, 10, 13);
  const response = await fetch('/echo', { method: 'POST', body });
  expect(new Uint8Array(await response.arrayBuffer())).toEqual(body);
});

test('knows what it does not have', async () => {
  expect((await fetch('/nothing')).status).toBe(404);
});

test('answers behind a function URL as it does here', async () => {
  const lambda = toFetch(fromLambda(toLambda(application), { source: 'function-url' }));
  expect(await (await lambda('/')).text()).toBe('Hello from Waygate!\n');
});
