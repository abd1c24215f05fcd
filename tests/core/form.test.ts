// Forms: what browsers send comes out as they read it themselves, in whatever pieces it comes, and within limits.

import fc from 'fast-check';
import { afterEach, describe, expect, test } from 'vitest';
import { type Application, encode, type FormOptions, type FormPart, form, formParts, RequestError } from 'waygate';
import { Input } from 'waygate/adapter';
import { validator } from 'waygate/middleware';
import { testEnviron } from 'waygate/testing';
import { closeAll, everywhere } from '../middleware/everywhere.ts';

afterEach(closeAll);

/** An environ whose body comes in pieces of some sizes. */
function inPieces(type: string, body: Uint8Array, sizes: number[] = [body.byteLength || 1]) {
  let at = 0;
  let round = 0;
  const source = {
    async pull() {
      if (at >= body.byteLength) return null;
      const size = sizes[round++ % sizes.length] as number;
      at += size;
      return body.subarray(at - size, at);
    },
  };
  return testEnviron({ REQUEST_METHOD: 'POST', CONTENT_TYPE: type, 'wsgi.input': new Input(source) });
}

/** Fields and files of a form, so that they can be compared. */
async function entries(fields: FormData): Promise<unknown[]> {
  return Promise.all(
    [...fields].map(async ([name, value]) =>
      typeof value === 'string'
        ? [name, value]
        : [name, value.name, value.type, [...new Uint8Array(await value.arrayBuffer())]],
    ),
  );
}

const BOUNDARY = 'XX';
const TYPE = `multipart/form-data; boundary=${BOUNDARY}`;

/** A body written by hand: `|` stands for a line end. */
const written = (text: string) => encode(text.replaceAll('|', '\r\n'));

const read = async (body: string, type = TYPE, options: FormOptions = {}) =>
  entries(await form(inPieces(type, written(body)), options));

test('what a browser sends is what it would read itself, in whatever pieces it comes', () => {
  const text = fc.string({ unit: 'grapheme' });
  const file = fc.record({ name: text, bytes: fc.uint8Array(), type: fc.constantFrom('image/png', 'text/plain') });
  const field = fc.tuple(text, fc.oneof(text, file));
  const sizes = fc.array(fc.integer({ min: 1, max: 100 }), { minLength: 1, maxLength: 5 });
  return fc.assert(
    fc.asyncProperty(fc.array(field, { maxLength: 6 }), sizes, async (fields, pieces) => {
      const data = new FormData();
      for (const [name, value] of fields) {
        if (typeof value === 'string') data.append(name, value);
        else data.append(name, new File([value.bytes as BlobPart], value.name, { type: value.type }));
      }
      // Node's own parser refuses an empty form.
      fc.pre(fields.length > 0);
      const sent = new Response(data);
      const type = sent.headers.get('content-type') as string;
      const body = new Uint8Array(await sent.arrayBuffer());
      const reference = await new Response(body, { headers: { 'Content-Type': type } }).formData();
      expect(await entries(await form(inPieces(type, body, pieces)))).toEqual(await entries(reference));
    }),
  );
});

test('bytes that look like a boundary stay in the file, wherever the pieces are cut', () =>
  fc.assert(
    fc.asyncProperty(
      fc.array(fc.constantFrom('\r', '\n', '-', '--', '\r\n', '\r\n--', '\r\n--X', '\r\n-XX', 'XX', '\r\n--Xy', 'a')),
      fc.integer({ min: 1, max: 9 }),
      async (pieces, size) => {
        const content = pieces.join('');
        fc.pre(!`\r\n${content}\r\n`.includes('\r\n--XX'));
        const body = encode(
          `--XX\r\nContent-Disposition: form-data; name="a"; filename="f"\r\n\r\n${content}\r\n--XX--\r\n`,
        );
        const fields = await form(inPieces(TYPE, body, [size]));
        expect(await (fields.get('a') as File).text()).toBe(content);
      },
    ),
  ));

test('urlencoded forms are read as queries are', async () => {
  const type = 'application/x-www-form-urlencoded; charset=UTF-8';
  expect(await read('a=1&b=caf%C3%A9+x&a=2&?c', type)).toEqual([
    ['a', '1'],
    ['b', 'café x'],
    ['a', '2'],
    ['?c', ''],
  ]);
  expect(await read('', type)).toEqual([]);
  const names: string[] = [];
  for await (const part of formParts(inPieces(type, encode('a=1&b=2')))) names.push(part.name + (await part.text()));
  expect(names).toEqual(['a1', 'b2']);
});

test.each([
  [
    'a preamble and an epilogue',
    'hello|--XX|Content-Disposition: form-data; name="a"||1|--XX--|bye|--XX',
    [['a', '1']],
  ],
  ['no line end at the end', '--XX|Content-Disposition: form-data; name="a"||1|--XX--', [['a', '1']]],
  ['blanks behind a boundary', '--XX \t|Content-Disposition: form-data; name="a"||1|--XX--', [['a', '1']]],
  ['headers in any case, names without quotes', '--XX|CONTENT-disposition:Form-Data;name=a||1|--XX--', [['a', '1']]],
  ['an empty part', '--XX|Content-Disposition: form-data; name="a"|||--XX--', [['a', '']]],
  ['no part at all', '--XX--', []],
  ['escapes of curl', '--XX|Content-Disposition: form-data; name="a\\"b\\\\c"||1|--XX--', [['a"b\\c', '1']]],
  ['escapes of browsers', '--XX|Content-Disposition: form-data; name="a%22%0D%0A%20"||1|--XX--', [['a"\r\n%20', '1']]],
  ['a semicolon in a name', '--XX|Content-Disposition: form-data; name="a;b=c"||1|--XX--', [['a;b=c', '1']]],
  [
    'an old path',
    '--XX|Content-Disposition: form-data; name=a; filename="C:\\d\\f"||1|--XX--',
    [['a', 'C:\\d\\f', 'text/plain', [49]]],
  ],
  [
    'an empty file name',
    '--XX|Content-Disposition: form-data; name="a"; filename=""||1|--XX--',
    [['a', '', 'text/plain', [49]]],
  ],
] as [string, string, unknown[]][])('%s', async (_title, body, expected) => {
  expect(await read(body)).toEqual(expected);
});

test('a boundary may be quoted, and hold what a token cannot', async () => {
  const body = encode('--a b:/\r\nContent-Disposition: form-data; name="a"\r\n\r\n1\r\n--a b:/--\r\n');
  expect(await entries(await form(inPieces('Multipart/Form-Data; charset=x; Boundary="a b:/"', body)))).toEqual([
    ['a', '1'],
  ]);
});

describe('a malformed form is a 400', () => {
  test.each([
    ['no boundary in the type', 'x', 'multipart/form-data'],
    ['an empty boundary', 'x', 'multipart/form-data; boundary=""'],
    ['a boundary that is too long', 'x', `multipart/form-data; boundary=${'x'.repeat(71)}`],
    ['a boundary with control bytes', 'x', 'multipart/form-data; boundary="a\tb"'],
    ['an empty body', '', TYPE],
    ['a body without its boundary', 'hello|--YY--', TYPE],
    ['an end in the middle of a part', '--XX|Content-Disposition: form-data; name="a"||1', TYPE],
    ['an end in the headers', '--XX|Content-Disposition: form-data', TYPE],
    ['an end behind a boundary', '--XX', TYPE],
    ['text behind a boundary', '--XXabc|Content-Disposition: form-data; name="a"||1|--XX--', TYPE],
    ['a part without headers', '--XX||1|--XX--', TYPE],
    ['a part without a name', '--XX|Content-Disposition: form-data||1|--XX--', TYPE],
    ['a part of another disposition', '--XX|Content-Disposition: attachment; name="a"||1|--XX--', TYPE],
    ['a header without a colon', '--XX|Content-Disposition||1|--XX--', TYPE],
    ['a header whose name is none', '--XX|a b: c||1|--XX--', TYPE],
    ['a quote that is never closed', '--XX|Content-Disposition: form-data; name="a||1|--XX--', TYPE],
  ])('%s', async (_title, body, type) => {
    await expect(read(body, type)).rejects.toMatchObject({ name: 'BadRequestError', status: 400 });
  });
});

test.each([undefined, '', 'application/json', 'multipart/mixed; boundary=XX', 'text/plain; a="'])(
  'the type %j is a 415',
  async (type) => {
    await expect(form(testEnviron({ CONTENT_TYPE: type }, 'x'))).rejects.toMatchObject({ status: 415 });
  },
);

describe('beyond a limit it is a 413', () => {
  const parts = (count: number, size = 1) =>
    `${`--XX|Content-Disposition: form-data; name="a"||${'x'.repeat(size)}|`.repeat(count)}--XX--`;
  const upload = (size: number) =>
    `--XX|Content-Disposition: form-data; name="a"; filename="f"||${'x'.repeat(size)}|--XX--`;
  const URLENCODED = 'application/x-www-form-urlencoded';
  test.each([
    ['maxParts', parts(3), { maxParts: 2 }, TYPE],
    ['maxParts', parts(1001), {}, TYPE],
    ['maxFieldBytes', parts(1, 11), { maxFieldBytes: 10 }, TYPE],
    ['maxFileBytes', upload(11), { maxFileBytes: 10, maxFieldBytes: 1 }, TYPE],
    ['maxBytes', parts(3, 5), { maxBytes: 14 }, TYPE],
    ['maxHeaderBytes', parts(1), { maxHeaderBytes: 20 }, TYPE],
    ['maxHeaderBytes', `--XX|${'x'.repeat(100_000)}`, {}, TYPE],
    ['maxFieldBytes', 'a=12345', { maxFieldBytes: 6 }, URLENCODED],
    ['maxBytes', 'a=12345', { maxBytes: 6 }, URLENCODED],
    ['maxParts', 'a&b&c', { maxParts: 2 }, URLENCODED],
  ] as [string, string, FormOptions, string][])('%s', async (option, body, options, type) => {
    const failed = read(body, type, options);
    await expect(failed).rejects.toMatchObject({ status: 413 });
    if (option !== 'maxHeaderBytes') await expect(failed).rejects.toThrow(option);
  });

  test('what is just within is taken', async () => {
    expect(await read(parts(2, 10), TYPE, { maxParts: 2, maxFieldBytes: 10, maxBytes: 20 })).toHaveLength(2);
    expect(await read(upload(10), TYPE, { maxFileBytes: 10 })).toHaveLength(1);
    expect(await read('a=1234', URLENCODED, { maxFieldBytes: 6 })).toHaveLength(1);
  });

  test('also of a part that nobody reads', async () => {
    const skim = async () => {
      for await (const _ of formParts(inPieces(TYPE, written(upload(100))), { maxFileBytes: 10 }));
    };
    await expect(skim()).rejects.toMatchObject({ status: 413 });
  });
});

describe('parts are streams', () => {
  const BODY = written(
    '--XX|Content-Disposition: form-data; name="a"||one|--XX|Content-Disposition: form-data; name="f"; filename="x.png"|Content-Type: image/png||two|--XX--',
  );

  test('a part is there before the next one has come', async () => {
    let sent = 0;
    const pieces = [BODY.subarray(0, 60), BODY.subarray(60)];
    const input = new Input({ pull: async () => pieces[sent++] ?? null });
    const parts = formParts(testEnviron({ CONTENT_TYPE: TYPE, 'wsgi.input': input }));
    const { value } = await parts.next();
    expect([(value as FormPart).name, sent]).toEqual(['a', 1]);
    await parts.return();
  });

  test('each way to read a part gives the same, and a part that is not read is passed over', async () => {
    const ways: ((part: FormPart) => Promise<string>)[] = [
      (part) => part.text(),
      async (part) => new TextDecoder().decode(await part.bytes()),
      (part) => new Response(part.stream() as ReadableStream<Uint8Array<ArrayBuffer>>).text(),
      async (part) => {
        let text = '';
        for await (const chunk of part) text += new TextDecoder().decode(chunk);
        return text;
      },
    ];
    for (const way of ways) {
      const found: unknown[] = [];
      for await (const part of formParts(inPieces(TYPE, BODY, [7])))
        if (part.fileName !== undefined) found.push([part.name, part.fileName, part.contentType, await way(part)]);
      expect(found).toEqual([['f', 'x.png', 'image/png', 'two']]);
    }
  });

  test('a part gives nothing once the next one was asked for', async () => {
    let first: FormPart | undefined;
    const texts: string[] = [];
    for await (const part of formParts(inPieces(TYPE, BODY))) {
      if (first === undefined) first = part;
      else texts.push(await first.text(), await part.text());
    }
    expect(texts).toEqual(['', 'two']);
  });

  test('a large file passes through in little memory and linear time', async () => {
    const block = new Uint8Array(65_536).fill(0x0d);
    let blocks = 0;
    const head = written('--XX|Content-Disposition: form-data; name="f"; filename="x"||');
    const input = new Input({
      pull: async () => {
        blocks++;
        if (blocks === 1) return head;
        return blocks <= 512 ? block : blocks === 513 ? written('|--XX--') : null;
      },
    });
    let total = 0;
    let most = 0;
    for await (const part of formParts(testEnviron({ CONTENT_TYPE: TYPE, 'wsgi.input': input })))
      for await (const chunk of part) {
        total += chunk.byteLength;
        most = Math.max(most, chunk.byteLength);
      }
    expect(total).toBe(511 * 65_536);
    expect(most).toBeLessThan(70_000);
  });
});

test('the form of a request is read once, and can be asked for again', async () => {
  const request = inPieces('application/x-www-form-urlencoded', encode('a=1'));
  expect(await form(request)).toBe(await form(request));
});

test('on every platform a form with a file arrives, and a malformed one is answered with 400', async () => {
  const app: Application = async (environ, startResponse) => {
    const fields = await form(environ);
    const file = fields.get('file') as File;
    startResponse('200 OK', [['Content-Type', 'text/plain']]);
    return [encode(`${fields.get('text')} ${file.name} ${[...new Uint8Array(await file.arrayBuffer())]}`)];
  };
  for (const [platform, call] of await everywhere(validator(app), { errors: () => {} })) {
    const data = new FormData();
    data.append('text', 'grüße');
    data.append('file', new File([Uint8Array.of(0, 255, 13, 10)], 'ä.bin'));
    expect(await (await call('/', { method: 'POST', body: data })).text(), platform).toBe('grüße ä.bin 0,255,13,10');
    const headers = { 'Content-Type': TYPE };
    expect((await call('/', { method: 'POST', body: 'x', headers })).status, platform).toBe(400);
    const type = { 'Content-Type': 'text/csv' };
    expect((await call('/', { method: 'POST', body: 'x', headers: type })).status, platform).toBe(415);
  }
});

test('options of the wrong type are refused', async () => {
  await expect(form(inPieces(TYPE, encode('x')), { maxParts: '5' } as never)).rejects.toThrow(TypeError);
  await expect(form(inPieces(TYPE, encode('x')), { maxBytes: -1 })).rejects.toThrow('maxBytes');
  expect(new RequestError(413, '')).toBeInstanceOf(Error);
});
