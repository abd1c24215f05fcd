// The error classes. Each message says what was seen, what was expected and what to do.

/** What the rules of docs/contract.md are about, by the word that their ids begin with. */
type RuleSubject =
  | 'BODY'
  | 'CALL'
  | 'CL'
  | 'CLOSE'
  | 'ENV'
  | 'ERR'
  | 'EXT'
  | 'FILE'
  | 'HDR'
  | 'HTTP'
  | 'INPUT'
  | 'L'
  | 'LOG'
  | 'MW'
  | 'SR'
  | 'SRV'
  | 'STR'
  | 'THREAD'
  | 'URL'
  | 'WRITE';

/** The id of a rule in docs/contract.md, such as `SR-13` or `L-57`. */
export type RuleId = `${RuleSubject}-${number}`;

/**
 * Where a broken rule and its fix are explained, as a path below `node_modules`.
 *
 * @param rule its id, for example `SR-13`
 */
export function helpFor(rule: RuleId): string {
  return `waygate/docs/errors.md#${rule.toLowerCase()}`;
}

/**
 * An application, a middleware or a gateway broke a rule of the contract. It is a `TypeError`: the value or the call was
 * of the wrong kind. `rule` is the rule's id in docs/contract.md, and `help` the line of docs/errors.md that says how to fix
 * it. The log has both.
 */
export class ContractError extends TypeError {
  override name = 'ContractError';
  /** The id of the broken rule, for example `SR-13`. */
  readonly rule: RuleId;
  /** Where the fix is described, below `node_modules`: `waygate/docs/errors.md#sr-13`. */
  readonly help: string;

  /**
   * @param rule the id of the broken rule, for example `SR-13`
   * @param message what was seen, what was expected, what to do
   */
  constructor(rule: RuleId, message: string) {
    super(`${message} [${rule}]`);
    this.rule = rule;
    this.help = helpFor(rule);
  }
}

/**
 * A request that cannot be served as it came. When it reaches the gateway before the head went out, the client gets
 * `status` instead of a 500.
 */
export class RequestError extends Error {
  override name = 'RequestError';
  /** The HTTP status code of the answer, 400 to 599. Its reason phrase is the gateway's, see docs/contract.md (ERR-03). */
  readonly status: number;

  /**
   * @param status the HTTP status code of the answer
   * @param message what was seen and what was expected
   */
  constructor(status: number, message: string, options?: ErrorOptions) {
    super(message, options);
    this.status = status;
  }
}

/** The request itself is malformed: answered with 400. (RFC 9112 §3, RFC 9110 §15.5.1) */
export class BadRequestError extends RequestError {
  override name = 'BadRequestError';

  constructor(message: string, options?: ErrorOptions) {
    super(400, message, options);
  }
}

/** The request body is larger than `maxBodyBytes`: answered with 413. (RFC 9110 §15.5.14) */
export class BodyTooLargeError extends RequestError {
  override name = 'BodyTooLargeError';

  /** @param limit the largest body that is taken, in bytes */
  constructor(limit: number) {
    super(413, `The request body is larger than the ${limit} bytes that maxBodyBytes allows.`);
  }
}

/** The client left, or stopped sending before the declared end of its body. Nobody is there to read an answer. (INPUT-12) */
export class ClientDisconnectedError extends RequestError {
  override name = 'ClientDisconnectedError';

  constructor(message: string, options?: ErrorOptions) {
    super(400, message, options);
  }
}

/** What a terminal obeys instead of showing it, and what turns the direction of a text; line feeds and tabs are left. */
const UNPRINTABLE = /[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069]/g;

/** A text for the log, in which nothing that a client sent can steer the terminal it is shown on: `\u009b` for the byte. */
export function printable(text: string): string {
  return text.replace(UNPRINTABLE, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`);
}

/**
 * A text in quotes for a message, on one line, printable and not too long.
 *
 * @param most how many characters of it are shown
 */
export function quote(text: string, most = 60): string {
  return printable(JSON.stringify(text.length > most ? `${text.slice(0, most)}…` : text));
}

/** How a value is named in an error message: its type and, where that helps, its value. Never throws. */
export function describe(value: unknown): string {
  if (value === null) return 'null';
  if (typeof value === 'string') return `the string ${quote(value)}`;
  if (typeof value === 'function') return 'a function';
  if (typeof value !== 'object') return value === undefined ? 'undefined' : `the ${typeof value} ${String(value)}`;
  let tag: string;
  try {
    tag = Object.prototype.toString.call(value).slice(8, -1);
  } catch {
    return 'an object that cannot be looked at';
  }
  return `${/^[AEIO]/.test(tag) ? 'an' : 'a'} ${tag}`;
}

/** What to do with a value that stands in the wrong place, for the end of a message: a sentence, or nothing. */
export function advice(value: unknown): string {
  if (typeof value === 'string') return ' Text becomes bytes with encode().';
  if (value instanceof Promise) return ' Await it first.';
  if (typeof value === 'function')
    return ' A function that makes an application is called first: give what it returns.';
  const isFetch =
    value instanceof Response || typeof (value as { fetch?: unknown } | null | undefined)?.fetch === 'function';
  return isFetch ? ' A Fetch app becomes an application with fromFetch().' : '';
}

/**
 * `instanceof` for a value that an application threw. That may be a proxy which throws whenever it is looked at, and the
 * handling of a failure must not fail itself. Never throws. (ERR-02)
 */
export function isA<T>(thrown: unknown, type: abstract new (...args: never[]) => T): thrown is T {
  try {
    return thrown instanceof type;
  } catch {
    return false;
  }
}

/** The status code of the answer to a request that failed with this error before its head went out. (ERR-03) */
export function statusOf(thrown: unknown): number {
  return isA(thrown, RequestError) ? thrown.status : 500;
}

/** An error as text for the log: its stack and those of its causes. Never throws, whatever was thrown. (ERR-02, ERR-06) */
export function report(error: unknown): string {
  let text = one(error);
  for (let depth = 0, at = causeOf(error); depth < 8 && at !== undefined; depth++, at = causeOf(at)) {
    text += `\nCaused by: ${one(at)}`;
  }
  return text;
}

function causeOf(error: unknown): unknown {
  try {
    return error instanceof Error ? error.cause : undefined;
  } catch {
    return undefined;
  }
}

function one(error: unknown): string {
  try {
    if (!(error instanceof Error)) return `Thrown: ${describe(error)}`;
    const stack = error.stack;
    const text = typeof stack === 'string' && stack !== '' ? stack : `${error.name}: ${error.message}`;
    return error instanceof ContractError ? `${text}\n    help: ${error.help}` : text;
  } catch {
    return 'Thrown: a value that cannot be printed';
  }
}
