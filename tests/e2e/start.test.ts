// The first of the two commands that README.md gives, as a stranger types it.

import http from 'node:http';
import { expect, test } from 'vitest';
import { start } from './runtimes/process.ts';

test('npm start serves the page that shows the environ', async () => {
  const server = await start('npm', ['start'], { PORT: '0' });
  try {
    expect(server.output()).toMatch(/Waygate is serving examples\/hello on http:\/\/localhost:\d+$/m);
    const page = await new Promise<string>((resolve, reject) => {
      http
        .get(`${server.url}/some/path?q=1`, async (response) => {
          let text = '';
          for await (const chunk of response) text += chunk;
          resolve(`${response.statusCode} ${response.statusMessage}\n${text}`);
        })
        .on('error', reject);
    });
    expect(page).toMatch(/^200 OK\nHello from Waygate!\n/);
    expect(page).toContain('\nPATH_INFO: /some/path\nQUERY_STRING: q=1\nREQUEST_URI: /some/path?q=1\n');
  } finally {
    await server.stop();
  }
});
