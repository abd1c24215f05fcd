// The requests of a HAR file, as browsers and proxies save it. http://www.softwareishard.com/blog/har-12-spec/

import type { Entry, Har } from 'har-format';
import { encodeWsgi } from 'waygate';
import { CommandError } from '../errors.ts';
import type { SentRequest } from '../everywhere/client.ts';

/** A request that was recorded. */
export interface RecordedRequest {
  /** Where it stands: `fixtures/0001-get-users.json`, `requests.har, entry 3`. */
  place: string;
  request: SentRequest;
  /** What it was answered with. */
  status?: number;
}

/** Headers of one connection, and those that HTTP/2 has instead of a request line. */
const LEFT_OUT =
  /^(?::.*|connection|content-length|transfer-encoding|keep-alive|proxy-connection|upgrade|te|trailer)$/i;

/**
 * @param value what the file holds
 * @param path the file, as the user named it
 * @throws {CommandError} for what is not a HAR, or an entry that is not one of a HAR
 */
export function harRequests(value: unknown, path: string): RecordedRequest[] {
  const entries = (value as Partial<Har> | null)?.log?.entries;
  if (!Array.isArray(entries)) {
    throw new CommandError(
      `${path} is neither a HAR file nor a fixture: it has no log.entries and no request; \`waygate record\` writes fixtures.`,
    );
  }
  return entries.map((entry, index) => harRequest(entry, `${path}, entry ${index + 1}`));
}

function harRequest(entry: Entry, place: string): RecordedRequest {
  const { request, response } = (entry ?? {}) as Partial<Entry>;
  let url: URL;
  try {
    url = new URL(request?.url ?? '');
  } catch (error) {
    throw new CommandError(`${place} has the URL "${request?.url}"; expected one such as https://example.com/users.`, {
      cause: error,
    });
  }
  if (typeof request?.method !== 'string' || !hasHeaders(request)) {
    throw new CommandError(`${place} has no method or no list of headers with name and value; expected both.`);
  }
  const { method, postData } = request;
  const headers = request.headers
    .filter(({ name }) => !LEFT_OUT.test(name))
    .map(({ name, value }): [string, string] => [name, encodeWsgi(value)]);
  if (!headers.some(([name]) => name.toLowerCase() === 'host')) headers.unshift(['Host', url.host]);
  const body = postData === undefined ? undefined : bodyOf(postData);
  if (body !== undefined) headers.push(['Content-Length', String(body.byteLength)]);
  // The URL as it was sent: `new URL` would resolve dot segments.
  const target = /^[a-z]+:\/\/[^/?#]*([^#]*)/i.exec(request.url)?.[1] || '/';
  return {
    place,
    request: { method, target: target.startsWith('/') ? target : `/${target}`, headers, body },
    status: response?.status || undefined,
  };
}

function hasHeaders({ headers }: Partial<Entry['request']>): boolean {
  return (
    Array.isArray(headers) && headers.every((each) => typeof each?.name === 'string' && typeof each.value === 'string')
  );
}

/** The body of a request: its text, or else the fields of its form. */
function bodyOf(postData: NonNullable<Entry['request']['postData']> & { encoding?: string }): Uint8Array | undefined {
  const { text, params, encoding } = postData;
  if (text !== undefined && text !== '') return Buffer.from(text, encoding === 'base64' ? 'base64' : 'utf8');
  if (params === undefined || params.length === 0) return undefined;
  const form = new URLSearchParams(params.map(({ name, value = '' }): [string, string] => [name, value]));
  return Buffer.from(form.toString());
}
