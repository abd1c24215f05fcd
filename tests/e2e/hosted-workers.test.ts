// Hosted apps in workerd: the examples that bring one, served by `wrangler dev`.

import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Running, wranglerDev } from './runtimes/process.ts';

describe('examples/hono', () => {
  let dev: Running;
  beforeAll(async () => {
    dev = await wranglerDev('examples/hono/wrangler.toml');
  });
  afterAll(() => dev?.stop());

  test('its pages, parameters, bodies and streams', async () => {
    expect(await (await fetch(`${dev.url}/`)).text()).toContain('hosted by Waygate');
    expect(await (await fetch(`${dev.url}/users/a%20b?field=%C3%A9`)).json()).toEqual({ id: 'a b', fields: ['é'] });
    const created = await fetch(`${dev.url}/users`, { method: 'POST', body: '{"name":"Ada"}' });
    expect([created.status, await created.json()]).toEqual([201, { created: 'Ada' }]);
    expect((await (await fetch(`${dev.url}/events`)).text()).match(/tick/g)?.length).toBe(3);
    expect((await fetch(`${dev.url}/nothing`)).status).toBe(404);
    const head = await fetch(`${dev.url}/users/1`, { method: 'HEAD' });
    expect([head.status, await head.text()]).toEqual([200, '']);
  });

  test('the environ behind a request that is the platform’s own', async () => {
    const who = (await (await fetch(`${dev.url}/whoami`)).json()) as Record<string, unknown>;
    expect(who).toMatchObject({ gateway: 'cloudflare-workers', mountedAt: '' });
  });
});

describe('examples/mixed', () => {
  let dev: Running;
  beforeAll(async () => {
    dev = await wranglerDev('examples/mixed/wrangler.toml');
  });
  afterAll(() => dev?.stop());

  test('each application is under its prefix', async () => {
    const home = await fetch(`${dev.url}/a/b`);
    expect([home.headers.get('x-mounted-at'), await home.text()]).toEqual(['/', expect.stringContaining('at /a/b\n')]);
    const user = await fetch(`${dev.url}/api/users/%C3%A9`);
    expect(user.headers.get('x-mounted-at')).toBe('/api');
    expect(await user.json()).toEqual({ served: 'by Hono', id: 'é', path: '/users/é' });
    const echo = await fetch(`${dev.url}/api/echo`, { method: 'POST', body: 'x'.repeat(200_000) });
    expect((await echo.text()).length).toBe(200_000);
  });
});

describe('examples/express', () => {
  let dev: Running;
  beforeAll(async () => {
    dev = await wranglerDev('examples/express/wrangler.toml');
  });
  afterAll(() => dev?.stop());

  test('its pages, parameters, bodies, streams and errors', async () => {
    expect(await (await fetch(`${dev.url}/`)).text()).toContain('hosted by Waygate');
    const user = await fetch(`${dev.url}/users/a%2Fb?field=x&field=%C3%A9`);
    expect(await user.json()).toEqual({ id: 'a/b', fields: ['x', 'é'] });
    const json = { method: 'POST', headers: { 'content-type': 'application/json' } };
    const created = await fetch(`${dev.url}/users`, { ...json, body: '{"name":"Ada L"}' });
    expect([created.status, created.headers.get('location')]).toEqual([201, '/users/Ada%20L']);
    expect((await fetch(`${dev.url}/users`, { ...json, body: '{"name":' })).status).toBe(400);
    expect((await (await fetch(`${dev.url}/events`)).text()).match(/tick/g)?.length).toBe(3);
    expect((await fetch(`${dev.url}/fails`)).status).toBe(418);
    expect((await fetch(`${dev.url}/nothing`)).status).toBe(404);
    const head = await fetch(`${dev.url}/users/1`, { method: 'HEAD' });
    expect([head.status, await head.text()]).toEqual([200, '']);
    const { etag = '' } = Object.fromEntries(user.headers);
    const headers = { 'if-none-match': etag, 'cache-control': 'max-age=0' };
    expect((await fetch(`${dev.url}/users/a%2Fb?field=x&field=%C3%A9`, { headers })).status).toBe(304);
  });

  test('the environ behind a request', async () => {
    const who = (await (await fetch(`${dev.url}/whoami`)).json()) as Record<string, unknown>;
    expect(who).toMatchObject({ gateway: 'cloudflare-workers', mountedAt: '', url: '/whoami' });
  });
});
