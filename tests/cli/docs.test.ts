// docs/cli.md shows the help of each command as the program prints it.

import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { Output } from '../../cli/src/output.ts';
import { createProgram } from '../../cli/src/program.ts';
import { folderOf, run } from './harness.ts';

const page = readFileSync(new URL('../../docs/cli.md', import.meta.url), 'utf8');
const shown = new Map(
  [...page.matchAll(/^```text\n\$ waygate (.*--help)\n([\s\S]*?)\n```$/gm)].map(([, args, help]) => [args, help]),
);

const none = { write: () => true };
const program = createProgram(
  new Output({ stdout: none, stderr: none, stdin: (async function* () {})(), env: {}, cwd: '.' }),
);
const commands = ['', ...program.commands.map((command) => `${command.name()} `)].map((name) => `${name}--help`);

describe('docs/cli.md', () => {
  it.each(commands)('waygate %s', async (args) => {
    const { code, stdout } = await run(folderOf({}), args.split(' '));
    expect(code).toBe(0);
    expect(shown.get(args)).toBe(stdout.trimEnd());
  });

  it('shows no other command', () => {
    expect([...shown.keys()].sort()).toEqual([...commands].sort());
  });
});

describe('help', () => {
  it('is printed by the help command too', async () => {
    const cwd = folderOf({});
    const { stdout } = await run(cwd, ['help', 'serve']);
    expect(stdout).toBe((await run(cwd, ['serve', '--help'])).stdout);
  });

  it('is an error where a command is wanted', async () => {
    const { code, stdout, stderr } = await run(folderOf({}), []);
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr).toContain('Usage: waygate');
  });

  it('prints the version', async () => {
    const { version } = JSON.parse(readFileSync(new URL('../../cli/package.json', import.meta.url), 'utf8'));
    expect(await run(folderOf({}), ['--version'])).toEqual({ code: 0, stdout: `${version}\n`, stderr: '' });
  });
});
