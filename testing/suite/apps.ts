// What the applications of the suite are made of.

import type { Application, ApplicationBody, HeaderList, StartResponse } from '../../core/types.ts';

/** The bytes of a text, one per character. */
export function u8(text: string): Uint8Array {
  return Uint8Array.from(text, (character) => character.charCodeAt(0));
}

/** Every value a byte can have, in order. */
export const ALL_BYTES: Uint8Array = Uint8Array.from({ length: 256 }, (_, value) => value);

/** The given texts as chunks, each made when it is asked for. */
export function* chunks(...texts: string[]): Generator<Uint8Array> {
  for (const text of texts) yield u8(text);
}

/** The same, asynchronously. */
export async function* asyncChunks(...texts: string[]): AsyncGenerator<Uint8Array> {
  for (const text of texts) yield u8(text);
}

/** An application that always answers the same. */
export function answering(makeBody: () => unknown, status = '200 OK', headers: HeaderList = []): Application {
  return (_environ, startResponse) => {
    startResponse(status, headers);
    return makeBody() as ApplicationBody;
  };
}

/** An application that gives its arguments away and answers with an empty body. */
export function looking(
  look: (environ: Parameters<Application>[0], startResponse: StartResponse) => unknown,
): Application {
  return async (environ, startResponse) => {
    await look(environ, startResponse);
    startResponse('200 OK', []);
    return [];
  };
}

/** One step of a {@link LoggedBody}: a chunk, or what makes one. */
export type Step = unknown | (() => unknown);

/** A body that notes every call it gets. Its iterator is an object of its own, so that mixing up the two shows. */
export class LoggedBody {
  readonly log: string[] = [];
  readonly #steps: Step[];
  readonly #asynchronous: boolean;

  /** @param steps chunks as text or bytes; functions are called when their step comes, and may throw or wait */
  constructor(steps: Step[], asynchronous = false) {
    this.#steps = [...steps];
    this.#asynchronous = asynchronous;
    const method = asynchronous ? Symbol.asyncIterator : Symbol.iterator;
    Object.defineProperty(this, method, { value: () => this.#iterate(), configurable: true });
  }

  /** How often a call was noted. */
  count(entry: string): number {
    return this.log.filter((each) => each === entry).length;
  }

  close(): void {
    this.log.push('close');
  }

  #iterate(): unknown {
    this.log.push('iterate');
    let pulling = false;
    const step = (): unknown => {
      if (this.#steps.length === 0) return undefined;
      const next = this.#steps.shift();
      const value = typeof next === 'function' ? next() : next;
      return typeof value === 'string' ? u8(value) : value;
    };
    const result = (value: unknown) => ({ done: value === undefined, value });
    const next = (): unknown => {
      this.log.push(pulling ? 'overlapping next' : 'next');
      if (!this.#asynchronous) return result(step());
      pulling = true;
      return Promise.resolve()
        .then(step)
        .then(result)
        .finally(() => {
          pulling = false;
        });
    };
    return {
      next,
      return: () => {
        this.log.push('return');
        const over = { done: true, value: undefined };
        return this.#asynchronous ? Promise.resolve(over) : over;
      },
      close: () => {
        this.log.push('iterator closed');
      },
    };
  }
}
