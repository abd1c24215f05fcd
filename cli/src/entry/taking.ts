// The servers that a program starts while its module is loaded: taken instead of listening. It imports nothing, since it is
// bundled into builds for every target. What takes Node's servers is in node-servers.ts, Deno's and Bun's in runtimes.ts.

/** A server that was to listen. */
export interface Taken {
  /** What is hosted: an `http.Server`, or an object with `fetch`. */
  app: unknown;
  /** The port that it was to listen on; undefined for a Unix socket. */
  port: number | undefined;
  /** The address, as the program gave it. */
  host: string | undefined;
  /** Where it was to listen, for messages: `port 3000`. */
  where: string;
  /** Called when the program closes the server; resolves when its last request is answered. */
  onClose: () => Promise<void>;
  /** Listens after all. */
  listen?: () => void;
}

/** Set beside the globals: the program's bundle, and the process that loads it, may each have a copy of this module. */
const KEY: unique symbol = Symbol.for('waygate.entry') as never;

type Shared = { [KEY]?: Taking | undefined };

/** A time in which the servers of a program are taken. */
export class Taking {
  readonly servers: Taken[] = [];
  /** Whether no other server is to come: the program waits for the end of the one that it has. */
  isComplete = false;
  readonly #before: Taking | undefined;
  readonly #waiting: (() => void)[] = [];

  constructor() {
    this.#before = (globalThis as Shared)[KEY];
    (globalThis as Shared)[KEY] = this;
  }

  add(server: Taken): void {
    this.servers.push(server);
    for (const wake of this.#waiting.splice(0)) wake();
  }

  /** No other server is to come. */
  complete(): void {
    this.isComplete = true;
    for (const wake of this.#waiting.splice(0)) wake();
  }

  /** Resolves at the next server, or at `complete`. */
  next(): Promise<void> {
    return new Promise((resolve) => void this.#waiting.push(resolve));
  }

  end(): void {
    (globalThis as Shared)[KEY] = this.#before;
  }
}

/** What takes servers now; undefined where nothing does. */
export function currentTaking(): Taking | undefined {
  return (globalThis as Shared)[KEY];
}

/**
 * The servers that are one to their program: the same port on several addresses, as Fastify listens on `localhost`.
 *
 * @returns the first of each
 */
export function distinctServers(servers: readonly Taken[]): Taken[] {
  return servers.filter(
    (each, index) =>
      !servers
        .slice(0, index)
        .some((other) => other.port !== undefined && other.port === each.port && other.host !== each.host),
  );
}

/**
 * The server of a program in its build.
 *
 * @param index which of its servers it is, among those that are distinct
 * @param loaded settles when the module is loaded, which may wait for the end of its server
 * @param name the module, for the error
 * @throws {Error} when nothing listens within 10 seconds, and what the module throws before it listens
 */
export async function serverOf(
  taking: Taking,
  index: number,
  loaded: Promise<unknown>,
  name: string,
): Promise<unknown> {
  const found = (): Taken | undefined => distinctServers(taking.servers)[index];
  const arrival = async (): Promise<Taken> => {
    while (found() === undefined) await taking.next();
    return found() as Taken;
  };
  // Workers have no timers while a module is loaded.
  const isWorkerd = globalThis.navigator?.userAgent === 'Cloudflare-Workers';
  let timer: ReturnType<typeof setTimeout> | undefined;
  const limit = new Promise<never>((_, reject) => {
    if (isWorkerd) return;
    const error = new Error(`${name} did not listen within ${LISTEN_LIMIT / 1000} s; there is nothing to serve.`);
    timer = setTimeout(() => reject(error), LISTEN_LIMIT);
  });
  const failure = loaded.then(() => new Promise<never>(() => {}));
  try {
    return (await Promise.race([arrival(), failure, limit])).app;
  } finally {
    clearTimeout(timer);
    taking.end();
  }
}

/** How long a program may take until it listens, in milliseconds: what Lambda gives a function to start. */
export const LISTEN_LIMIT = 10_000;
