// wsgi.errors and the options of the deployer. (LOG, ENV-20, SRV-02)

import type { Environ } from '../../core/types.ts';
import { equal, ok } from '../assert.ts';
import { eventually, quiet } from '../test-context.ts';
import { looking, u8 } from './apps.ts';
import type { Suite } from './suite.ts';

export function logSuite({ test }: Suite): void {
  test('LOG-02: a function as errors gets complete lines', async (t) => {
    const lines: string[] = [];
    const site = await t.serve(
      looking(({ 'wsgi.errors': errors }) => {
        errors.write('a');
        errors.write('b\n');
        errors.writelines(['c\n', 'd', 'e\n']);
      }),
      { errors: (text) => void lines.push(text) },
    );
    await site.get('/');
    await eventually(() => lines.length >= 3, 'three lines');
    equal(lines, ['ab', 'c', 'de'], 'the lines');
  });

  test('LOG-04: an unfinished line comes out at flush, and at the end of the request', async (t) => {
    const lines: string[] = [];
    let flushed: string[] = [];
    const site = await t.serve(
      looking(async ({ 'wsgi.errors': errors }) => {
        errors.write('first');
        await errors.flush();
        flushed = [...lines];
        errors.write('second');
      }),
      { errors: (text) => void lines.push(text) },
    );
    await site.get('/');
    equal(flushed, ['first'], 'what flush() brought out');
    await eventually(() => lines.length >= 2, 'the line that was left');
    equal(lines, ['first', 'second'], 'the lines');
  });

  test('LOG-02, CALL-03: half a line of one request never mixes with another’s', async (t) => {
    const lines: string[] = [];
    const site = await t.serve(
      looking(async ({ PATH_INFO, 'wsgi.errors': errors }) => {
        errors.write(PATH_INFO);
        await quiet();
        errors.write(`${PATH_INFO}\n`);
      }),
      { errors: (text) => void lines.push(text) },
    );
    await Promise.all([site.get('/a'), site.get('/b')]);
    await eventually(() => lines.length >= 2, 'two lines');
    equal(lines.sort(), ['/a/a', '/b/b'], 'the lines');
  });

  test('LOG-03: any Unicode text can be logged', async (t) => {
    const site = await t.serve(looking(({ 'wsgi.errors': errors }) => errors.write('\u20ac \ud800 \u{1f600}\n')));
    equal((await site.get('/')).status, 200, 'the status');
    await eventually(() => site.errors.includes('\u20ac'), 'the text');
  });

  test('ENV-23: anything with write is taken as errors, and gets the text as it comes', async (t) => {
    const written: string[] = [];
    let flushes = 0;
    const errors = {
      write: (text: string) => written.push(text),
      flush: () => {
        flushes += 1;
      },
    };
    const site = await t.serve(
      looking(({ 'wsgi.errors': stream }) => {
        stream.write('a');
        stream.writelines(['b\n', 'c\n']);
      }),
      { errors },
    );
    await site.get('/');
    await eventually(() => flushes > 0, 'the flush at the end of the request');
    equal(written.join(''), 'ab\nc\n', 'what was written');
  });

  test('ENV-20, SRV-02: the deployer’s keys are there, and neither take nor give way to those of the request', async (t) => {
    const setting = { of: 'the deployer' };
    let environ: Environ | undefined;
    const site = await t.serve(
      looking((seen) => {
        environ = { ...seen };
      }),
      {
        environ: {
          'app.setting': setting,
          APP_MODE: 'test',
          REQUEST_METHOD: 'EVIL',
          PATH_INFO: '/evil',
          CONTENT_LENGTH: '5',
          CONTENT_TYPE: 'evil/evil',
          HTTP_X_FORCED: 'deployer',
        },
      },
    );
    await site.get('/path', { headers: { 'X-Forced': 'client', 'app.setting': 'client', 'App-Mode': 'client' } });
    ok(environ?.['app.setting'] === setting, 'the very object');
    equal([environ?.APP_MODE, environ?.REQUEST_METHOD, environ?.PATH_INFO], ['test', 'GET', '/path'], 'the keys');
    ok(environ?.CONTENT_LENGTH !== '5' && environ?.CONTENT_TYPE !== 'evil/evil', 'CONTENT_ keys are the request’s');
    equal(environ?.HTTP_X_FORCED, 'deployer', 'a header that the deployer sets');
  });

  test('ENV-20, ENV-03: the deployer’s keys are the same for every request', async (t) => {
    const seen: unknown[] = [];
    const site = await t.serve(
      looking((environ) => {
        seen.push(environ.APP_MODE);
        environ.APP_MODE = 'changed';
      }),
      { environ: { APP_MODE: 'test' } },
    );
    await site.get('/');
    await site.get('/');
    equal(seen, ['test', 'test'], 'APP_MODE');
  });

  test('EXT-01: what a middleware changed is what an application inside finds', async (t) => {
    const site = await t.serve((environ, startResponse) => {
      const inner = { ...environ, PATH_INFO: '/changed', HTTP_X_NEW: 'yes' };
      startResponse('200 OK', []);
      return [u8(`${inner.PATH_INFO} ${inner.HTTP_X_NEW} ${typeof inner['wsgi.input'].read}`)];
    });
    equal((await site.get('/')).text, '/changed yes function', 'the body');
  });
}
