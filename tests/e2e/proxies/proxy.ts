// Real nginx, haproxy and Varnish, each with a configuration of its own, on free ports of this machine.

import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import net, { type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Running, start } from '../runtimes/process.ts';

/** A proxy that runs. */
export interface RunningProxy {
  port: number;
  stop(): Promise<void>;
}

/** The path of a program of Debian's, or null where it is not installed. `/usr/sbin` is in few users' path. */
export function program(name: 'nginx' | 'haproxy' | 'varnishd' | 'curl'): string | null {
  const folders = ['/usr/sbin', '/usr/bin', '/usr/local/sbin', '/usr/local/bin'];
  const path = folders.map((folder) => join(folder, name)).find((each) => existsSync(each));
  if (path === undefined) console.warn(`skipped: no ${name} here; tools/install-debian-tools.sh installs it`);
  return path ?? null;
}

/**
 * Starts nginx.
 *
 * @param upstream the content of the block `upstream backend`
 * @param location the directives of `location /`
 */
export function startNginx(upstream: string, location: string): Promise<RunningProxy> {
  return startNginxWith(
    (port) => `upstream backend { ${upstream} }
        server {
          listen 127.0.0.1:${port} reuseport;
          location / { ${location} }
        }`,
  );
}

/** @param sites what stands in the block `http`, for a port of this machine */
export function startNginxWith(sites: (port: number) => string): Promise<RunningProxy> {
  return startProxy('nginx', (folder, port) => {
    const places = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'];
    // A worker of a root's nginx is another user by default, to whom the sockets of these tests are closed.
    writeFileSync(
      join(folder, 'proxy.conf'),
      `${process.getuid?.() === 0 ? 'user root;' : ''} worker_processes 1;
      pid ${folder}/nginx.pid;
      error_log ${folder}/error.log;
      events { worker_connections 512; }
      http {
        access_log off;
        ${places.map((each) => `${each}_temp_path ${folder}/${each};`).join('\n')}
        ${sites(port)}
      }`,
    );
    return ['-e', join(folder, 'error.log'), '-p', folder, '-c', join(folder, 'proxy.conf'), '-g', 'daemon off;'];
  });
}

/**
 * Starts haproxy.
 *
 * @param backend the lines of the backend
 * @param frontend further lines of the frontend
 */
export function startHaproxy(backend: string, frontend = ''): Promise<RunningProxy> {
  return startHaproxyWith(
    (port) => `defaults
  mode http
  timeout connect 2s
  timeout client 5s
  timeout server 5s
frontend front
  bind 127.0.0.1:${port}
  ${frontend}
  default_backend back
backend back
  ${backend}
`,
  );
}

/** @param sections all but the section `global`, for a port of this machine */
export function startHaproxyWith(sections: (port: number) => string): Promise<RunningProxy> {
  return startProxy('haproxy', (folder, port) => {
    writeFileSync(join(folder, 'proxy.conf'), `global\n  maxconn 500\n${sections(port)}`);
    return ['-db', '-f', join(folder, 'proxy.conf')];
  });
}

/**
 * Starts Varnish, a cache, which compiles its configuration: it needs a C compiler.
 *
 * @param backend the port of what it stands in front of
 * @param configuration subroutines in its language
 */
export function startVarnish(backend: number, configuration: string): Promise<RunningProxy> {
  return startProxy('varnishd', (folder, port) => {
    const file = join(folder, 'cache.vcl');
    writeFileSync(file, `vcl 4.1;\nbackend default { .host = "127.0.0.1"; .port = "${backend}"; }\n${configuration}`);
    return ['-F', '-n', folder, '-a', `127.0.0.1:${port}`, '-f', file, '-s', 'malloc,32m', '-j', 'none'];
  });
}

async function startProxy(
  name: 'nginx' | 'haproxy' | 'varnishd',
  configure: (folder: string, port: number) => string[],
): Promise<RunningProxy> {
  const folder = mkdtempSync(join(tmpdir(), `waygate-${name}-`));
  mkdirSync(join(folder, 'logs'));
  const port = await freePort();
  const command = [program(name) as string, ...configure(folder, port)];
  // The proxy prints no address, so the shell that becomes it does.
  const script = ['-c', `echo http://127.0.0.1:${port}; exec "$@"`, name, ...command];
  const running = await start('/bin/sh', script);
  await listens(port, running);
  const stop = async (): Promise<void> => {
    await running.stop();
    rmSync(folder, { recursive: true, force: true });
  };
  return { port, stop };
}

function freePort(): Promise<number> {
  return new Promise((resolve) => {
    const server = net.createServer().listen(0, '127.0.0.1', () => {
      const { port } = server.address() as AddressInfo;
      server.close(() => resolve(port));
    });
  });
}

async function listens(port: number, running: Running): Promise<void> {
  for (let attempt = 0; attempt < 100; attempt++) {
    if (running.hasEnded()) break;
    const connected = await new Promise<boolean>((resolve) => {
      const socket = net.connect(port, '127.0.0.1', () => resolve(socket.end() !== undefined));
      socket.on('error', () => resolve(false));
    });
    if (connected) return;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new Error(`the proxy does not listen: ${running.output()}`);
}
