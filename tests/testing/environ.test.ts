// The builder of environs for tests.

import { expect, it } from 'vitest';
import { encode } from 'waygate';
import { testEnviron } from 'waygate/testing';

it('is complete, and takes overrides', () => {
  expect(testEnviron({ PATH_INFO: '/users' })).toMatchObject({
    REQUEST_METHOD: 'GET',
    SCRIPT_NAME: '',
    PATH_INFO: '/users',
  });
  expect('CONTENT_LENGTH' in testEnviron()).toBe(false);
  expect('CONTENT_TYPE' in testEnviron({ CONTENT_TYPE: undefined })).toBe(false);
});

it('carries a body with its length, as text or bytes', async () => {
  for (const body of ['caf\u00e9', encode('caf\u00e9')]) {
    const made = testEnviron({ CONTENT_TYPE: 'text/plain' }, body);
    expect(made).toMatchObject({ REQUEST_METHOD: 'POST', CONTENT_LENGTH: '5', CONTENT_TYPE: 'text/plain' });
    expect(await made['wsgi.input'].text()).toBe('caf\u00e9');
  }
  expect(testEnviron({ REQUEST_METHOD: 'PUT' }, 'x').REQUEST_METHOD).toBe('PUT');
});

it('gives each call an environ of its own', () => {
  const overrides = { PATH_INFO: '/x' };
  testEnviron(overrides).PATH_INFO = '/changed';
  expect(overrides).toEqual({ PATH_INFO: '/x' });
  expect(testEnviron(overrides).PATH_INFO).toBe('/x');
});
