// What an application uses of an environ, as the validator hands it on: `wsgi.errors` with the contract's members and no
// others, `wsgi.file_wrapper`, `waygate.early_hints`. (LOG, FILE; `wsgi.input` stands in input.ts)

import { checkHeaders } from '../../core/check.ts';
import { type ContractError, describe } from '../../core/errors.ts';
import type { ApplicationBody, ErrorStream, FileLike, ReadonlyHeaderList } from '../../core/types.ts';
import { violation, type Warn } from './report.ts';
import type { CheckedRule } from './rules.ts';

/**
 * An object with these members and no others; to call one of the usual ones that are missing says why it is missing.
 *
 * @param members the members that the contract has
 * @param missing rule by member: what streams of other kinds have
 * @param name the stream, for the message
 */
export function onlyMembers<T extends object>(members: T, missing: Record<string, CheckedRule>, name: string): T {
  return new Proxy(members, {
    get(target, key, receiver) {
      const rule = typeof key === 'string' && Object.hasOwn(missing, key) ? missing[key] : undefined;
      if (rule === undefined) return Reflect.get(target, key, receiver);
      return (): never => {
        throw violation(rule, `${String(key)} was called on ${name}.`);
      };
    },
  });
}

/** `missing` of {@link onlyMembers}: one rule for several members. */
export function under(rule: CheckedRule, ...members: string[]): Record<string, CheckedRule> {
  return Object.fromEntries(members.map((member) => [member, rule]));
}

const NO_ERRORS_MEMBERS = under('LOG-05', 'close', 'end', 'destroy', 'on', 'log', 'error', 'warn');

/** `wsgi.errors` for an application. */
export function validErrors(errors: ErrorStream): ErrorStream {
  const check = (text: unknown, method: string): string => {
    if (typeof text === 'string') return text;
    throw violation('L-28', `wsgi.errors.${method} was given ${describe(text)}.`);
  };
  const members: ErrorStream = {
    write: (text) => errors.write(check(text, 'write')),
    writelines: (lines) => errors.writelines(Array.from(lines, (line) => check(line, 'writelines'))),
    flush: () => errors.flush(),
  };
  return onlyMembers(members, NO_ERRORS_MEMBERS, 'wsgi.errors');
}

/** `wsgi.file_wrapper` for an application. */
export function validFileWrapper(
  wrap: (file: FileLike, blockSize?: number) => ApplicationBody,
): (file: FileLike, blockSize?: number) => ApplicationBody {
  return (file, blockSize) => {
    if (typeof file?.read !== 'function') throw violation('FILE-03', `wsgi.file_wrapper was given ${describe(file)}.`);
    let wrapping = true;
    const watched = new Proxy({} as FileLike, {
      get(_target, key) {
        const member: unknown = Reflect.get(file, key);
        if (typeof member !== 'function') return member;
        return (...call: unknown[]): unknown => {
          if (wrapping && key === 'read')
            throw violation('FILE-02', 'wsgi.file_wrapper read from a file while wrapping it.');
          return Reflect.apply(member, file, call);
        };
      },
    });
    const body = blockSize === undefined ? wrap(watched) : wrap(watched, blockSize);
    wrapping = false;
    return body;
  };
}

/** `waygate.early_hints` for an application. */
export function validEarlyHints(
  send: (headers: ReadonlyHeaderList) => void,
  warn: Warn,
): (headers: ReadonlyHeaderList) => void {
  return (headers) => {
    try {
      checkHeaders(headers);
    } catch (error) {
      warn('L-65', (error as ContractError).message);
    }
    send(headers);
  };
}
