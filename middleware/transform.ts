// What every middleware that changes bodies has in common: it decides with the whole head of a response, and with all chunks
// where they are in memory, and hands on the body as it is, another one, or each chunk changed. (MW-01 … MW-06)

import type { ChunkCoder } from '../core/coding.ts';
import { isThenable } from '../core/thenable.ts';
import type { Application, ApplicationBody, Environ, HeaderList, StartResponse } from '../core/types.ts';
import { TransformedResponse } from './transformed-response.ts';

/** The head of a response, checked as the gateway checks it. */
export interface Head {
  /** `200 OK`. */
  readonly status: string;
  readonly code: number;
  /** A list of the middleware's own, to change and to hand on; its pairs are not. */
  readonly headers: HeaderList;
  /** The declared `Content-Length` in bytes, or -1. */
  readonly length: number;
}

/** What becomes of a response. Without `chunks` and `coder` its body goes out as it is. */
export interface Outcome {
  readonly status: string;
  readonly headers: HeaderList;
  /** Goes out instead of the body, which is closed without being read. */
  readonly chunks?: Uint8Array[] | Promise<Uint8Array[]>;
  /** Makes what every chunk of the body passes through. */
  readonly coder?: () => ChunkCoder;
}

/**
 * Decides what becomes of a response. It is asked again where the application changed its mind, or more is known.
 *
 * @param head status and headers as the application gave them
 * @param chunks the whole body where it is known by now, else null
 */
export type Decide = (head: Head, chunks: Uint8Array[] | null) => Outcome;

/**
 * Calls an application and changes its response.
 *
 * @param decide what becomes of the response
 * @param waits whether an outcome may hold a promise, or a coder that gives one
 * @returns the body for the caller of the middleware; a promise only if the application returned one or `chunks` are one
 */
export function transform(
  app: Application,
  environ: Environ,
  startResponse: StartResponse,
  decide: Decide,
  waits: boolean,
): ApplicationBody | Promise<ApplicationBody> {
  const response = new TransformedResponse(environ, startResponse, decide, waits);
  const result = app(environ, response.startResponse);
  return isThenable(result) ? response.wait(result) : response.accept(result);
}
