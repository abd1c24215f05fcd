// The `waygate` command: runs one command line, and ends the process with its exit code.

import { type Command, CommanderError } from 'commander';
import { CommandError, ExitCode, errorCode } from './errors.ts';
import { wakeIdle } from './idle.ts';
import { type Io, Output } from './output.ts';
import { createProgram } from './program.ts';

/** Nothing is left that could go on, and the command is not through. */
const UNSETTLED =
  'A promise of the app never settles: one that its module awaits while it is loaded, one that it returned, or its response.';

/**
 * Runs the command, and ends the process: an app may have left a timer or a socket open.
 *
 * @param args the arguments after the command's own name; this process's when left out
 */
export async function command(args: readonly string[] = process.argv.slice(2)): Promise<void> {
  const { stdout, stderr, stdin, env } = process;
  // `waygate … | head` closes the pipe early, which is not a failure.
  stdout.on('error', (error) => {
    if (errorCode(error) === 'EPIPE') process.exit(ExitCode.ok);
    throw error;
  });
  const io: Io = { stdout, stderr, stdin, env, cwd: process.cwd() };
  process.on('beforeExit', () => {
    if (!wakeIdle()) process.exit(new Output(io).fail(new CommandError(UNSETTLED)));
  });
  const code = await main(args, io);
  stdout.write('', () => stderr.write('', () => process.exit(code)));
}

/**
 * Runs the command.
 *
 * @param args the arguments after the command's own name
 * @returns the exit code
 */
export async function main(args: readonly string[], io: Io): Promise<number> {
  const output = new Output(io);
  // Known before anything else can fail.
  output.verbose = args.includes('--verbose');
  try {
    const program = createProgram(output);
    await program.parseAsync(helpOfNothing(args, program) ?? args, { from: 'user' });
    return ExitCode.ok;
  } catch (error) {
    // Help, the version, and wrong arguments: commander has reported these already.
    if (error instanceof CommanderError) return error.exitCode === 0 ? ExitCode.ok : ExitCode.usage;
    return output.fail(error);
  }
}

/** `help bogus` is an error as `bogus` is, with the same suggestion. Returns the arguments that make it one, if it is. */
function helpOfNothing(args: readonly string[], program: Command): string[] | undefined {
  const [help, name] = args.filter((each) => !each.startsWith('-'));
  const known = program.commands.some((each) => each.name() === name) || name === 'help';
  return help === 'help' && name !== undefined && !known ? [name] : undefined;
}
