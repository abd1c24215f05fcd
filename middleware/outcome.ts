// What a middleware decides that changes bodies: from the head of a response to what becomes of it. Types only.

import type { ChunkCoder } from '../core/coding.ts';
import type { HeaderList } from '../core/types.ts';

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
  /** The coder gives as many bytes as it gets: the gateway looks after the declared length. */
  readonly keepsLength?: boolean;
}

/**
 * Decides what becomes of a response. It is asked again where the application changed its mind, or more is known.
 *
 * @param head status and headers as the application gave them
 * @param chunks the whole body where it is known by now, else null
 */
export type Decide = (head: Head, chunks: Uint8Array[] | null) => Outcome;
