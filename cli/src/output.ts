// Where the command writes: results to standard output, everything about the run to standard error; colours and progress
// on a terminal only.

import { createSpinner } from 'nanospinner';
import picocolors from 'picocolors';
import { CommandError, ExitCode, oneLine, systemWords, verboseText } from './errors.ts';

/** A stream as the command uses it; `process.stdout` is one. */
export interface OutputStream {
  write(chunk: string | Uint8Array): boolean;
  readonly isTTY?: boolean;
  readonly columns?: number;
}

/** The world around one run of the command, so that a test can stand in for it. */
export interface Io {
  readonly stdout: OutputStream;
  readonly stderr: OutputStream;
  readonly stdin: AsyncIterable<Uint8Array | string>;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Relative paths are taken from here. */
  readonly cwd: string;
}

export type Colors = ReturnType<typeof picocolors.createColors>;

/** How long something may take before progress is shown, in milliseconds. */
const PROGRESS_AFTER = 1000;

/** What a command writes through. */
export class Output {
  readonly io: Io;
  /** For what goes to standard output. */
  readonly colors: Colors;
  /** For what goes to standard error. */
  readonly errorColors: Colors;
  verbose = false;
  readonly #decoder = new TextDecoder();

  constructor(io: Io) {
    this.io = io;
    this.colors = picocolors.createColors(usesColor(io.stdout, io.env));
    this.errorColors = picocolors.createColors(usesColor(io.stderr, io.env));
  }

  /** A line of the result. */
  print(line: string): void {
    this.io.stdout.write(`${printable(line)}\n`);
  }

  /** A line about the run. */
  note(line: string): void {
    this.io.stderr.write(`${printable(line)}\n`);
  }

  /** Bytes of the result, as they are; on a terminal as text that cannot control it. */
  write(bytes: Uint8Array): void {
    const { stdout } = this.io;
    stdout.write(stdout.isTTY === true ? printable(this.#decoder.decode(bytes, { stream: true })) : bytes);
  }

  /** A warning about the run. */
  warn(line: string): void {
    this.note(`${this.errorColors.yellow('waygate:')} ${line}`);
  }

  /**
   * Shows an error: one line, and with `--verbose` the rest.
   *
   * @returns the exit code for it
   */
  fail(error: unknown): number {
    this.note(`${this.errorColors.red('waygate:')} ${systemWords(error) ?? oneLine(error)}`);
    if (this.verbose) {
      const more = verboseText(error);
      if (more !== '') this.note(more);
    }
    return error instanceof CommandError ? error.exitCode : ExitCode.failure;
  }

  /**
   * Does something that may take long; after a second it says what: a spinner on a terminal, else one line.
   *
   * @param text what is being done, such as `Bundling app.ts`
   */
  async progress<T>(text: string, work: () => Promise<T>): Promise<T> {
    const { stderr } = this.io;
    const terminal = stderr.isTTY === true;
    const spinner = createSpinner(text, { stream: stderr as NodeJS.WriteStream });
    const timer = setTimeout(() => {
      if (terminal) spinner.start();
      else this.note(`${text} …`);
    }, PROGRESS_AFTER);
    timer.unref();
    try {
      return await work();
    } finally {
      clearTimeout(timer);
      if (terminal && spinner.isSpinning()) spinner.clear().stop();
    }
  }
}

/**
 * Text that a terminal may be given: what would control it is escaped. So are the C1 codes U+0080 to U+009F, which some
 * terminals obey as they do ESC. Colours stay, as do tabs and line ends. In JSON the escapes are those of JSON.
 */
function printable(text: string): string {
  return text.replace(CONTROLS, (found) =>
    found.length > 1 ? found : `\\u${found.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}

/** Colours, which are left as they are, and all that controls a terminal but tabs and line ends. */
const CONTROLS = /\u001b\[[\d;]*m|[\0-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]|\r(?!\n)/g;

/** Colours on a terminal only; NO_COLOR (any value but empty) says no, FORCE_COLOR (but `0`) says yes. */
function usesColor(stream: OutputStream, env: Io['env']): boolean {
  if (env.NO_COLOR) return false;
  if (env.FORCE_COLOR) return env.FORCE_COLOR !== '0';
  return stream.isTTY === true && env.TERM !== 'dumb';
}

/** Reads a stream to its end. */
export async function readAll(stream: AsyncIterable<Uint8Array | string>): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of stream) chunks.push(Buffer.from(chunk));
  return Buffer.concat(chunks);
}
