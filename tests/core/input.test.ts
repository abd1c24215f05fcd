// wsgi.input against a model that has the whole body in hand.

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { BodyTooLargeError, ClientDisconnectedError, type InputStream, MemoryInput } from 'waygate';
import { type ByteSource, Input } from '../../core/input.ts';

const bytes = (text: string) => new TextEncoder().encode(text);

/** A source of these chunks, each at once or a moment later, that notices being asked twice at once. */
function sourceOf(chunks: Uint8Array[], later: boolean): ByteSource & { pulls: number } {
  const rest = [...chunks];
  let asked = false;
  return {
    pulls: 0,
    pull() {
      this.pulls += 1;
      if (asked) throw new Error('the source was asked twice at once');
      const chunk = rest.shift() ?? null;
      if (!later) return chunk;
      asked = true;
      return Promise.resolve(chunk).finally(() => {
        asked = false;
      });
    },
  };
}

/** The same operations on a body in hand. */
class Model {
  readonly #body: number[];
  #at = 0;

  constructor(body: Uint8Array) {
    this.#body = [...body];
  }

  read(size: number | undefined): number[] {
    const end = size === undefined || size < 0 ? this.#body.length : Math.min(this.#at + size, this.#body.length);
    const part = this.#body.slice(this.#at, end);
    this.#at = end;
    return part;
  }

  readline(size: number | undefined): number[] {
    const feed = this.#body.indexOf(10, this.#at);
    const length = (feed === -1 ? this.#body.length : feed + 1) - this.#at;
    return this.read(size === undefined || size < 0 ? length : Math.min(size, length));
  }

  readlines(hint: number | undefined): number[][] {
    const lines: number[][] = [];
    let total = 0;
    while (!(hint !== undefined && hint > 0 && total >= hint)) {
      const line = this.readline(undefined);
      if (line.length === 0) break;
      lines.push(line);
      total += line.length;
    }
    return lines;
  }
}

const size = fc.option(fc.integer({ min: -1, max: 12 }), { nil: undefined });
const operation = fc.tuple(fc.constantFrom('read', 'readline', 'readlines', 'next'), size);
// Line ends often, so that lines are short and cross chunks.
const body = fc.uint8Array({ maxLength: 60 }).map((bytes) => bytes.map((byte) => (byte % 5 === 0 ? 10 : byte)));
const cuts = fc.array(fc.integer({ min: 0, max: 60 }), { maxLength: 10 });

/** The body cut at these places; equal cuts give empty chunks. */
function cut(bytes: Uint8Array, places: number[]): Uint8Array[] {
  const ends = [...places.map((place) => Math.min(place, bytes.length)), bytes.length].sort((a, b) => a - b);
  return ends.map((end, index) => bytes.slice(index === 0 ? 0 : ends[index - 1], end));
}

async function perform(input: InputStream, [name, given]: [string, number | undefined]): Promise<unknown> {
  if (name === 'readlines') return (await input.readlines(given)).map((line) => [...line]);
  if (name === 'read') return [...(await input.read(given))];
  if (name === 'readline') return [...(await input.readline(given))];
  const step = await input[Symbol.asyncIterator]().next();
  return step.done ? [] : [...step.value];
}

function expected(model: Model, [name, given]: [string, number | undefined]): unknown {
  if (name === 'readlines') return model.readlines(given);
  return name === 'read' ? model.read(given) : model.readline(name === 'next' ? undefined : given);
}

describe('wsgi.input', () => {
  it('gives what a body in hand would, for any chunks and any sequence of reads', async () => {
    await fc.assert(
      fc.asyncProperty(
        body,
        cuts,
        fc.array(operation, { maxLength: 12 }),
        fc.boolean(),
        fc.boolean(),
        async (...args) => {
          const [bytes, places, operations, later, declared] = args;
          const input = new Input(sourceOf(cut(bytes, places), later), declared ? bytes.length : undefined);
          const model = new Model(bytes);
          for (const each of operations) expect(await perform(input, each)).toEqual(expected(model, each));
          expect([...(await input.read())]).toEqual(model.read(undefined));
        },
      ),
      { numRuns: 300 },
    );
  });

  it('gives overlapping reads what they would get one after another (INPUT-11)', async () => {
    await fc.assert(
      fc.asyncProperty(body, cuts, fc.array(operation, { maxLength: 8 }), async (bytes, places, operations) => {
        const input = new Input(sourceOf(cut(bytes, places), true), bytes.length);
        const model = new Model(bytes);
        const results = await Promise.all(operations.map((each) => perform(input, each)));
        expect(results).toEqual(operations.map((each) => expected(model, each)));
      }),
    );
  });

  it('never gives a byte beyond the declared length, nor asks for one (INPUT-02)', async () => {
    const source = sourceOf([Uint8Array.of(1, 2), Uint8Array.of(3, 4, 5), Uint8Array.of(6)], false);
    const input = new Input(source, 3);
    expect([...(await input.read())]).toEqual([1, 2, 3]);
    expect([...(await input.read())]).toEqual([]);
    expect(source.pulls).toBe(2);
  });

  it('asks the source for nothing until it is read, and for nothing more than it needs (INPUT-08)', async () => {
    const source = sourceOf([Uint8Array.of(1, 2), Uint8Array.of(3, 4)], false);
    const input = new Input(source, 4);
    expect(source.pulls).toBe(0);
    await input.read(0);
    expect(source.pulls).toBe(0);
    await input.read(2);
    expect(source.pulls).toBe(1);
  });

  it('says once it is known that nothing is left', async () => {
    const input = new Input(sourceOf([Uint8Array.of(1)], false), 1);
    expect([new Input(null).exhausted, input.exhausted]).toEqual([true, false]);
    await input.read();
    expect(input.exhausted).toBe(true);
  });

  it('fails when the body ends before its declared length, now and at every later read (INPUT-12)', async () => {
    const input = new Input(sourceOf([Uint8Array.of(1, 2)], false), 5);
    expect([...(await input.read(2))]).toEqual([1, 2]);
    for (let round = 0; round < 2; round++) await expect(input.read()).rejects.toThrow(ClientDisconnectedError);
    await expect(input.readline()).rejects.toThrow('2 of the 5 bytes');
  });

  it('fails with the very error of its source, now and at every later read', async () => {
    const failure = new Error('the connection broke');
    const input = new Input({ pull: () => Promise.reject(failure) });
    for (let round = 0; round < 2; round++) await expect(input.read()).rejects.toBe(failure);
  });

  it('fails beyond the limit, and takes a body that just fits', async () => {
    const chunks = [Uint8Array.of(1, 2), Uint8Array.of(3)];
    expect([...(await new Input(sourceOf(chunks, false), undefined, 3).read())]).toEqual([1, 2, 3]);
    await expect(new Input(sourceOf(chunks, false), undefined, 2).read()).rejects.toThrow(BodyTooLargeError);
  });

  it('gives its stream out at the pace of the reader', async () => {
    const source = sourceOf([Uint8Array.of(1), Uint8Array.of(2), Uint8Array.of(3)], false);
    const input = new Input(source, 3);
    const reader = input.stream().getReader();
    expect(source.pulls).toBe(0);
    expect((await reader.read()).value).toEqual(Uint8Array.of(1));
    expect(source.pulls).toBe(1);
    reader.releaseLock();
    expect([...(await input.read())]).toEqual([2, 3]);
  });
});

describe('pull, for adapters that hand a body on', () => {
  it('gives the chunks as they come, what was left of one first, then null', async () => {
    const input = new Input(sourceOf([bytes('abc'), bytes(''), bytes('de')], true), 5);
    expect(await input.read(1)).toEqual(bytes('a'));
    expect(await input.pull()).toEqual(bytes('bc'));
    expect(await input.pull()).toEqual(bytes('de'));
    expect(await input.pull()).toBeNull();
    expect(new Input(null).pull()).toBeNull();
  });

  it('waits for the reads before it, and fails as they do', async () => {
    const input = new Input(sourceOf([bytes('abcdef')], true), undefined, 5);
    const read = input.read(2).catch((error) => error);
    const pulled = Promise.resolve(input.pull()).catch((error) => error);
    expect(await read).toBeInstanceOf(BodyTooLargeError);
    expect(await pulled).toBe(await read);
  });
});

describe('a source that gathers the whole body', () => {
  type Whole = NonNullable<ByteSource['whole']>;
  const gathering = (whole: Whole): ByteSource => ({
    pull: () => {
      throw new Error('the source was asked for a chunk');
    },
    whole,
  });
  const giving = (given: Uint8Array, later: boolean): ByteSource =>
    gathering((done) => {
      if (later) queueMicrotask(() => done(given));
      else done(given);
      return true;
    });

  it.each([true, false])(
    'gives it to a reader that wants all of it, and others wait their turn (later: %s)',
    async (later) => {
      const input = (text: string) => new Input(giving(bytes(text), later), text.length);
      expect(await input('abc').bytes()).toEqual(bytes('abc'));
      expect(await input('abc').text()).toBe('abc');
      const one = input('{"a":1}');
      expect(await Promise.all([one.json(), one.read(), one.text(), one.pull()])).toEqual([
        { a: 1 },
        bytes(''),
        '',
        null,
      ]);
      expect(one.exhausted).toBe(true);
      const two = input('{');
      const [json, rest] = await Promise.allSettled([two.json(), two.read()]);
      expect(json).toMatchObject({ status: 'rejected', reason: expect.any(SyntaxError) });
      expect(rest).toEqual({ status: 'fulfilled', value: bytes('') });
      expect(two.failure).toBeUndefined();
    },
  );

  it('may end early, give too much, or fail, as one that gives chunks', async () => {
    const short = new Input(giving(bytes('abc'), true), 4);
    await expect(short.text()).rejects.toThrow(/ended after 3 of the 4 bytes/);
    await expect(short.read()).rejects.toThrow(ClientDisconnectedError);
    expect(await new Input(giving(bytes('abcd'), true), 3).text()).toBe('abc');
    const large = new Input(giving(bytes('abc'), true), undefined, 2);
    await expect(large.bytes()).rejects.toThrow(BodyTooLargeError);
    expect(large.failure).toBeInstanceOf(BodyTooLargeError);
    const gone = new ClientDisconnectedError('gone');
    const failing = new Input(
      gathering((_done, failed) => {
        queueMicrotask(() => failed(gone));
        return true;
      }),
      3,
    );
    const reads = await Promise.allSettled([failing.bytes(), failing.read()]);
    expect(reads).toEqual([
      { status: 'rejected', reason: gone },
      { status: 'rejected', reason: gone },
    ]);
  });

  it('is not asked once something was read, and may decline', async () => {
    let asked = 0;
    const source: ByteSource = { ...sourceOf([bytes('ab'), bytes('cd')], true), whole: () => ++asked < 0 };
    const input = new Input(source, 4);
    expect(await input.read(1)).toEqual(bytes('a'));
    expect([await input.text(), asked]).toEqual(['bcd', 0]);
    const fresh: ByteSource = { ...sourceOf([bytes('ab'), bytes('cd')], true), whole: () => ++asked < 0 };
    expect([await new Input(fresh, 4).text(), asked]).toEqual(['abcd', 1]);
  });
});

describe('a body in memory', () => {
  it('gives what a body in hand would, for any sequence of reads, overlapping or not', async () => {
    const operations = fc.array(operation, { maxLength: 12 });
    await fc.assert(
      fc.asyncProperty(body, fc.boolean(), operations, fc.boolean(), async (bytes, asText, all, overlapping) => {
        const given = asText ? bytes.map((byte) => byte & 0x7f) : bytes;
        const input = new MemoryInput(asText ? new TextDecoder().decode(given) : given);
        const model = new Model(given);
        const pending: Promise<unknown>[] = [];
        for (const each of all) {
          pending.push(perform(input, each));
          if (!overlapping) await pending.at(-1);
        }
        expect(await Promise.all(pending)).toEqual(all.map((each) => expected(model, each)));
        expect([...(await input.read())]).toEqual(model.read(undefined));
        expect(input.exhausted).toBe(true);
      }),
      { numRuns: 300 },
    );
  });

  it('decodes as one that came in chunks does, whether it was text or bytes', async () => {
    const texts = fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.constantFrom('\ufeffmark', 'a\ud800b', '\udc00', '\u{1f600}', '', 'caf\xe9'),
    );
    await fc.assert(
      fc.asyncProperty(texts, fc.nat(3), async (text, skipped) => {
        const encoded = new TextEncoder().encode(text);
        const inputs = [new MemoryInput(text), new MemoryInput(encoded), new Input(sourceOf([encoded], true))];
        if (skipped > 0) for (const input of inputs) await input.read(skipped);
        const [fromText, fromBytes, fromChunks] = await Promise.all(inputs.map((input) => input.text()));
        expect(fromText).toBe(fromChunks);
        expect(fromBytes).toBe(fromChunks);
      }),
      {
        examples: [
          ['\ufeffmark', 0],
          ['a\ud800b', 0],
          ['\ufeffmark', 1],
        ],
      },
    );
  });

  it('is parsed, streamed, pulled and read to its end once', async () => {
    const json = '{"a":"\u00e9"}';
    expect(await new MemoryInput(json).json()).toEqual({ a: '\u00e9' });
    const input = new MemoryInput(json);
    expect([input.exhausted, input.failure, new MemoryInput().exhausted, new MemoryInput('').exhausted]).toEqual([
      false,
      undefined,
      true,
      true,
    ]);
    expect(await new Response(input.stream()).text()).toBe(json);
    expect([input.exhausted, input.pull(), await input.text(), (await input.bytes()).length]).toEqual([
      true,
      null,
      '',
      0,
    ]);
    const pulled = new MemoryInput(json);
    await pulled.read(5);
    expect(new TextDecoder().decode(pulled.pull() as Uint8Array)).toBe('"\u00e9"}');
    await expect(new MemoryInput('{').json()).rejects.toThrow(SyntaxError);
    await expect(new MemoryInput('a').read('1' as never)).rejects.toThrow('INPUT-03');
  });
});
