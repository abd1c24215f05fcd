// Gateways that break one rule each: what they do to the environ before the application sees it, or how they call it.

import { type Application, type Environ, encode, type FileLike } from 'waygate';
import { PLAIN } from './lax-gateway.ts';

export interface GatewayFault {
  rule: string;
  name: string;
  /** Breaks the environ. */
  change: (environ: Environ) => unknown;
}

const set =
  (key: string, value: unknown) =>
  (environ: Environ): void =>
    void Object.assign(environ, { [key]: value });
const unset =
  (key: string) =>
  (environ: Environ): void =>
    void delete environ[key];

export const WRONG_GATEWAYS: GatewayFault[] = [
  { rule: 'ENV-04', name: 'no method', change: set('REQUEST_METHOD', '') },
  { rule: 'L-03', name: 'a method that is no token', change: set('REQUEST_METHOD', 'GET /') },
  { rule: 'L-03', name: 'a lower-case method', change: set('REQUEST_METHOD', 'patch') },
  { rule: 'L-02', name: 'no query', change: unset('QUERY_STRING') },
  { rule: 'L-08', name: 'no mount', change: unset('SCRIPT_NAME') },
  { rule: 'L-14', name: 'an asterisk for GET', change: set('PATH_INFO', '*') },
  { rule: 'ENV-10', name: 'no server name', change: set('SERVER_NAME', '') },
  { rule: 'ENV-10', name: 'no port', change: unset('SERVER_PORT') },
  { rule: 'L-11', name: 'a port by name', change: set('SERVER_PORT', 'http') },
  { rule: 'L-12', name: 'a host with a path', change: set('HTTP_HOST', 'a.test/b') },
  { rule: 'L-12', name: 'a server name with a port', change: set('SERVER_NAME', 'a.test:80') },
  { rule: 'L-13', name: 'a protocol without version', change: set('SERVER_PROTOCOL', 'INCLUDED') },
  { rule: 'L-13', name: 'no protocol', change: unset('SERVER_PROTOCOL') },
  { rule: 'ENV-15', name: 'HTTPS over http', change: set('HTTPS', 'on') },
  { rule: 'ENV-15', name: 'https without HTTPS', change: set('wsgi.url_scheme', 'https') },
  { rule: 'L-17', name: 'a version of one number', change: set('wsgi.version', [1]) },
  { rule: 'L-17', name: 'a version to come', change: set('wsgi.version', [1, 1]) },
  { rule: 'INPUT-01', name: 'no input', change: set('wsgi.input', null) },
  { rule: 'INPUT-10', name: 'an input that may not end', change: set('wsgi.input_terminated', false) },
  { rule: 'LOG-01', name: 'no log', change: unset('wsgi.errors') },
  { rule: 'THREAD-01', name: 'no word about threads', change: unset('wsgi.multithread') },
  { rule: 'THREAD-02', name: 'a number of processes', change: set('wsgi.multiprocess', 4) },
  { rule: 'THREAD-03', name: 'no word about running once', change: unset('wsgi.run_once') },
  { rule: 'L-19', name: 'no wait_until', change: unset('waygate.wait_until') },
  { rule: 'L-19', name: 'no signal', change: unset('waygate.signal') },
  { rule: 'L-19', name: 'no name', change: set('waygate.gateway', 1) },
  {
    rule: 'FILE-02',
    name: 'reads ahead',
    change: set('wsgi.file_wrapper', (file: FileLike) => [file.read(10)]),
  },
];

/** Uses a file, so that the wrapper is called. */
export const fileApplication: Application = (environ, startResponse) => {
  startResponse('200 OK', PLAIN);
  const file = { read: () => encode('') };
  return environ['wsgi.file_wrapper']?.(file) ?? [];
};
