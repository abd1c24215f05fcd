// The bytes of a `Response` that was made of a text or of bytes, where the runtime still has them. They then go out in one
// piece with their length. No stream has to be made for them.

import { encode } from '../../../core/strings.ts';
import { real } from '../light/real.ts';

/** What Node 20 and 22 keep of a response, under a symbol of their own. */
interface State {
  body: { stream: unknown; source: unknown; length: number | null } | null;
}

/**
 * The whole body of a response where it is known to be in memory; null for a stream, and wherever nothing can be known.
 *
 * @param response one whose body is neither used nor locked
 */
export function bytesInMemory(response: Response): Uint8Array | null {
  const body = stateOf(response)?.body;
  if (!body) return null;
  const { source } = body;
  if (typeof source === 'string') return encode(source);
  // A clone shares the bytes, and a stream takes their memory away when it is read. The bytes are empty then, while the
  // stream of this response still has a copy.
  return source instanceof Uint8Array && source.byteLength === body.length ? source : null;
}

/**
 * The length in bytes that the runtime knows of a body, also of a `Blob` and of `FormData`, which are not bytes yet.
 *
 * @param response one whose body is neither used nor locked
 * @returns null where nothing is known
 */
export function knownLength(response: Response): number | null {
  return stateOf(response)?.body?.length ?? null;
}

/** What the runtime keeps of this very response; undefined unless it is the body that the response shows. */
function stateOf(response: Response): State | undefined {
  // Once: where nothing is found that is null, and looking for it makes a response.
  if (key === undefined) key = findKey();
  // A subclass may make its own body, and somebody may have put another one on an object.
  if (key === null || Object.getPrototypeOf(response) !== real('Response').prototype) return undefined;
  const state = (response as unknown as Record<symbol, State | undefined>)[key];
  return state?.body && state.body.stream === response.body ? state : undefined;
}

/** The symbol of the state; null in a runtime that keeps it elsewhere; undefined while nobody has asked. */
let key: symbol | null | undefined;

function findKey(): symbol | null {
  const probe = new (real('Response'))('probe');
  const found = Object.getOwnPropertySymbols(probe).find((symbol) => {
    const state = (probe as unknown as Record<symbol, State | undefined>)[symbol];
    return state?.body?.source === 'probe' && state.body.length === 5 && state.body.stream === probe.body;
  });
  return found ?? null;
}
