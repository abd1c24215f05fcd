// examples/container: what its Dockerfile says is done here step by step, in folders instead of images.

import { spawn, spawnSync } from 'node:child_process';
import { cpSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, expect, it } from 'vitest';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const dockerfile = readFileSync(join(ROOT, 'examples/container/Dockerfile'), 'utf8');
const folder = mkdtempSync(join(tmpdir(), 'waygate-container-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

it('docs/containers.md shows the Dockerfile', () => {
  const page = readFileSync(join(ROOT, 'docs/containers.md'), 'utf8');
  const shown = /```dockerfile\n([\s\S]*?)```/.exec(page)?.[1];
  expect(shown).toBe(dockerfile.replace(/^#.*\n/gm, ''));
});

it('the image of the Dockerfile listens on PORT, and ends with 0 after SIGTERM', async () => {
  cpSync(join(ROOT, 'examples/container'), folder, { recursive: true });
  const [, command = ''] = /^RUN npx waygate (.*)$/m.exec(dockerfile) ?? [];
  const built = spawnSync(process.execPath, [join(ROOT, 'cli/bin/waygate.js'), ...command.split(' ')], { cwd: folder });
  expect(built.status, String(built.stderr)).toBe(0);
  const [, from = ''] = /^COPY --from=build \/app\/(\S+)/m.exec(dockerfile) ?? [];
  const [, cmd = '[]'] = /^CMD (\[.*\])$/m.exec(dockerfile) ?? [];
  const [name, ...args] = JSON.parse(cmd) as string[];
  expect(name).toBe('node');
  const env = { ...process.env, NODE_ENV: 'production', PORT: '0' };
  const server = spawn(process.execPath, args, { cwd: join(folder, from), env });
  try {
    let output = '';
    const url = await new Promise<string>((resolve, reject) => {
      const read = (chunk: Buffer): void => {
        output += chunk;
        const found = /http:\/\/\S+:([0-9]+)/.exec(output);
        if (found) resolve(`http://127.0.0.1:${found[1]}`);
      };
      server.stdout.on('data', read);
      server.stderr.on('data', read);
      server.once('exit', () => reject(new Error(output)));
    });
    expect(await (await fetch(url)).text()).toMatch(/^Hello from /);
    const ended = new Promise((resolve) => server.once('exit', resolve));
    server.kill('SIGTERM');
    expect(await ended).toBe(0);
  } finally {
    server.kill('SIGKILL');
  }
});
