// One application in four dialects: it answers with what it sees of a request, or with a response that a case asks for.

/** The modules, by file name. They are built and served, never imported by a test. */
export const APPS: Record<string, string> = {
  'answers.ts': `import { readFileSync } from 'node:fs';
/** What to answer under /case/N: the responses of tests/cases/responses.json. */
export interface Answer { status: number; headers: [string, string][]; body: Buffer }
const cases = JSON.parse(readFileSync(process.env.WAYGATE_RESPONSES as string, 'utf8'));
export function answerOf(path: string): Answer | undefined {
  const [, number] = /^\\/case\\/(\\d+)$/.exec(path) ?? [];
  if (number === undefined) return undefined;
  const { app } = cases[Number(number)];
  const chunks = (app.chunksBase64 ?? []).map((text: string) => Buffer.from(text, 'base64'));
  return { status: Number(app.status.slice(0, 3)), headers: app.headers, body: Buffer.concat(chunks) };
}
/** Header lines whose values depend on nothing but the request. */
export function shown(headers: Iterable<[string, unknown]>): Record<string, unknown> {
  const own = [...headers].map(([name, value]) => [name.toLowerCase().replaceAll('_', '-'), value] as const);
  const kept = own.filter(([name]) => !/^(x-forwarded-|x-amzn-|lambda-web-|connection$|content-length$|transfer-encoding$)/.test(name));
  return Object.fromEntries(kept.sort(([a], [b]) => (a < b ? -1 : 1)));
}
`,
  'plain.ts': `import { answerOf, shown } from './answers.ts';
import type { Application } from 'waygate';
const app: Application = async (environ, startResponse) => {
  const { REQUEST_METHOD, PATH_INFO, QUERY_STRING, REMOTE_ADDR, SERVER_NAME, SERVER_PORT, SCRIPT_NAME, CONTENT_TYPE } = environ;
  const answer = answerOf(PATH_INFO);
  if (answer !== undefined) {
    startResponse(\`\${answer.status} As Told\`, answer.headers);
    return answer.body.byteLength === 0 ? [] : [answer.body];
  }
  const headers = shown(Object.entries(environ).flatMap(([key, value]) => key.startsWith('HTTP_') ? [[key.slice(5), value] as [string, unknown]] : []));
  const body = Buffer.from(await environ['wsgi.input'].bytes()).toString('latin1');
  const seen = { REQUEST_METHOD, SCRIPT_NAME, PATH_INFO, QUERY_STRING, REMOTE_ADDR, SERVER_NAME, SERVER_PORT, CONTENT_TYPE, scheme: environ['wsgi.url_scheme'], headers, body };
  startResponse('200 OK', [['Content-Type', 'application/json']]);
  return [Buffer.from(JSON.stringify(seen))];
};
export default app;
`,
  'express.ts': `import express from 'express';
import { answerOf, shown } from './answers.ts';
const app = express();
app.disable('x-powered-by').disable('etag');
app.use(express.raw({ type: () => true }));
app.use((req, res) => {
  const answer = answerOf(req.path);
  if (answer !== undefined) {
    res.status(answer.status);
    for (const [name, value] of answer.headers) res.appendHeader(name, value);
    res.end(answer.body);
    return;
  }
  const { method, originalUrl, path, query, ip, protocol, hostname } = req;
  const body = Buffer.isBuffer(req.body) ? req.body.toString('latin1') : null;
  res.json({ method, originalUrl, path, query, ip, protocol, hostname, headers: shown(Object.entries(req.headers)), body });
});
export default app;
`,
  'koa.ts': `import Koa from 'koa';
import { answerOf, shown } from './answers.ts';
const app = new Koa();
app.use(async (ctx) => {
  const answer = answerOf(ctx.path);
  if (answer !== undefined) {
    ctx.status = answer.status;
    ctx.body = answer.body;
    ctx.remove('Content-Type');
    for (const [name, value] of answer.headers) ctx.append(name, value);
    return;
  }
  let body = '';
  for await (const chunk of ctx.req) body += chunk.toString('latin1');
  const { method, url, path, query, ip, protocol, hostname } = ctx;
  ctx.body = { method, url, path, query, ip, protocol, hostname, headers: shown(Object.entries(ctx.headers)), body };
});
export default app;
`,
  'hono.ts': `import { Hono } from 'hono';
import { answerOf, shown } from './answers.ts';
const app = new Hono();
app.all('*', async (c) => {
  const answer = answerOf(c.req.path);
  if (answer !== undefined) {
    const empty = [204, 205, 304].includes(answer.status) || answer.body.byteLength === 0;
    return new Response(empty ? null : answer.body, { status: answer.status, headers: answer.headers });
  }
  const { method, url, path } = c.req;
  const body = Buffer.from(await c.req.arrayBuffer()).toString('latin1');
  return c.json({ method, url, path, query: c.req.queries(), headers: shown(c.req.raw.headers.entries()), body });
});
export default app;
`,
};
