// Whether the body of a Response is in the coding that its Content-Encoding names. `fetch` decodes a body and leaves the
// label; each runtime decodes other codings. When it sends a plain body, workerd encodes it by its label. Where neither the
// label nor the runtime decides, the first bytes do. (RFC 9110 §8.4, Fetch standard "HTTP-network fetch")

/** How bytes in a coding begin: gzip (RFC 1952 §2.3.1), zlib (RFC 1950 §2.2), zstd (RFC 8878 §3.1.1). */
const SIGNATURES: Record<string, (bytes: Uint8Array) => boolean> = {
  gzip: ([a, b]) => a === 0x1f && b === 0x8b,
  'x-gzip': ([a, b]) => a === 0x1f && b === 0x8b,
  deflate: ([a = 0, b = 0]) => (a & 0x0f) === 8 && a >> 4 < 8 && ((a << 8) | b) % 31 === 0,
  zstd: ([a, b, c, d]) => a === 0x28 && b === 0xb5 && c === 0x2f && d === 0xfd,
  // Brotli has no signature (RFC 7932); but its bytes are not text.
  br: (bytes) => !isText(bytes),
};

/** Bytes enough for every signature. */
const ENOUGH = 4;

/**
 * Whether the body that `fetch` brought is decoded already.
 *
 * @param coding the value of Content-Encoding
 * @returns null where runtimes differ: then look at the bytes
 */
export function wasDecodedByFetch(coding: string): boolean | null {
  const codings = codingsOf(coding);
  if (codings.some((each) => !Object.hasOwn(SIGNATURES, each))) return false;
  const [outermost] = codings.slice(-1);
  if (codings.length === 1 && (outermost === 'gzip' || outermost === 'br')) return true;
  // Only Node's fetch undoes any of several codings; it undoes all.
  if (outermost === 'br') return isNodeFetch();
  return null;
}

/**
 * Whether a Worker leaves it to workerd to encode a body with this label, unless it says `encodeBody: 'manual'`, which no
 * Response shows. (Cloudflare docs, "Response: encodeBody")
 */
export function isEncodedByWorkerd(coding: string): boolean {
  return /^(?:gzip|br)$/i.test(coding.trim());
}

/** A body whose first bytes were looked at. */
export interface PeekedBody {
  readonly isCoded: boolean;
  /** All of the body, these bytes included. */
  readonly body: ReadableStream<Uint8Array>;
}

/** Reads the first bytes of a body, to see whether it is in the coding that its label names last. */
export async function peek(stream: ReadableStream<Uint8Array>, coding: string): Promise<PeekedBody> {
  const reader = stream.getReader();
  const first: Uint8Array[] = [];
  const start: number[] = [];
  while (start.length < ENOUGH) {
    const { done, value } = await reader.read();
    if (done) break;
    first.push(value);
    // The gateway reports a chunk that is not bytes.
    if (!(value instanceof Uint8Array)) break;
    start.push(...value.subarray(0, 64));
  }
  const [outermost = ''] = codingsOf(coding).slice(-1);
  const isCoded = start.length > 0 && (SIGNATURES[outermost]?.(Uint8Array.from(start)) ?? true);
  return { isCoded, body: rest(first, reader) };
}

/** What is left of a stream behind the chunks that were read of it, at the pace of its reader. */
function rest(first: Uint8Array[], reader: ReadableStreamDefaultReader<Uint8Array>): ReadableStream<Uint8Array> {
  return new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        const chunk = first.shift() ?? (await reader.read()).value;
        if (chunk === undefined) controller.close();
        else controller.enqueue(chunk);
      },
      cancel: (reason) => reader.cancel(reason),
    },
    { highWaterMark: 0 },
  );
}

function codingsOf(coding: string): string[] {
  return coding.split(',').map((each) => each.trim().toLowerCase());
}

/** Deno, Bun and workerd call themselves Node in `process`, but not as the user agent; Node 20 names none. */
function isNodeFetch(): boolean {
  const { navigator, process } = globalThis as Runtime;
  return navigator === undefined
    ? process?.versions?.node !== undefined
    : /^Node\.js\//.test(navigator.userAgent ?? '');
}

interface Runtime {
  readonly navigator?: { readonly userAgent?: string };
  readonly process?: { readonly versions?: { readonly node?: string } };
}

/** UTF-8 without control characters, perhaps cut in the middle of one. */
function isText(bytes: Uint8Array): boolean {
  try {
    return !/[\x00-\x08\x0e-\x1f\x7f]/.test(new TextDecoder('utf-8', { fatal: true }).decode(bytes, { stream: true }));
  } catch {
    return false;
  }
}
