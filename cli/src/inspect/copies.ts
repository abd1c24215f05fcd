// A recorded request to be pasted elsewhere: as a curl command, an event, a test, a call of `waygate invoke`. Secrets are
// masked in all of them.

import { createHash } from 'node:crypto';
import { basename } from 'node:path';
import { decodeWsgi } from 'waygate';
import { CommandError } from '../errors.ts';
import { makeEvent } from '../event.ts';
import type { SentRequest } from '../everywhere/client.ts';
import { DEFAULT_SOURCE } from '../handler.ts';
import { isSecret, maskHeaders, maskJson, maskTarget } from './mask.ts';
import { sentRequest } from './replay.ts';
import { clientBody, clientHead } from './response-head.ts';
import type { Exchange } from './store.ts';
import { type InspectedApp, platformOf } from './target.ts';

/** The forms of a copy. */
export const COPY_FORMS = ['curl', 'event', 'test', 'invoke'] as const;

export type CopyForm = (typeof COPY_FORMS)[number];

/**
 * Copies a request.
 *
 * @throws {CommandError} where not all of it is kept, or this form has no place for it
 */
export async function copyOf(form: CopyForm, exchange: Exchange, app: InspectedApp): Promise<string> {
  switch (form) {
    case 'curl':
      return curlCommand(maskedRequest(exchange), app.origin ?? 'http://localhost:8000');
    case 'event':
      return `${JSON.stringify(await eventOf(exchange, app), null, 2)}\n`;
    case 'invoke':
      return invokeCommand(await eventOf(exchange, app), app);
    case 'test':
      return testProgram(exchange, app);
  }
}

function maskedRequest(exchange: Exchange): SentRequest {
  const { method, target, headers, body } = sentRequest(exchange);
  return { method, target: maskTarget(target), headers: maskHeaders(headers.map(([...pair]) => pair)), body };
}

/** A word of the shell. */
function quoted(text: string): string {
  return /^[\w./:@%+,=-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`;
}

function isText(bytes: Uint8Array): boolean {
  return !bytes.includes(0) && Buffer.from(Buffer.from(bytes).toString()).equals(bytes);
}

/** Headers that a client writes by itself. */
const OWN_HEADERS = /^(?:connection|keep-alive|content-length|transfer-encoding|expect)$/i;

function curlCommand({ method, target, headers, body }: SentRequest, origin: string): string {
  const words = ['curl --include --globoff --path-as-is'];
  if (method === 'HEAD') words.push('--head');
  else if (method !== (body === undefined ? 'GET' : 'POST')) words.push(`--request ${quoted(method)}`);
  const names = new Set<string>();
  for (const [name, value] of headers) {
    if (OWN_HEADERS.test(name) || (/^host$/i.test(name) && value === new URL(origin).host)) continue;
    names.add(name.toLowerCase());
    // A header without a value ends in a semicolon.
    words.push(`--header ${quoted(value === '' ? `${name};` : `${name}: ${decodeWsgi(value)}`)}`);
  }
  // What curl would add by itself.
  for (const name of ['User-Agent', 'Accept', ...(body === undefined ? [] : ['Content-Type'])]) {
    if (!names.has(name.toLowerCase())) words.push(`--header '${name}:'`);
  }
  if (/^https:/.test(origin)) words.push('--insecure');
  let before = '';
  if (body !== undefined && isText(body)) words.push(`--data-raw ${quoted(Buffer.from(body).toString())}`);
  else if (body !== undefined) {
    before = `printf %s ${Buffer.from(body).toString('base64')} | base64 --decode | `;
    words.push('--data-binary @-');
  }
  const url = `${new URL(origin).origin}${target.startsWith('/') ? target : '/'}`;
  if (!target.startsWith('/')) words.push(`--request-target ${quoted(target)}`);
  return `${before}${[...words, quoted(url)].join(' \\\n  ')}\n`;
}

/** The event that the function got, or would get from a function URL. */
async function eventOf(exchange: Exchange, app: InspectedApp): Promise<unknown> {
  const { event } = exchange;
  if (event?.what === 'event') {
    if (event.truncated) throw new CommandError('This event is too large: not all of it is kept.');
    return maskJson(event.value);
  }
  const { method, target, headers, body } = sentRequest(exchange);
  const lines = headers
    .filter(([name]) => !OWN_HEADERS.test(name))
    .map(([name, value]): [string, string] => [name, value]);
  const { stage, payload, multiValueHeaders = false } = app.run;
  const request = { method, target, headers: lines, body };
  return maskJson(
    await makeEvent(DEFAULT_SOURCE, request, { stage, payload, multiValueHeaders, viewerRequest: false }),
  );
}

function invokeCommand(event: unknown, app: InspectedApp): string {
  const { kind, stream } = app.run;
  const words = ['waygate invoke', quoted(app.name)];
  if (kind !== undefined && kind !== 'lambda') words.push(`--kind ${kind}`);
  if (stream) words.push('--stream');
  // No line of indented JSON is this word.
  return `${words.join(' ')} --event - <<'EVENT'\n${JSON.stringify(event, null, 2)}\nEVENT\n`;
}

/** Methods that a Request refuses. */
const FORBIDDEN = /^(?:connect|trace|track)$/i;

function testProgram(exchange: Exchange, app: InspectedApp): string {
  const { method, headers, body, ...sent } = maskedRequest(exchange);
  const target = withoutStage(sent.target, app.run.stage);
  const head = clientHead(exchange);
  if (head === undefined || exchange.end?.complete !== true) {
    throw new CommandError('There is no complete response to test for.');
  }
  if (FORBIDDEN.test(method) || (body !== undefined && /^(?:get|head)$/i.test(method))) {
    throw new CommandError(
      `A Request cannot be a ${method}${body === undefined ? '' : ' with a body'}: there is no test of it.`,
    );
  }
  if (!target.startsWith('/') && target !== '*') throw new CommandError(`A test cannot ask for the target ${target}.`);
  const { imports, application } = applicationOf(app);
  const init: string[] = [];
  if (method !== 'GET') init.push(`method: ${text(method)},`);
  const lines = headers.filter(([name]) => !OWN_HEADERS.test(name)).map((pair) => `  ${lineOf(pair)},`);
  if (lines.length > 0) init.push('headers: [', ...lines, '],');
  if (body !== undefined) init.push(`body: ${bytesCode(body)},`);
  const call = init.length === 0 ? `${text(target)}` : `${text(target)}, {\n${indented(init, 4)}\n  }`;
  return `import { expect, test } from 'vitest';
${imports.join('\n')}

test(${text(`${method} ${target} is answered with ${head.status}`)}, async () => {
  const fetch = toFetch(${application}, { remoteAddr: '127.0.0.1' });
  const response = await fetch(${call});
  expect(response.status).toBe(${head.status});
${indented([...headerChecks(head.headers), bodyCheck(exchange)], 2)}
});
`;
}

/** `fromLambda` puts the stage in front of the path, where the server here has it in its URLs. */
function withoutStage(target: string, stage: string | undefined): string {
  const prefix = `/${stage}`;
  if (stage === undefined || stage === '$default' || !target.startsWith(prefix)) return target;
  const rest = target.slice(prefix.length);
  return rest.startsWith('/') ? rest : `/${rest}`;
}

/** The app of the module, as an application that goes through the platform. */
function applicationOf(app: InspectedApp): { imports: string[]; application: string } {
  const { facts, run } = app;
  if (facts === undefined)
    throw new CommandError(
      `${app.name} exports no app that a test could import: export it instead of calling listen().`,
    );
  const from = text(`./${basename(app.name)}`);
  const name =
    facts.exportName === 'default' ? 'app' : `{ ${facts.exportName === 'app' ? 'app' : `${facts.exportName} as app`} }`;
  const platform = platformOf(app);
  const names = new Map([['waygate/fetch', ['toFetch']]]);
  const use = (module: string, name: string): string => {
    names.set(module, [name, ...(names.get(module) ?? [])]);
    return name;
  };
  let application = facts.expression;
  const options = sourceOptions(platform, run);
  if (facts.kind === 'lambda') application = `${use('waygate/aws-lambda', 'fromLambda')}(app, ${options})`;
  else {
    if (facts.kind === 'fetch') application = `${use('waygate/fetch', 'fromFetch')}(${application})`;
    if (facts.kind === 'node') application = `${use('waygate/node', 'fromNode')}(${application})`;
    if (platform.startsWith('lambda:')) {
      const handler = `${use('waygate/aws-lambda', run.stream ? 'toLambdaStream' : 'toLambda')}(${application})`;
      application = `${use('waygate/aws-lambda', 'fromLambda')}(${handler}, ${options})`;
    }
  }
  const imports = [...names].sort().map(([module, all]) => `import { ${all.join(', ')} } from '${module}';`);
  return { imports: [...imports, `import ${name} from ${from};`], application };
}

function sourceOptions(platform: string, { stage, payload, multiValueHeaders, stream }: InspectedApp['run']): string {
  const source = (platform.startsWith('lambda:') ? platform : DEFAULT_SOURCE).slice('lambda:'.length);
  const options = [`source: ${text(source)}`];
  if (stage !== undefined) options.push(`stage: ${text(stage)}`);
  if (payload !== undefined) options.push(`payloadFormatVersion: ${text(payload)}`);
  if (multiValueHeaders) options.push('multiValueHeaders: true');
  if (stream) options.push('streaming: true');
  return `{ ${options.join(', ')} }`;
}

/** A test leaves out headers of one moment and of one connection, and secrets. */
const NOT_TESTED = /^(?:connection|keep-alive|transfer-encoding|content-length|date|age)$/i;

function headerChecks(headers: readonly [string, string][]): string[] {
  const values = new Map<string, string[]>();
  for (const [name, value] of headers) {
    const key = name.toLowerCase();
    if (!NOT_TESTED.test(key) && !isSecret(key)) values.set(key, [...(values.get(key) ?? []), value]);
  }
  return [...values].map(([name, all]) => `expect(response.headers.get(${text(name)})).toBe(${text(all.join(', '))});`);
}

/** How long a text in a test may be, in bytes: of what is longer its digest is tested. */
const LONGEST_TEXT = 16 * 1024;

function bodyCheck(exchange: Exchange): string {
  const body = clientBody(exchange);
  if (body === undefined) return '// The body is not tested: not all of it was kept.';
  if (body.byteLength <= LONGEST_TEXT && isText(body)) {
    return `expect(await response.text()).toBe(${text(Buffer.from(body).toString())});`;
  }
  const digest = createHash('sha256').update(body).digest('hex');
  return [
    "const digest = await crypto.subtle.digest('SHA-256', await response.arrayBuffer());",
    `expect(Buffer.from(digest).toString('hex')).toBe('${digest}');`,
  ].join('\n');
}

function bytesCode(bytes: Uint8Array): string {
  if (isText(bytes)) return `new TextEncoder().encode(${text(Buffer.from(bytes).toString())})`;
  return `Buffer.from('${Buffer.from(bytes).toString('base64')}', 'base64')`;
}

function lineOf([name, value]: readonly [string, string]): string {
  return `[${text(name)}, ${text(value)}]`;
}

/** A text as a literal: in single quotes, as most code has them, unless it has some itself. */
function text(value: string): string {
  const literal = JSON.stringify(value).replace(
    /[\u2028\u2029\x7f-\x9f]/g,
    (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
  return value.includes("'") ? literal : `'${literal.slice(1, -1).replaceAll('\\"', '"')}'`;
}

function indented(lines: readonly string[], by: number): string {
  return lines
    .flatMap((line) => line.split('\n'))
    .map((line) => `${' '.repeat(by)}${line}`)
    .join('\n');
}
