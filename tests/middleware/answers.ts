// Calls an application with the environ of one request, and reads all of its answer.

import { type Application, decodeWsgi, type Environ, run, setupTestingDefaults } from 'waygate';

/** What came of a request. */
export interface Answer {
  status: string;
  headers: Headers;
  text: string;
  log: string;
  environ: Environ;
}

/** @param keys environ keys beside the defaults */
export async function ask(app: Application, keys: Record<string, unknown> = {}): Promise<Answer> {
  let log = '';
  const environ = setupTestingDefaults({ HTTP_HOST: 'example.com', ...keys });
  environ['wsgi.errors'] = {
    write: (text) => {
      log += text;
    },
    writelines: (lines) => {
      for (const line of lines) log += line;
    },
    flush: () => {},
  };
  const { status, headers, body } = await run(app, environ);
  let bytes = '';
  for await (const chunk of body) bytes += String.fromCharCode(...chunk);
  if (!Array.isArray(body)) await body.close();
  return { status, headers: new Headers(headers), text: decodeWsgi(bytes), log, environ };
}

/** Answers with what it sees. */
export const hello: Application = (_environ, startResponse) => {
  startResponse('200 OK', [['Content-Type', 'text/plain']]);
  return [new TextEncoder().encode('hello')];
};
