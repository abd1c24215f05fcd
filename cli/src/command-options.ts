// Arguments and options that several commands have.

import { type Command, InvalidArgumentError, Option } from 'commander';
import { KINDS } from './kind.ts';
import { parsePort } from './serve.ts';

/** What every command that takes an app says of it. */
export const APP: string = 'TypeScript or JavaScript module whose default export, or `app`, is the app';

export function addEnvFile(command: Command): Command {
  return command.option('--env-file <file>', 'file of environment variables for the app; may be repeated', collect, []);
}

export function kindOption(kinds: readonly string[] = KINDS): Option {
  return new Option('--kind <kind>', 'what the app is, if it cannot be detected').choices(kinds);
}

export function collect(value: string, before: string[] = []): string[] {
  return [...before, value];
}

export function portNumber(text: string): number {
  const port = parsePort(text);
  if (port !== undefined) return port;
  throw new InvalidArgumentError('Expected a port, 0 to 65535.');
}
