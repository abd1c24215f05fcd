// The options of `waygate serve`.

import type { TlsOptions } from './certificate.ts';
import type { RunOptions } from './handler.ts';

/** Options of `waygate serve`. */
export interface ServeOptions extends RunOptions, TlsOptions {
  /** When left out, that of the environment's `PORT`, else 8000. */
  port?: number;
  host: string;
  watch: boolean;
  /** How many processes serve. */
  processes: number;
  quiet: boolean;
  /** Files of environment variables. */
  envFile: string[];
  http2: boolean;
  /** Whether the globals of Fetch are the light classes in the processes that serve. */
  lightFetch: boolean;
  /** Whether the requests are shown on a page. */
  inspect: boolean;
  /** The port of that page. When left out, the one after `port`; any free one where that is any, too. */
  inspectPort?: number;
  /** Whether the URL is shown in a browser. */
  open: boolean;
  /** `lambda:web`: how long a request may take, in seconds. @default 30 */
  timeout?: number;
  /** `lambda:web`: how many requests an environment has at a time. @default 64 */
  maxConcurrency?: number;
}
