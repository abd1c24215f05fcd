// What recorders report of a request, step by step. It is plain data, which goes from the process that runs the app to the
// one that shows it.

/** Header lines in the order, the case and the number in which they stood. Values are native strings. */
export type HeaderLines = [name: string, value: string][];

/** Bytes as they are kept: the beginning, and how many there were. */
export interface KeptBytes {
  /** What is kept of these bytes; empty once as much is kept as may be. */
  data: Uint8Array;
  size: number;
}

/** The head of a request, as it came. */
export interface RequestHead {
  method: string;
  target: string;
  /** `1.1`, `2.0`. */
  version: string;
  headers: HeaderLines;
  remoteAddress?: string;
  remotePort?: number;
}

/** One step. All have the request's id and the time, in milliseconds since the epoch with fractions. */
export type Report = { id: string; at: number } & Step;

/** What happened. */
export type Step =
  /** The head of the request came. */
  | ({ type: 'request' } & RequestHead)
  /** Bytes of its body came. */
  | ({ type: 'received' } & KeptBytes)
  /** What the platform made of it: an event of Lambda, a Request, an IncomingMessage. */
  | { type: 'event'; what: string; value: unknown; truncated: boolean }
  /** The app was called. */
  | { type: 'environ'; entries: [key: string, value: string][] }
  /** The app has read of the body. */
  | ({ type: 'read' } & KeptBytes)
  /** The app called `startResponse`. */
  | { type: 'start'; status: string; headers: HeaderLines; error?: string }
  /** The app returned a body: `an array`, `an iterable`. */
  | { type: 'returned'; what: string }
  /** The app gave a chunk, by its body or by `write`. */
  | ({ type: 'chunk'; by: 'body' | 'write' } & KeptBytes)
  /** The body was closed. */
  | { type: 'closed' }
  /** The app threw or its body failed. */
  | { type: 'failed'; error: string }
  /** A text went to `wsgi.errors`. */
  | { type: 'errors'; text: string }
  /** The validator found something. */
  | { type: 'finding'; rule: string; text: string }
  /** Work was given to `wait_until`; it is over. */
  | { type: 'wait'; work: number }
  | { type: 'waited'; work: number; error?: string }
  /** What the platform's function returned: a result of Lambda, a Response, a ServerResponse. */
  | { type: 'result'; what: string; value: unknown; truncated: boolean }
  /** Bytes of a stream that it wrote. */
  | ({ type: 'streamed' } & KeptBytes)
  /** Bytes that went to the client, head and framing included. */
  | ({ type: 'sent' } & KeptBytes)
  /** The head of a response that has no bytes of its own to show, as under HTTP/2. */
  | { type: 'head'; status: number; headers: HeaderLines }
  /** The response is over. */
  | { type: 'end'; status: number; size: number; complete: boolean };

/** Takes what is reported. */
export type Reporter = (report: Report) => void;

/** The header by which the server in front of workerd says which request is which. */
export const ID_HEADER = 'x-waygate-inspect';
