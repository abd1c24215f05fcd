// What the validator looks for in an environ: the mapping itself, the CGI variables, the keys of `wsgi.*` and `waygate.*`.

import { isToken } from '../../core/check.ts';
import { describe } from '../../core/errors.ts';
import type { Environ } from '../../core/types.ts';
import { violation, type Warn } from './report.ts';
import type { CheckedRule } from './rules.ts';

/**
 * @param environ what the application was called with
 * @param outermost whether no other validator is around this one
 * @throws {ContractError} for the first rule of the environ that is broken
 */
export function checkEnviron(environ: Environ, outermost: boolean, warn: Warn): void {
  checkMapping(environ);
  // First of all: warnings go there.
  checkMembers(environ, 'wsgi.errors', ['write', 'writelines', 'flush'], 'LOG-01');
  for (const key of Object.keys(environ)) {
    if (key.includes('.')) checkKey(key, warn);
    else checkVariable(key, environ[key], warn);
  }
  checkRequestLine(environ, outermost, warn);
  checkServer(environ, warn);
  checkWsgiKeys(environ);
  checkWaygateKeys(environ);
}

/** A plain object that the application may change. */
function checkMapping(environ: unknown): void {
  if (typeof environ !== 'object' || environ === null) throw violation('ENV-01', `environ is ${describe(environ)}.`);
  const prototype: object | null = Object.getPrototypeOf(environ);
  // The prototype of a plain object of another realm is not ours, but nothing is above it either.
  if (
    prototype !== null &&
    (Object.getPrototypeOf(prototype) !== null || !Object.hasOwn(prototype, 'hasOwnProperty'))
  ) {
    throw violation('ENV-01', `environ is ${describe(environ)} of a class of its own.`);
  }
  if (!Object.isExtensible(environ)) throw violation('L-18', 'environ takes no new keys.');
  const symbol = Object.getOwnPropertySymbols(environ)[0];
  if (symbol !== undefined) throw violation('L-15', `environ has the key ${String(symbol)}.`);
  for (const [key, property] of Object.entries(Object.getOwnPropertyDescriptors(environ))) {
    const lazy = property.get !== undefined;
    if (lazy && (!key.includes('.') || key.startsWith('wsgi.'))) {
      throw violation('ENV-01', `environ has an accessor for ${JSON.stringify(key)}.`);
    }
    if (!lazy && property.writable === false) throw violation('L-18', `environ holds ${JSON.stringify(key)} fast.`);
    if (property.enumerable === false) throw violation('ENV-01', `environ hides the key ${JSON.stringify(key)}.`);
  }
}

const WSGI_KEYS = new Set([
  'wsgi.version',
  'wsgi.url_scheme',
  'wsgi.input',
  'wsgi.errors',
  'wsgi.multithread',
  'wsgi.multiprocess',
  'wsgi.run_once',
  'wsgi.input_terminated',
  'wsgi.file_wrapper',
]);

function checkKey(key: string, warn: Warn): void {
  if (key.startsWith('wsgi.')) {
    if (!WSGI_KEYS.has(key)) warn('L-20', `environ has the key ${JSON.stringify(key)}.`);
  } else if (!/^[a-z][a-z0-9_]*(\.[a-z0-9_]+)+$/.test(key)) {
    warn('ENV-19', `environ has the key ${JSON.stringify(key)}.`);
  }
}

const LEFT_OUT = new Set(['CONTENT_TYPE', 'CONTENT_LENGTH', 'REMOTE_ADDR', 'REMOTE_PORT', 'REMOTE_USER', 'AUTH_TYPE']);

function checkVariable(key: string, value: unknown, warn: Warn): void {
  if (typeof value !== 'string') throw violation('L-15', `environ.${key} is ${describe(value)}.`);
  if (/[^\x00-\xff]/.test(value)) throw violation('L-16', `environ.${key} is ${describe(value)}.`);
  if (key === 'HTTP_CONTENT_TYPE' || key === 'HTTP_CONTENT_LENGTH') throw violation('L-01', `environ has ${key}.`);
  if (key === 'HTTP_PROXY') warn('ENV-27', 'environ has HTTP_PROXY.');
  if (value === '' && LEFT_OUT.has(key)) warn('ENV-16', `environ.${key} is empty.`);
}

function checkRequestLine(environ: Environ, outermost: boolean, warn: Warn): void {
  const { REQUEST_METHOD: method, SCRIPT_NAME: script, PATH_INFO: info, QUERY_STRING: query } = environ;
  if (!method) throw violation('ENV-04', `environ.REQUEST_METHOD is ${describe(method)}.`);
  if (!isToken(method)) throw violation('L-03', `environ.REQUEST_METHOD is ${describe(method)}.`);
  if (/[a-z]/.test(method)) warn('L-03', `environ.REQUEST_METHOD is ${describe(method)}, with lower-case letters.`);
  if (script === undefined || info === undefined || script + info === '') {
    throw violation('L-08', `environ.SCRIPT_NAME is ${describe(script)}, environ.PATH_INFO is ${describe(info)}.`);
  }
  if (script === '/') throw violation('L-06', 'environ.SCRIPT_NAME is "/".');
  if (script !== '' && !script.startsWith('/')) throw violation('L-04', `environ.SCRIPT_NAME is ${describe(script)}.`);
  if (script.endsWith('/')) warn('L-07', `environ.SCRIPT_NAME is ${describe(script)}.`);
  if (info !== '' && info !== '*' && !info.startsWith('/')) {
    throw violation('L-05', `environ.PATH_INFO is ${describe(info)}.`);
  }
  if (info === '*' && method !== 'OPTIONS') throw violation('L-14', `environ.PATH_INFO is "*" for ${method}.`);
  if (query === undefined) {
    if (outermost) throw violation('L-02', 'environ has no QUERY_STRING.');
    warn('L-02', 'environ has no QUERY_STRING.');
  } else if (query.includes('#')) {
    throw violation('L-14', `environ.QUERY_STRING is ${describe(query)}.`);
  }
  const length = environ.CONTENT_LENGTH;
  if (length && !(/^[0-9]+$/.test(length) && Number.isSafeInteger(Number(length)))) {
    throw violation('L-09', `environ.CONTENT_LENGTH is ${describe(length)}.`);
  }
}

const HOST = "(?:\\[[0-9A-Fa-f:.]+\\]|[A-Za-z0-9\\-._~!$&'()*+,;=%]*)";
const HOST_ONLY = new RegExp(`^${HOST}$`);
const HOST_AND_PORT = new RegExp(`^${HOST}(?::[0-9]*)?$`);

function checkServer(environ: Environ, warn: Warn): void {
  const { SERVER_NAME: name, SERVER_PORT: port, SERVER_PROTOCOL: protocol, HTTP_HOST: host, HTTPS: https } = environ;
  if (!name) throw violation('ENV-10', `environ.SERVER_NAME is ${describe(name)}.`);
  if (!port) throw violation('ENV-10', `environ.SERVER_PORT is ${describe(port)}.`);
  if (!/^[0-9]+$/.test(port)) throw violation('L-11', `environ.SERVER_PORT is ${describe(port)}.`);
  if (!HOST_ONLY.test(name)) warn('L-12', `environ.SERVER_NAME is ${describe(name)}.`);
  if (host !== undefined && !HOST_AND_PORT.test(host)) warn('L-12', `environ.HTTP_HOST is ${describe(host)}.`);
  if (!/^HTTP\/[0-9](\.[0-9])?$/.test(protocol)) {
    throw violation('L-13', `environ.SERVER_PROTOCOL is ${describe(protocol)}.`);
  }
  const scheme: unknown = environ['wsgi.url_scheme'];
  if (scheme !== 'http' && scheme !== 'https') {
    throw violation('L-10', `environ["wsgi.url_scheme"] is ${describe(scheme)}.`);
  }
  if ((https === 'on') !== (scheme === 'https')) {
    warn('ENV-15', `environ.HTTPS is ${describe(https)} while the scheme is ${scheme}.`);
  }
}

function checkWsgiKeys(environ: Environ): void {
  const version: unknown = environ['wsgi.version'];
  if (!Array.isArray(version) || version.length !== 2 || version[0] !== 1 || version[1] !== 0) {
    throw violation('L-17', `environ["wsgi.version"] is ${JSON.stringify(version)}.`);
  }
  checkMembers(environ, 'wsgi.input', ['read', 'readline', 'readlines', Symbol.asyncIterator], 'INPUT-01');
  checkType(environ, 'wsgi.multithread', 'boolean', 'THREAD-01');
  checkType(environ, 'wsgi.multiprocess', 'boolean', 'THREAD-02');
  checkType(environ, 'wsgi.run_once', 'boolean', 'THREAD-03');
  const terminated = environ['wsgi.input_terminated'];
  if ('wsgi.input_terminated' in environ && terminated !== true) {
    throw violation('INPUT-10', `environ["wsgi.input_terminated"] is ${describe(terminated)}.`);
  }
  if ('wsgi.file_wrapper' in environ) checkType(environ, 'wsgi.file_wrapper', 'function', 'FILE-01');
}

function checkMembers(environ: Environ, key: string, members: (string | symbol)[], rule: CheckedRule): void {
  const stream = environ[key] as Record<string | symbol, unknown> | null | undefined;
  for (const member of members) {
    if (typeof stream?.[member] === 'function') continue;
    throw violation(rule, `environ[${JSON.stringify(key)}] is ${describe(stream)} without ${String(member)}.`);
  }
}

function checkType(environ: Environ, key: string, type: 'boolean' | 'function' | 'string', rule: CheckedRule): void {
  const value = environ[key];
  if (typeof value !== type) throw violation(rule, `environ[${JSON.stringify(key)}] is ${describe(value)}.`);
}

function checkWaygateKeys(environ: Environ): void {
  for (const key of ['waygate.gateway', 'waygate.wait_until', 'waygate.signal']) {
    if (!(key in environ)) throw violation('L-19', `environ has no ${key}.`);
  }
  checkType(environ, 'waygate.gateway', 'string', 'L-19');
  checkType(environ, 'waygate.wait_until', 'function', 'L-19');
}
