// `waygate test-events`: lists recorded requests, and makes events of them.

import { makeEvent } from '../event.ts';
import type { Output } from '../output.ts';
import { readRecorded } from './fixture.ts';

/** Options of `waygate test-events`. */
export interface TestEventsOptions {
  /** An event source, as the command line spells it; without it the requests are listed. */
  source?: string;
}

/** Headers that no event source passes on. */
const CONNECTION = /^(?:connection|keep-alive|transfer-encoding|content-length|expect|upgrade|te|trailer)$/i;

/**
 * Prints a line for each recorded request: where it stands, and what it is, or its event as JSON.
 *
 * @param paths HAR files, fixtures or folders of them
 * @throws {CommandError} for a file that holds no requests, and for an unknown event source
 */
export async function testEventsCommand(
  paths: readonly string[],
  options: TestEventsOptions,
  output: Output,
): Promise<void> {
  const recorded = await readRecorded(paths, output.io.cwd);
  const width = Math.max(...recorded.map(({ place }) => place.length));
  for (const { place, request, status } of recorded) {
    const { method, target, headers, body } = request;
    if (options.source === undefined) {
      output.print(`${place.padEnd(width)}  ${method} ${target}${status === undefined ? '' : ` ${status}`}`);
      continue;
    }
    const passed = headers.filter(([name]) => !CONNECTION.test(name)).map(([...pair]): [string, string] => pair);
    const made = { method, target, headers: passed, body };
    const event = await makeEvent(options.source, made, { multiValueHeaders: false, viewerRequest: false });
    output.print(JSON.stringify(event));
  }
}
