// Fills in an environ for a test. (URL-04)

import { createEnviron } from './environ.ts';
import { errorStreams } from './error-stream.ts';
import { MemoryInput } from './memory-input.ts';
import type { Environ } from './types.ts';

/**
 * Adds every required key that is missing, with values for a `GET http://127.0.0.1/`; keys that are there stay as they
 * are. Like `wsgiref.util.setup_testing_defaults`.
 *
 * @param environ any object; it is changed in place
 * @returns the same object, now an environ
 * @example
 * const environ = setupTestingDefaults({ REQUEST_METHOD: 'POST', PATH_INFO: '/notes' });
 */
export function setupTestingDefaults(environ: Record<string, unknown> = {}): Environ {
  const https = environ['wsgi.url_scheme'] === 'https' || /^(on|1|yes)$/.test(String(environ.HTTPS ?? ''));
  const scriptName = String(environ.SCRIPT_NAME ?? '');
  const defaults = createEnviron(
    { gateway: 'testing', multiprocess: false },
    {
      method: 'GET',
      scriptName,
      pathInfo: scriptName === '' ? '/' : '',
      queryString: '',
      requestUri: '',
      protocol: 'HTTP/1.0',
      scheme: https ? 'https' : 'http',
      serverName: '127.0.0.1',
      serverPort: https ? '443' : '80',
    },
    errorStreams(undefined)(),
  );
  delete defaults.REQUEST_URI;
  defaults.HTTP_HOST = String(environ.SERVER_NAME ?? defaults.SERVER_NAME);
  defaults['wsgi.input'] = new MemoryInput();
  defaults['waygate.wait_until'] = waitForNothing;
  defaults['waygate.signal'] = new AbortController().signal;
  for (const [key, value] of Object.entries(defaults)) if (!(key in environ)) environ[key] = value;
  return environ as Environ;
}

const waitForNothing = (): void => {};
