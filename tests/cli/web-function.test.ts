// `--platform lambda:web`: options that have no meaning there, or only there, are errors that say why.

import { describe, expect, it } from 'vitest';
import { ECHO, folderOf, run } from './harness.ts';

const HANDLER = 'export const handler = async () => ({ statusCode: 200 });';

async function refused(...args: string[]): Promise<string> {
  const { code, stdout, stderr } = await run(folderOf({ 'app.ts': ECHO, 'handler.ts': HANDLER }), args);
  expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
  return stderr;
}

describe('serve --platform lambda:web', () => {
  it.each([
    [['--stream'], '--stream is for lambda:function-url and lambda:rest-api; a Web Function streams by itself.'],
    [['--http2', '--tls'], 'The endpoint of a Web Function speaks HTTP/1.1 alone; --http2 goes with --platform node.'],
    [['--stage', 'live'], '--stage is for lambda:rest-api and lambda:http-api; lambda:web has no such option.'],
    [['--payload', '1.0'], '--payload is for lambda:http-api; lambda:web has no such option.'],
    [['--multi-value-headers'], '--multi-value-headers is for lambda:alb; lambda:web has no such option.'],
    [['--light-fetch'], '--light-fetch has no effect with --platform lambda:web: what it runs is built'],
    [['--inspect'], '--inspect shows how a request is converted; to a Web Function it goes as it is.'],
    [['--timeout', '2'], 'Expected a number of seconds, 3 to 900.'],
    [['--timeout', '901'], 'Expected a number of seconds, 3 to 900.'],
    [['--timeout', '1e2'], 'Expected a number of seconds, 3 to 900.'],
    [['--max-concurrency', '0'], 'Expected a number of requests, 1 to 128.'],
    [['--max-concurrency', '129'], 'Expected a number of requests, 1 to 128.'],
    [['--kind', 'lambda'], '--platform lambda:web is not for a Lambda handler.'],
  ])('refuses %j', async (args, words) => {
    expect(await refused('serve', 'app.ts', '--platform', 'lambda:web', ...args)).toContain(words);
  });

  it('says that a file is missing, and that one has no app', async () => {
    const cwd = folderOf({ 'none.ts': 'export const a = 1;' });
    const missing = await run(cwd, ['serve', 'no.ts', '--platform', 'lambda:web', '-p', '0']);
    expect([missing.code, missing.stderr]).toEqual([1, expect.stringContaining('no.ts does not exist')]);
    const none = await run(cwd, ['serve', 'none.ts', '--platform', 'lambda:web', '-p', '0']);
    expect([none.code, none.stderr]).toEqual([1, expect.stringContaining('none.ts')]);
  });
});

it.each(['node', 'fetch', 'workers', 'lambda:http-api'])(
  '--timeout and --max-concurrency are not for %s',
  async (name) => {
    const where = ['serve', 'app.ts', '--platform', name];
    expect(await refused(...where, '--timeout', '3')).toContain(
      `--timeout is for lambda:web; ${name} has no such option.`,
    );
    expect(await refused(...where, '--max-concurrency', '3')).toContain(
      `--max-concurrency is for lambda:web; ${name} has no such option.`,
    );
  },
);

it.each([['fetch', '/'], ['check']])('%s says which command runs a Web Function', async (command, ...args) => {
  expect(await refused(command, 'app.ts', ...args, '--platform', 'lambda:web')).toContain(
    'Web Functions run in processes of their own: use waygate serve --platform lambda:web.',
  );
});

it('deploy refuses --function-name, and says how a Web Function is named', async () => {
  expect(await refused('deploy', 'app.ts', '--target', 'lambda-web', '--function-name', 'f')).toContain(
    '--function-name is for the target lambda; a Web Function is named with --name.',
  );
});
