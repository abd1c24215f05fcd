// A gateway that checks nothing: what is found behind it, the validator has found. And an application that breaks no rule.

import { type Application, ContractError, type Environ, encode, setupTestingDefaults } from 'waygate';
import { MemoryInput } from '../../../core/memory-input.ts';

/** A fault planted on purpose. */
export interface Fault {
  /** The rule it breaks. */
  rule: string;
  /** What is wrong. */
  name: string;
  app: Application;
  method?: string;
  /** The request body. */
  body?: string;
}

/** What came out: the rules of errors thrown and of warnings written, in the order they came, and the body. */
export interface Findings {
  rules: string[];
  messages: string[];
  text: string;
}

/** An environ for a request with a body, or without. */
export function environFor(method: string, body: string, messages: string[]): Environ {
  const bytes = encode(body);
  const environ = setupTestingDefaults({ REQUEST_METHOD: method });
  if (body !== '') environ.CONTENT_LENGTH = String(bytes.byteLength);
  environ['wsgi.input'] = new MemoryInput(bytes);
  environ['wsgi.errors'] = {
    write: (text) => void messages.push(text),
    writelines: (lines) => void messages.push(...lines),
    flush: () => {},
  };
  environ['waygate.early_hints'] = () => {};
  return environ;
}

/** Calls an application as gateways do, without looking at anything it does. */
export async function findings(app: Application, method = 'GET', body = ''): Promise<Findings> {
  const messages: string[] = [];
  let text = '';
  let committed = false;
  const take = (chunk: Uint8Array): void => {
    committed ||= chunk?.byteLength > 0;
    text += new TextDecoder().decode(chunk);
  };
  const environ = environFor(method, body, messages);
  try {
    const result = await app(environ, (_status, _headers, error) => {
      if (error !== undefined && committed) throw error;
      return async (chunk) => take(chunk);
    });
    try {
      for await (const chunk of result) {
        take(chunk);
        // A slow client: whatever else is under way has its turn.
        await new Promise((turn) => setTimeout(turn));
      }
    } finally {
      await result.close?.();
    }
  } catch (error) {
    messages.push(error instanceof ContractError ? error.message : `no ContractError: ${error}`);
  }
  return { rules: messages.map((message) => /\[([A-Z]+-\d\d)\]\s*$/.exec(message)?.[1] ?? message), messages, text };
}

export const PLAIN: [string, string][] = [['Content-Type', 'text/plain']];

/** Yields its chunks one by one and has a `close`: no array, so that every step of it is seen. */
export function streaming(...chunks: string[]): Application {
  return (_environ, startResponse) => {
    startResponse('200 OK', PLAIN);
    return bodyOf(chunks.map(encode));
  };
}

/** A body over these chunks with `return` and `close`. */
export function bodyOf(chunks: Iterable<Uint8Array>): AsyncIterable<Uint8Array> & { close(): void } {
  return {
    async *[Symbol.asyncIterator]() {
      yield* chunks;
    },
    close: () => {},
  };
}
