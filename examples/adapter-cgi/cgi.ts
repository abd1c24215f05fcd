// An adapter for CGI (RFC 3875), a process per request; docs/writing-an-adapter.md goes through it.
import { Readable, type Writable } from 'node:stream';
import * as wsgi from 'waygate/adapter';

/** What a script gets from its server: a process has it all. */
export type CgiHost = { env: Record<string, string | undefined>; stdin: Readable; stdout: Writable };

/** Serves an application as a CGI script; resolves when the response, and what was to go on after it, are done. */
export async function serveCgi(app: wsgi.Application, options: wsgi.GatewayOptions = {}, host: CgiHost = process) {
  const settings = wsgi.prepareOptions(app, options);
  const errors = settings.errors();
  const lifetime = new wsgi.RequestLifetime();
  const answer = async (): Promise<wsgi.GatewayResponse> => {
    const environ = cgiEnviron(host, settings, errors);
    lifetime.attachTo(environ);
    const leave = () => host.stdout.writableFinished || lifetime.clientLeft();
    host.stdout.once('error', leave).once('close', leave);
    return lifetime.begin(new wsgi.Exchange(environ, { onError: settings.onError, context: lifetime })).run(app);
  };
  const response = await answer().catch((error) => wsgi.refuse(error, errors, host.env.REQUEST_METHOD));
  await send(response, host.stdout);
  host.stdin.destroy();
  await lifetime.end();
}

const PASSED = /^(HTTP_(?!(PROXY|CONTENT_\w+)$)|HTTPS$|(REQUEST|SCRIPT|PATH|QUERY|SERVER|REMOTE|AUTH|CONTENT|SSL)_)/;

function cgiEnviron(host: CgiHost, settings: wsgi.Settings, errors: wsgi.ErrorStream): wsgi.Environ {
  const scheme = host.env.HTTPS === 'on' ? 'https' : 'http';
  const line = { method: 'GET', scriptName: '', pathInfo: '', queryString: '', requestUri: '', protocol: 'HTTP/1.0' };
  const request = { ...line, scheme, serverName: 'localhost', serverPort: '80' } as const;
  const environ = wsgi.createEnviron({ gateway: 'cgi', multiprocess: true }, request, errors);
  for (const [key, value] of Object.entries(host.env)) {
    if (value !== undefined && PASSED.test(key)) environ[key] = wsgi.encodeWsgi(value); // Node decoded it (STR-03)
    if (value === '' && /^(REMOTE|AUTH|CONTENT)_/.test(key)) delete environ[key];
  }
  environ.REQUEST_URI ||= wsgi.requestUri(environ).replace(/^\w+:\/\/[^/]*/, '');
  const { scriptName, pathInfo } = wsgi.splitPrefix(environ.PATH_INFO, settings.basePath);
  Object.assign(environ, { SCRIPT_NAME: environ.SCRIPT_NAME + scriptName, PATH_INFO: pathInfo, 'wsgi.run_once': true });
  const length = wsgi.declaredLength(environ) ?? 0; // no length, no body (RFC 3875 §4.2)
  if (length > settings.maxBodyBytes) throw new wsgi.BodyTooLargeError(settings.maxBodyBytes);
  const stdin = length > 0 && new wsgi.StreamSource(Readable.toWeb(host.stdin) as ReadableStream<Uint8Array>);
  environ['wsgi.input'] = new wsgi.Input(stdin || null, length);
  wsgi.addDeployerKeys(environ, settings.deployerKeys);
  return environ;
}

async function send({ status, headers, body }: wsgi.GatewayResponse, stdout: Writable): Promise<void> {
  const write = (bytes: Uint8Array) =>
    new Promise<void>((taken, lost) => stdout.write(bytes, (error) => (error ? lost(error) : taken())));
  const head = [`Status: ${status}`, ...headers.map(([name, value]) => `${name}: ${value}`), '', ''].join('\r\n');
  try {
    await write(Buffer.from(head, 'latin1'));
    for await (const chunk of body) await write(chunk); // the next one is asked for when this one is taken (BODY-02)
    stdout.end();
  } catch (error) {
    stdout.destroy(error as Error); // no clean end (ERR-04)
  }
}
