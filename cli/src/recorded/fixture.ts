// A recorded request as a file: what a client sent, and what it got. `waygate record` writes it; `diff` and `test-events` read
// it, beside HAR files.

import { readdir, readFile, stat } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { CommandError, errorCode, oneLine } from '../errors.ts';
import type { HeaderLines } from '../inspect/messages.ts';
import { harRequests, type RecordedRequest } from './har.ts';

/** A body: text, or bytes that are not UTF-8. */
type FixtureBody = string | { base64: string };

/** What a file holds. */
export interface Fixture {
  request: { method: string; target: string; headers: HeaderLines; body?: FixtureBody };
  /** Values of headers have a character for each byte. Without a body where not all of it was kept. */
  response: { status: number; headers: HeaderLines; body?: FixtureBody };
}

/** A body as a fixture has it. */
export function fixtureBody(bytes: Uint8Array): FixtureBody {
  const text = Buffer.from(bytes).toString();
  return Buffer.from(text).equals(bytes) ? text : { base64: Buffer.from(bytes).toString('base64') };
}

/**
 * Reads recorded requests.
 *
 * @param paths HAR files, fixtures, or folders of them, as the user named them
 * @throws {CommandError} for a file that is neither, and where there is none
 */
export async function readRecorded(paths: readonly string[], cwd: string): Promise<RecordedRequest[]> {
  const found: RecordedRequest[] = [];
  for (const path of paths) for (const file of await filesOf(path, cwd)) found.push(...(await readFixtures(file, cwd)));
  if (found.length === 0) {
    throw new CommandError(
      `${paths.join(', ')} has no requests; \`waygate record\` writes some, and browsers save HAR files.`,
    );
  }
  return found;
}

/** A file, or the files of a folder that may hold requests, by name. */
async function filesOf(path: string, cwd: string): Promise<string[]> {
  try {
    const full = resolve(cwd, path);
    if (!(await stat(full)).isDirectory()) return [path];
    const names = await readdir(full);
    return names
      .filter((each) => /\.(?:json|har)$/i.test(each))
      .sort()
      .map((each) => join(path, each));
  } catch (error) {
    const what = errorCode(error) === 'ENOENT' ? 'does not exist' : `cannot be read (${errorCode(error)})`;
    throw new CommandError(`${path} ${what}; expected a HAR file, a fixture, or a folder of them.`, { cause: error });
  }
}

async function readFixtures(path: string, cwd: string): Promise<RecordedRequest[]> {
  const text = await readFile(resolve(cwd, path), 'utf8');
  let value: unknown;
  try {
    // Some browsers begin with a byte order mark.
    value = JSON.parse(text.replace(/^\ufeff/, ''));
  } catch (error) {
    throw new CommandError(`${path} is not valid JSON: ${oneLine(error)}; expected a HAR file or a fixture.`, {
      cause: error,
    });
  }
  if (isFixture(value)) {
    const { request, response } = value;
    const { method, target, headers, body } = request;
    const bytes = body === undefined ? undefined : bytesOf(body);
    return [{ place: path, request: { method, target, headers, body: bytes }, status: response?.status }];
  }
  return harRequests(value, path);
}

function bytesOf(body: FixtureBody): Uint8Array {
  return typeof body === 'string' ? Buffer.from(body) : Buffer.from(body.base64, 'base64');
}

function isFixture(value: unknown): value is Fixture {
  const { request } = (value ?? {}) as { request?: Partial<Fixture['request']> };
  if (typeof request !== 'object' || request === null) return false;
  const { method, target, headers, body } = request;
  const isBody = body === undefined || typeof body === 'string' || typeof body?.base64 === 'string';
  return typeof method === 'string' && typeof target === 'string' && isLines(headers) && isBody;
}

function isLines(value: unknown): value is HeaderLines {
  return Array.isArray(value) && value.every((each) => Array.isArray(each) && each.length === 2 && each.every(isText));
}

function isText(value: unknown): value is string {
  return typeof value === 'string';
}
