// Runs in workerd: an application with one path per scenario that only a real client shows. Each asks for a name of its own
// (the query) under which it leaves what happened; `/log` tells it.

import { toWorker, type WorkerContext } from '../../../adapters/cloudflare-workers/index.ts';
import { fromFetch } from '../../../adapters/fetch/index.ts';
import { type Application, type Environ, encode, encodeWsgi, type HeaderList } from '../../../core/index.ts';

const PIECE = new Uint8Array(65_536).fill(0x61);
const logs: Record<string, string[]> = {};

function log(environ: Environ, text: string): void {
  const name = environ.QUERY_STRING;
  logs[name] ??= [];
  logs[name].push(text);
}

const pause = (milliseconds: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, milliseconds));

/** Pieces for as long as they are taken. */
async function* endless(environ: Environ): AsyncGenerator<Uint8Array> {
  const signal = environ['waygate.signal'];
  signal.addEventListener('abort', () => log(environ, 'signal'));
  try {
    for (;;) {
      await pause(10);
      yield PIECE;
    }
  } finally {
    await pause(20);
    log(environ, 'closed');
    environ['waygate.wait_until'](pause(200).then(() => log(environ, 'waited')));
  }
}

async function* pieces(count: number): AsyncGenerator<Uint8Array> {
  for (let piece = 0; piece < count; piece++) {
    if (piece % 64 === 0) await pause(0);
    yield PIECE;
  }
}

async function* failing(message: string): AsyncGenerator<Uint8Array> {
  yield encode('begun');
  await pause(20);
  throw new Error(message);
}

const socket = fromFetch(() => {
  const { WebSocketPair } = globalThis as unknown as { WebSocketPair: new () => [object, { accept(): void }] };
  const [client, server] = Object.values(new WebSocketPair()) as [object, { accept(): void }];
  server.accept();
  return new Response(null, { status: 101, webSocket: client } as ResponseInit);
});

const scenarios: Record<string, Application> = {
  /** What was left under a name, or all the text of an environ. */
  '/log'(environ, startResponse) {
    startResponse('200 OK', [['Content-Type', 'application/json']]);
    return [encode(JSON.stringify(logs[environ.QUERY_STRING] ?? []))];
  },
  '/environ'(environ, startResponse) {
    startResponse('200 OK', [['Content-Type', 'application/json']]);
    const texts = Object.fromEntries(Object.entries(environ).filter(([, value]) => typeof value === 'string'));
    return [encode(JSON.stringify(texts))];
  },
  /** Header values and a reason with all bytes that may stand in them. */
  '/bytes'(environ, startResponse) {
    startResponse('200 caf\xc3\xa9', [
      ['X-Back', environ.HTTP_X_SENT ?? ''],
      ['X-Utf8', encodeWsgi('caf\xe9 \u20ac')],
      ['X-Latin1', 'caf\xe9'],
      ['X-Twice', '1'],
      ['X-Twice', '2'],
      ['Set-Cookie', 'a=1'],
      ['Set-Cookie', 'b=2'],
    ]);
    return [encode(JSON.stringify(environ.HTTP_X_SENT ?? ''))];
  },
  /** Header names that an object would lose or hold already, in lists with and without repeats. */
  '/names'(environ, startResponse) {
    const lists: Record<string, HeaderList> = {
      plain: [
        ['X-B', '2'],
        ['7', '7'],
        ['x-a', '1'],
        ['X-C', '3'],
      ],
      cases: [
        ['x-a', '1'],
        ['X-B', '2'],
        ['X-A', '3'],
      ],
      inherited: [
        ['X-B', '2'],
        ['__proto__', 'p'],
        ['constructor', 'c'],
        ['toString', 't'],
      ],
      cookies: [
        ['Set-Cookie', 'a=1; Expires=Thu, 01 Jan 2026 00:00:00 GMT'],
        ['X-B', '2'],
        ['set-cookie', 'b=2'],
        ['Set-Cookie', 'a=3'],
      ],
    };
    startResponse('200 OK', lists[environ.QUERY_STRING] ?? []);
    return [];
  },
  '/endless'(environ, startResponse) {
    startResponse('200 OK', []);
    return endless(environ);
  },
  /** The application itself takes its time; nothing of the response is there yet. */
  async '/slow'(environ, startResponse) {
    environ['waygate.signal'].addEventListener('abort', () => log(environ, 'signal'));
    await pause(400);
    log(environ, 'answered');
    startResponse('200 OK', []);
    return endless(environ);
  },
  '/declared'(_environ, startResponse) {
    startResponse('200 OK', [['Content-Length', String(3 * PIECE.byteLength)]]);
    return pieces(3);
  },
  '/download'(environ, startResponse) {
    startResponse('200 OK', []);
    return pieces((Number(environ.QUERY_STRING) * 1_048_576) / PIECE.byteLength);
  },
  async '/upload'(environ, startResponse) {
    let received = 0;
    for (;;) {
      const chunk = await environ['wsgi.input'].read(PIECE.byteLength);
      if (chunk.byteLength === 0) break;
      received += chunk.byteLength;
    }
    startResponse('200 OK', []);
    return [encode(String(received))];
  },
  /** What becomes of an upload that its client breaks off. */
  async '/broken-upload'(environ, startResponse) {
    log(environ, 'started');
    try {
      await environ['wsgi.input'].bytes();
      log(environ, 'ended');
    } catch (error) {
      log(environ, `failed: ${(error as Error).name}`);
    }
    startResponse('200 OK', []);
    return [];
  },
  /** Answers to each line that comes, before the next one does. */
  async *'/dialogue'(environ, startResponse) {
    startResponse('200 OK', []);
    for await (const line of environ['wsgi.input']) {
      yield encode('got ');
      yield line;
    }
  },
  '/fail'(environ, startResponse) {
    startResponse('200 OK', []);
    return failing(`planned ${environ.QUERY_STRING}`);
  },
  '/fail-declared'(environ, startResponse) {
    startResponse('200 OK', [['Content-Length', '100']]);
    return failing(`planned ${environ.QUERY_STRING}`);
  },
  '/null'(environ, startResponse) {
    startResponse(`${environ.QUERY_STRING} Any`, [['X-Null', 'body']]);
    return [];
  },
  /** A Fetch app that opens a WebSocket; under another path where its request is not the platform's any more. */
  '/socket'(environ, startResponse) {
    return socket(environ.QUERY_STRING === 'changed' ? { ...environ, PATH_INFO: '/changed' } : environ, startResponse);
  },
  '/work'(environ, startResponse) {
    environ['waygate.wait_until'](pause(300).then(() => log(environ, 'worked')));
    startResponse('200 OK', []);
    return [encode('done')];
  },
};

const app: Application = (environ, startResponse) => {
  const scenario = scenarios[environ.PATH_INFO];
  if (scenario !== undefined) return scenario(environ, startResponse);
  startResponse('404 Not Found', []);
  return [];
};

/** Answers to an upload that it reads not at all, or as many bytes of as the path says, in pieces or in one. */
const refusing: Application = async (environ, startResponse) => {
  const [, , bytes, way] = environ.PATH_INFO.split('/');
  let failure = '';
  try {
    if (bytes !== '0') await environ['wsgi.input'].read(Number(bytes));
  } catch (error) {
    failure = (error as Error).name;
  }
  startResponse('403 Forbidden', [['Content-Type', 'text/plain']]);
  if (way === 'array') return [encode(`refused ${failure}`)];
  return (async function* () {
    yield encode('refused ');
    await pause(20);
    yield encode(failure);
  })();
};

const behind: Application = async (environ, startResponse) => {
  const body = await refusing({ ...environ }, startResponse);
  return (async function* () {
    yield* body;
  })();
};

const hostedRefusing = fromFetch(
  () =>
    new Response(
      new ReadableStream({
        async start(controller) {
          controller.enqueue(encode('refused '));
          await pause(20);
          controller.close();
        },
      }),
      { status: 403 },
    ),
);

const open = toWorker(app);
const refused = toWorker(refusing);
const limited = toWorker(refusing, { maxBodyBytes: 1000 });
const behindAll = toWorker(behind);
const hosted = toWorker(hostedRefusing);
const hostedBehind = toWorker((environ, startResponse) => hostedRefusing({ ...environ }, startResponse));
const workers: Record<string, typeof open> = { refused, limited, behind: behindAll, hosted, hostedBehind };

export default {
  fetch(request: Request, env: unknown, ctx: WorkerContext): Response | Promise<Response> {
    return (workers[new URL(request.url).pathname.split('/')[1] as string] ?? open).fetch(request, env, ctx);
  },
};
