// What the page of a failure says, and how it is written.

import { describe, printable } from '../core/errors.ts';
import { decodeWsgi } from '../core/strings.ts';
import type { Environ } from '../core/types.ts';
import { type Frame, framesOf } from './stack-frames.ts';

/** One error of a chain of causes. */
export interface ErrorFact {
  name: string;
  message: string;
  frames: Frame[];
}

/** All that a page says. Secrets are hidden in it already. */
export interface ErrorFacts {
  request: string;
  errors: ErrorFact[];
  environ: [key: string, value: string][];
}

/** Names of what nobody else should see. */
const SECRET = /auth|cookie|token|secret|passw|credential|session|signature|api[._-]?key|private|jwt|csrf|nonce/i;
/** Harmless, though their names look like secrets. */
const OPEN = new Set(['AUTH_TYPE']);
/** Words that stand beside secrets. */
const SCHEMES = new Set(['bearer', 'digest', 'negotiate']);
const HIDDEN = '••••••';
const MOST_ERRORS = 8;
/** A shorter text occurs everywhere. */
const SHORTEST_SECRET = 6;

/**
 * @param error what was thrown; it may be anything, and is looked at with care
 * @param more environ keys to hide beside those that look like secrets
 */
export function errorFacts(error: unknown, environ: Environ, more: RegExp | undefined): ErrorFacts {
  const secrets = new Set<string>();
  const isSecret = (key: string): boolean => {
    if (more !== undefined) {
      more.lastIndex = 0;
      if (more.test(key)) return true;
    }
    return SECRET.test(key) && !OPEN.has(key);
  };
  const shown: [string, string][] = [];
  for (const key of Object.keys(environ).sort()) {
    const value = dataOf(environ, key);
    const text = typeof value === 'string' ? decodeWsgi(value) : plain(value);
    if (isSecret(key) && typeof value === 'string') {
      for (const part of [text, ...text.split(/[\s;,=]+/)])
        if (part.length >= SHORTEST_SECRET && !SCHEMES.has(part.toLowerCase())) secrets.add(part);
    }
    shown.push([key, isSecret(key) ? HIDDEN : text]);
  }
  // Fields of a query and passwords in a URL have names and places of their own.
  for (const field of (environ.QUERY_STRING ?? '').split('&')) {
    const [name = '', value = ''] = field.split('=', 2);
    if (isSecret(name) && value.length > 0) secrets.add(value);
  }
  const list = [...secrets].sort((a, b) => b.length - a.length);
  const hide = (text: string): string => {
    let hidden = text.replace(/(\/\/[^\s/:@]{0,200}:)[^\s/@]{1,200}@/g, `$1${HIDDEN}@`);
    for (const secret of list) hidden = hidden.replaceAll(secret, HIDDEN);
    return printable(hidden);
  };
  return {
    request: hide(`${environ.REQUEST_METHOD} ${decodeWsgi(environ.SCRIPT_NAME + environ.PATH_INFO)}`),
    errors: chain(error).map(({ name, message, frames }) => ({
      name: hide(name),
      message: hide(message),
      frames: frames.map((frame) => ({
        ...frame,
        call: hide(frame.call),
        place: hide(frame.place),
        lines: frame.lines.map(([line, text]): [number, string] => [line, hide(text)]),
      })),
    })),
    environ: shown.map(([key, value]) => [hide(key), value === HIDDEN ? value : hide(value)]),
  };
}

function dataOf(environ: Environ, key: string): unknown {
  try {
    // An accessor would make what nobody has asked for.
    const descriptor = Object.getOwnPropertyDescriptor(environ, key);
    return descriptor !== undefined && 'value' in descriptor ? descriptor.value : undefined;
  } catch {
    return undefined;
  }
}

/** Objects by their kind only: bindings and events hold what no page should. */
function plain(value: unknown): string {
  if (Array.isArray(value)) return value.every((each) => typeof each === 'number') ? JSON.stringify(value) : 'an Array';
  return typeof value === 'number' || typeof value === 'boolean' ? String(value) : describe(value);
}

function chain(thrown: unknown): ErrorFact[] {
  const facts: ErrorFact[] = [];
  for (let at = thrown; facts.length < MOST_ERRORS; ) {
    try {
      if (!(at instanceof Error)) {
        if (facts.length === 0 || at !== undefined) facts.push({ name: 'Thrown', message: describe(at), frames: [] });
        break;
      }
      facts.push({ name: String(at.name), message: String(at.message), frames: framesOf(at) });
      if (at.cause === undefined) break;
      at = at.cause;
    } catch {
      facts.push({ name: 'Thrown', message: 'a value that cannot be looked at', frames: [] });
      break;
    }
  }
  return facts;
}

/** The page as plain text. */
export function textPage({ request, errors, environ }: ErrorFacts): string {
  const parts = errors.map(({ name, message, frames }, index) => {
    const lines = frames.map(({ call, place }) => `    at ${call === '' ? place : `${call} (${place})`}`);
    return [`${index === 0 ? '' : 'Caused by: '}${name}: ${message}`, ...lines].join('\n');
  });
  const keys = environ.map(([key, value]) => `${key}: ${value}`).join('\n');
  return `500 Internal Server Error\n${request}\n\n${parts.join('\n')}\n\n${keys}\n`;
}

/** The page as JSON. */
export function jsonPage({ request, errors, environ }: ErrorFacts): string {
  return `${JSON.stringify({ status: 500, request, errors, environ: Object.fromEntries(environ) }, null, 2)}\n`;
}

const STYLE =
  'body{font:15px/1.5 system-ui,sans-serif;margin:2em auto;max-width:70em;padding:0 1em;color:#222}h1{font-size:1.3em;color:#b00}' +
  'pre,td{font:13px/1.5 ui-monospace,monospace}pre{background:#f6f6f6;padding:.5em;overflow:auto}mark{background:#fdd}' +
  'td{padding:0 1em 0 0;vertical-align:top;word-break:break-all}td:first-child{white-space:nowrap;color:#666}';

/** The page as HTML, without any script. */
export function htmlPage({ request, errors, environ }: ErrorFacts): string {
  const parts = errors.map(({ name, message, frames }, index) => {
    const head = `<h1>${index === 0 ? '' : 'Caused by: '}${html(name)}: ${html(message)}</h1>`;
    return head + frames.map(htmlFrame).join('');
  });
  const rows = environ.map(([key, value]) => `<tr><td>${html(key)}</td><td>${html(value)}</td></tr>`).join('');
  return (
    `<!doctype html><html lang="en"><head><meta charset="utf-8"><title>${html(errors[0]?.name ?? 'Error')}</title>` +
    `<style>${STYLE}</style></head><body><p>${html(request)}</p>${parts.join('')}<h2>environ</h2><table>${rows}</table></body></html>\n`
  );
}

function htmlFrame({ call, place, line, lines }: Frame): string {
  const source = lines.map(([number, text]) => {
    const code = html(`${String(number).padStart(5)}  ${text}`);
    return number === line ? `<mark>${code}</mark>` : code;
  });
  return `<p>${html(call)} <small>${html(place)}</small></p>${source.length === 0 ? '' : `<pre>${source.join('\n')}</pre>`}`;
}

const ENTITIES: Record<string, string> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' };

function html(text: string): string {
  return text.replace(/[&<>"']/g, (unit) => ENTITIES[unit] as string);
}
