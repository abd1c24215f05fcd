// Which part of a path is the stage, the mapping key of a custom domain, or the application's: however each was written.

import { describe, expect, it } from 'vitest';
import { encodeWsgi } from 'waygate';
import { toLambda } from 'waygate/aws-lambda';
import { growth, LINEAR } from '../../guards/growth.ts';

interface Shape {
  version?: string;
  path: string;
  publicPath?: string;
  stage?: string;
  resource?: string;
  proxy?: string;
  host?: string;
}

const OWN = 'a1.execute-api.eu-west-1.amazonaws.com';
const CUSTOM = 'api.example.com';

async function seen({ version, path, publicPath = path, stage = 'prod', host = OWN, ...rest }: Shape) {
  const { resource = '/{proxy+}', proxy } = rest;
  let paths: string[] = [];
  await toLambda((environ, startResponse) => {
    paths = [environ.SCRIPT_NAME, environ.PATH_INFO, environ.REQUEST_URI as string];
    startResponse('200 OK', []);
    return [];
  })({
    ...(version === undefined ? null : { version }),
    resource,
    path,
    httpMethod: 'GET',
    headers: { host },
    pathParameters: proxy === undefined ? null : { proxy },
    requestContext: { stage, path: publicPath, domainName: host },
  });
  return paths;
}

const cafe = encodeWsgi('/café x');

describe('A6: a REST API, where path and requestContext.path are written differently', () => {
  it.each<[string, Shape, string[]]>([
    ['a second slash after the stage', { path: '/x', publicPath: '/prod//x' }, ['/prod', '/x', '/prod/x']],
    ['slashes doubled in one of them', { path: '/a//b', publicPath: '/prod/a/b' }, ['/prod', '/a//b', '/prod/a//b']],
    ['a last slash in one of them', { path: '/x', publicPath: '/prod/x/' }, ['/prod', '/x', '/prod/x']],
    ['the root with doubled slashes', { path: '/', publicPath: '/prod//', resource: '/' }, ['/prod', '/', '/prod/']],
    [
      'one decoded and one not',
      { path: '/caf%C3%A9%20x', publicPath: '/prod/café x' },
      ['/prod', cafe, '/prod/caf%C3%A9%20x'],
    ],
    ['an escape that was escaped', { path: '/%2541', publicPath: '/prod/%41' }, ['/prod', '/%41', '/prod/%2541']],
    [
      'a stage that is the first segment too',
      { path: '/prod', publicPath: '/prod/prod' },
      ['/prod', '/prod', '/prod/prod'],
    ],
    ['no stage in either', { path: '/prodx', publicPath: '/prodx' }, ['', '/prodx', '/prodx']],
  ])('%s', async (_title, shape, expected) => {
    expect(await seen(shape)).toEqual(expected);
  });

  it.each<[string, Shape, string[]]>([
    ['a second slash after the key', { path: '/custom//x', proxy: 'x' }, ['/custom', '//x', '/custom//x']],
    ['a last slash', { path: '/custom/x/', proxy: 'x' }, ['/custom', '/x/', '/custom/x/']],
    ['the root of the key', { path: '/custom/', resource: '/' }, ['/custom', '/', '/custom/']],
    ['doubled slashes ahead of the key', { path: '//custom/x', proxy: 'x' }, ['/custom', '/x', '//custom/x']],
    ['the key alone', { path: '/custom', resource: '/' }, ['/custom', '', '/custom']],
    ['a key of two segments', { path: '/a/b/x/y', proxy: 'x/y' }, ['/a/b', '/x/y', '/a/b/x/y']],
    ['no key', { path: '/x', proxy: 'x' }, ['', '/x', '/x']],
    ['a key that ends as the resource begins', { path: '/vx', proxy: 'x' }, ['', '/vx', '/vx']],
    ['parameters as sent', { path: '/k/caf%C3%A9%20x', proxy: 'caf%C3%A9%20x' }, ['/k', cafe, '/k/caf%C3%A9%20x']],
    ['parameters decoded', { path: '/k/caf%C3%A9%20x', proxy: 'café x' }, ['/k', cafe, '/k/caf%C3%A9%20x']],
  ])('on a custom domain: %s', async (_title, shape, expected) => {
    expect(await seen({ ...shape, host: CUSTOM })).toEqual(expected);
    expect(expected[0]).not.toMatch(/\/$/);
  });
});

describe('A4, A5: an HTTP API with payload 1.0, whose path comes as it was sent', () => {
  const api = { version: '1.0', stage: '$default' };
  it.each<[string, Shape, string[]]>([
    ['decodes once', { ...api, path: '/caf%C3%A9%20x', publicPath: '/café x' }, ['', cafe, '/caf%C3%A9%20x']],
    ['and no more', { ...api, path: '/%2541%2F', publicPath: '/A/' }, ['', '/%41/', '/%2541%2F']],
    ['leaves a malformed escape', { ...api, path: '/100%', publicPath: '/100%' }, ['', '/100%', '/100%']],
    ['a named stage', { version: '1.0', path: '/prod/a%20b' }, ['/prod', '/a b', '/prod/a%20b']],
    [
      'a named stage that only requestContext.path has',
      { version: '1.0', path: '/a%20b', publicPath: '/prod/a b' },
      ['/prod', '/a b', '/prod/a%20b'],
    ],
    ['the named stage alone', { version: '1.0', path: '/prod' }, ['/prod', '', '/prod']],
    ['no stage but its beginning', { version: '1.0', path: '/production' }, ['', '/production', '/production']],
  ])('%s', async (_title, shape, expected) => {
    expect(await seen(shape)).toEqual(expected);
  });

  it.each<[string, Shape, string[]]>([
    ['the key', { ...api, path: '/v1/foo/a', resource: '/foo/{proxy+}', proxy: 'a' }, ['/v1', '/foo/a', '/v1/foo/a']],
    ['a key of two segments', { ...api, path: '/v1/n/a', proxy: 'a' }, ['/v1/n', '/a', '/v1/n/a']],
    ['decoded parameters', { ...api, path: '/v1/a%20b%2Fc', proxy: 'a b/c' }, ['/v1', '/a b/c', '/v1/a%20b%2Fc']],
    ['parameters decoded twice', { ...api, path: '/v1/%2541', proxy: 'A' }, ['/v1', '/%41', '/v1/%2541']],
    ['a second slash', { ...api, path: '/v1//a', proxy: 'a' }, ['/v1', '//a', '/v1//a']],
    ['a route of one text', { ...api, path: '/v1/pets', resource: '/pets' }, ['/v1', '/pets', '/v1/pets']],
    ['no key', { ...api, path: '/foo/a', resource: '/foo/{proxy+}', proxy: 'a' }, ['', '/foo/a', '/foo/a']],
    [
      'the route $default, which tells nothing',
      { ...api, path: '/v1/a', resource: '$default' },
      ['', '/v1/a', '/v1/a'],
    ],
    ['a named stage behind the key', { version: '1.0', path: '/v1/prod/a', proxy: 'a' }, ['/v1', '/a', '/v1/a']],
    ['a named stage ahead of the key', { version: '1.0', path: '/prod/v1/a', proxy: 'a' }, ['/v1', '/a', '/v1/a']],
    ['a named stage and no key', { version: '1.0', path: '/prod/a', proxy: 'a' }, ['', '/a', '/a']],
    ['a named stage before $default', { version: '1.0', path: '/prod/a', resource: '$default' }, ['', '/a', '/a']],
    ['a named stage and nothing else', { version: '1.0', path: '/prod', resource: '$default' }, ['', '/', '/']],
  ])('on a custom domain: %s', async (_title, shape, expected) => {
    expect(await seen({ ...shape, host: CUSTOM })).toEqual(expected);
  });

  it('a path of slashes takes no more than linear time', async () => {
    const work = {
      input: (size: number) => ({ ...api, path: `/v1${'/'.repeat(size)}a`, proxy: 'a', host: CUSTOM }),
      run: seen,
    };
    expect(await growth(work, LINEAR)).toBeLessThan(LINEAR);
  });
});
