// A stand-in for the stream of Lambda's Node.js runtime: it sends the prelude with the first write and with nothing else,
// makes JSON of byte arrays that it does not know, and keeps what went out.

import { Writable } from 'node:stream';

export interface RuntimeStreamOptions {
  /** How long each chunk takes. */
  delayMs?: number;
  highWaterMark?: number;
  /** Whether the client reads nothing. */
  stuck?: boolean;
}

export class RuntimeStream extends Writable {
  contentType = '';
  sent: Buffer[] = [];
  _onBeforeFirstWrite: ((write: (chunk: string | Uint8Array) => unknown) => void) | undefined = undefined;
  readonly #options: RuntimeStreamOptions;
  #written = false;

  constructor(options: RuntimeStreamOptions = {}) {
    super({ highWaterMark: options.highWaterMark ?? 16_384 });
    this.#options = options;
  }

  setContentType(contentType: string): void {
    if (this.#written) throw new Error('Cannot set content-type, too late.');
    this.contentType = contentType;
  }

  // biome-ignore lint/suspicious/noExplicitAny: the runtime's stream takes anything.
  override write(chunk: any): boolean {
    const known = typeof chunk === 'string' || Buffer.isBuffer(chunk) || chunk?.constructor === Uint8Array;
    const first = !this.#written;
    this.#written = true;
    if (first) this._onBeforeFirstWrite?.((each) => super.write(each));
    return super.write(known ? chunk : JSON.stringify(chunk));
  }

  override end(...args: unknown[]): this {
    if (args.length > 0) throw new Error('the runtime takes no chunk here');
    return super.end();
  }

  override _write(chunk: Buffer, _encoding: string, done: () => void): void {
    if (this.#options.stuck) return;
    const take = (): void => {
      this.sent.push(Buffer.from(chunk));
      done();
    };
    if (this.#options.delayMs === undefined) take();
    else setTimeout(take, this.#options.delayMs);
  }

  get #parts(): [prelude: Buffer, body: Buffer] {
    const all = Buffer.concat(this.sent);
    const end = all.indexOf(Buffer.alloc(8));
    if (end === -1) throw new Error(`no delimiter in ${JSON.stringify(all.toString())}`);
    return [all.subarray(0, end), all.subarray(end + 8)];
  }

  get prelude(): { statusCode: number; headers?: object; multiValueHeaders?: object; cookies?: string[] } {
    return JSON.parse(this.#parts[0].toString());
  }

  get body(): Buffer {
    return this.#parts[1];
  }

  get bodyText(): string {
    return this.sent.length < 2 ? '' : this.body.toString();
  }

  get bodyLength(): number {
    return this.sent.length < 2 ? 0 : this.body.byteLength;
  }
}
