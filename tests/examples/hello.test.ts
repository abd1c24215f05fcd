// examples/hello shows the environ that it gets.

import { expect, test } from 'vitest';
import { toFetch } from 'waygate/fetch';
import hello from '../../examples/hello/app.ts';

test('the page shows the environ of the request, one line a key', async () => {
  const response = await toFetch(hello)('/some/path?q=1', { headers: { 'X-Name': 'Ada' } });
  expect(response.headers.get('content-type')).toBe('text/plain; charset=utf-8');
  const lines = (await response.text()).split('\n');
  expect(lines[0]).toBe('Hello from Waygate!');
  for (const line of ['REQUEST_METHOD: GET', 'PATH_INFO: /some/path', 'QUERY_STRING: q=1', 'HTTP_X_NAME: Ada']) {
    expect(lines).toContain(line);
  }
});

test('a path beyond ASCII is shown as the text it is', async () => {
  const text = await (await toFetch(hello)('/caf%C3%A9', { headers: { 'X-Name': 'Zo\xc3\xab' } })).text();
  expect(text).toContain('\nPATH_INFO: /café\n');
  expect(text).toContain('\nHTTP_X_NAME: Zoë\n');
});
