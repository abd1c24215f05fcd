// Uploads on their way: read while they are sent, broken off, larger than allowed. (INPUT-08, INPUT-12, ERR-05)

import type { Application, GatewayOptions } from '../../core/types.ts';
import { equal, latin1, ok, rejects } from '../assert.ts';
import { Gate, quiet, within } from '../test-context.ts';
import { u8 } from './apps.ts';
import { posting, streaming, text, withInput } from './input.ts';
import type { Suite } from './suite.ts';

export function uploadSuite({ test, requires, proves }: Suite): void {
  proves('requestStreaming', 'INPUT-08: the first bytes can be read while the rest is not sent yet', async (t) => {
    const read = new Gate();
    let sent = 0;
    const body = new ReadableStream<Uint8Array>({
      async pull(controller) {
        sent += 1;
        if (sent === 1) return controller.enqueue(u8('first'));
        await within(read.opened, 'the read of the first bytes');
        controller.enqueue(u8(',rest'));
        controller.close();
      },
    });
    await withInput(t, { method: 'POST', body, duplex: 'half' } as RequestInit, async (input) => {
      equal(await text(input.read(5)), 'first', 'the first bytes');
      read.open();
      equal(await text(input.read()), ',rest', 'the rest');
    });
  });

  test('INPUT-08: a body can be read after the response has begun, and can be the response', async (t) => {
    const late: Application = (environ, startResponse) => {
      startResponse('200 OK', []);
      return (async function* () {
        yield u8('got ');
        // By now everything that is done with the response is done.
        await new Promise((resolve) => setTimeout(resolve, 20));
        yield await environ['wsgi.input'].bytes();
      })();
    };
    const echo: Application = (environ, startResponse) => {
      startResponse('200 OK', []);
      return environ['wsgi.input'].stream() as unknown as AsyncIterable<Uint8Array>;
    };
    for (const send of [() => posting('sent'), () => streaming('se', 'nt')]) {
      equal((await (await t.serve(late)).get('/', send())).text, 'got sent', 'what was read late');
      equal((await (await t.serve(echo)).get('/', send())).text, 'sent', 'what came back');
    }
  });

  proves('abortedUpload', 'INPUT-12, trap 13: an upload that breaks off is an error, not an end', async (t) => {
    const outcome = new Gate<unknown[]>();
    const started = new Gate();
    let called = false;
    const site = await t.serve(async (environ, startResponse) => {
      called = true;
      const input = environ['wsgi.input'];
      const first = latin1(await input.read(5));
      started.open();
      const errors = [
        await rejects(input.read(), 'the pending read'),
        await rejects(input.read(1), 'a later read'),
        await rejects(input.readline(), 'a later readline'),
      ].map((error) => error instanceof Error);
      outcome.open([first, ...errors]);
      startResponse('200 OK', []);
      return [];
    });
    let sent = false;
    const body = new ReadableStream<Uint8Array>({
      async pull(controller) {
        if (!sent) {
          sent = true;
          return controller.enqueue(u8('first'));
        }
        if (t.capabilities.requestStreaming) await within(started.opened, 'the read of the first bytes');
        controller.error(new Error('the client breaks off'));
      },
    });
    await site.fetch('/', { method: 'POST', body, duplex: 'half' } as RequestInit).catch(() => {});
    ok(called, 'the application is called');
    equal(
      await within(outcome.opened, 'the outcome of the reads'),
      ['first', true, true, true],
      'first bytes and errors',
    );
  });

  requires(
    ['abortedUpload', 'requestStreaming'],
    'ERR-05: an upload that breaks off is not the fault of an application that reads it',
    async (t) => {
      const started = new Gate();
      const over = new Gate();
      const site = await t.serve(async (environ) => {
        started.open();
        return environ['wsgi.input'].read().finally(over.open) as never;
      });
      const body = new ReadableStream<Uint8Array>({
        async start(controller) {
          controller.enqueue(u8('first'));
          await within(started.opened, 'the start of the application');
          controller.error(new Error('the client breaks off'));
        },
      });
      await site.fetch('/', { method: 'POST', body, duplex: 'half' } as RequestInit).catch(() => {});
      await within(over.opened, 'the end of the read');
      await quiet();
      equal(site.errors, '', 'wsgi.errors');
    },
  );

  for (const [how, init] of Object.entries({
    'of known length': posting('abcdef'),
    'of unknown length': streaming(...'abcdef'),
  })) {
    test(`maxBodyBytes: a larger body ${how} is a 413`, async (t) => {
      const site = await t.serve(
        async (environ, startResponse) => {
          const body = await environ['wsgi.input'].read();
          startResponse('200 OK', []);
          return [body];
        },
        { maxBodyBytes: 5 },
      );
      const answer = await site.get('/', init);
      equal(answer.status, 413, 'the status');
      equal((await site.get('/', posting('abcde'))).text, 'abcde', 'the echo of a body that fits');
      equal((await site.get('/')).status, 200, 'the status without a body');
    });
  }

  requires(
    ['requestLength'],
    'maxBodyBytes: of a body that is declared too large the application hears nothing',
    async (t) => {
      let calls = 0;
      const app: Application = (_environ, startResponse) => {
        calls += 1;
        startResponse('200 OK', []);
        return [];
      };
      equal((await (await t.serve(app, { maxBodyBytes: 5 })).get('/', posting('abcdef'))).status, 413, 'the status');
      equal(calls, 0, 'the calls of the application');
    },
  );

  test('maxBodyBytes: an application may answer a body that is too large by itself', async (t) => {
    const site = await t.serve(
      async (environ, startResponse) => {
        const error = await rejects(environ['wsgi.input'].read(), 'read()').catch(() => null);
        startResponse('200 OK', []);
        return [u8(`handled ${(error as Error | null)?.name}`)];
      },
      { maxBodyBytes: 2 },
    );
    const answer = await site.get('/', streaming('ab', 'cd'));
    ok(
      answer.status === 413 || answer.text === 'handled BodyTooLargeError',
      `413 or its own answer, not ${answer.text}`,
    );
  });

  test('maxBodyBytes, basePath, errors, onError: options of a wrong type are refused at once', async (t) => {
    const app: Application = () => [];
    const wrong: GatewayOptions[] = [
      { maxBodyBytes: -1 },
      { maxBodyBytes: '5' as never },
      { maxBodyBytes: Number.NaN },
      { basePath: 5 as never },
      { errors: 'stderr' as never },
      { onError: 'none' as never },
    ];
    for (const options of wrong) {
      const error = await rejects(t.serve(app, options), `serving with ${JSON.stringify(options)}`);
      ok(error instanceof TypeError, `a TypeError, not ${String(error)}`);
    }
    for (const none of [undefined, null, {}, 'app']) {
      ok((await rejects(t.serve(none as never), 'serving no function')) instanceof TypeError, 'a TypeError');
    }
  });
}
