// Errors as the command shows them: one line that says what was seen, what was expected and what to do.

/** What the process ends with. `fetch --fail` ends with curl's own 22. */
export const ExitCode = {
  ok: 0,
  /** The command ran and did not succeed: an app that cannot be loaded, findings of `check`, a handler that failed. */
  failure: 1,
  /** The arguments are wrong: an unknown option, an unknown platform, a port that is not a number. */
  usage: 2,
  /** `fetch --fail` got a status of 400 or above. */
  httpError: 22,
} as const;

/** A failure that the user can fix. Its message is shown as one line; the cause's stack only with `--verbose`. */
export class CommandError extends Error {
  override name = 'CommandError';
  readonly exitCode: number;
  /** More than one line about it, shown with `--verbose`. */
  readonly details: string | undefined;

  /**
   * @param message what was seen, what was expected, what to do
   * @param options the exit code (default 1), the error behind it, and text for `--verbose`
   */
  constructor(message: string, options: ErrorOptions & { exitCode?: number; details?: string } = {}) {
    super(message, options);
    this.exitCode = options.exitCode ?? ExitCode.failure;
    this.details = options.details;
  }
}

/** An error about the arguments: exit code 2. */
export function usageError(message: string): CommandError {
  return new CommandError(message, { exitCode: ExitCode.usage });
}

/** Whatever was thrown, as one line without its stack. */
export function oneLine(error: unknown): string {
  const text = error instanceof Error ? error.message || error.name : String(error);
  return text.replace(/\s*\n\s*/g, ' ').trim();
}

const SYSTEM_WORDS: Readonly<Record<string, string>> = {
  ENOENT: 'does not exist, or its folder does not',
  ENOTDIR: 'cannot be reached: a part of the path is a file',
  EISDIR: 'is a folder; expected a file',
  EEXIST: 'is there already',
  EACCES: 'cannot be accessed: permission denied',
  EPERM: 'cannot be accessed: permission denied',
  EROFS: 'cannot be written: the file system is read-only',
  ENOSPC: 'cannot be written: no space is left',
};

/** A failed call of the file system in words, or undefined for any other error. */
export function systemWords(error: unknown): string | undefined {
  const words = SYSTEM_WORDS[errorCode(error) ?? ''];
  const { path, syscall } = error as { path?: unknown; syscall?: unknown };
  return words === undefined || typeof path !== 'string' || syscall === undefined ? undefined : `${path} ${words}.`;
}

/** An error with its name, as one line: `TypeError: x is not a function`. */
export function named(error: unknown): string {
  if (!(error instanceof Error)) return `a thrown ${typeof error}: ${oneLine(error)}`;
  return `${error.name}: ${oneLine(error)}`;
}

/** What `--verbose` adds to an error: its details or stack, and those of its causes. */
export function verboseText(error: unknown): string {
  const parts: string[] = [];
  for (let at = error, depth = 0; at instanceof Error && depth < 8; at = at.cause, depth++) {
    if (at instanceof CommandError) {
      if (at.details !== undefined) parts.push(at.details);
      else if (at.cause === undefined) parts.push(at.stack ?? '');
    } else parts.push(at.stack ?? named(at));
  }
  return parts.join('\nCaused by: ');
}

/** The `code` of a system error such as `EADDRINUSE`, or undefined. */
export function errorCode(error: unknown): string | undefined {
  const code = (error as { code?: unknown } | null | undefined)?.code;
  return typeof code === 'string' ? code : undefined;
}
