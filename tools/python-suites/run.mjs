// Runs the own test suites of Flask and Werkzeug in Pyodide, by themselves and with their test client sending each request
// through Waygate's gateway. examples/python/README.md has the counts and what cannot hold.
//
//   npm run build:examples && node tools/python-suites/run.mjs FOLDER...
//
// Each FOLDER is the tests folder of a checkout of the version that Debian installs as python3-flask; python3-pytest is
// installed too. pytest runs in one interpreter with the application, so that a request cannot be awaited: the request's
// body is in memory, and the gateway pulls the chunks as the client asks for them.

import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { run, setupTestingDefaults } from 'waygate';

const [first, ...rest] = process.argv.slice(2);
if (first === undefined) {
  console.error('Expected folders of tests: node tools/python-suites/run.mjs ../flask/tests ../werkzeug/tests');
  process.exit(2);
}

/** They need threads, processes or sockets, which Python has none of in WebAssembly. */
const IGNORED = ['test_async.py', 'test_serving.py', 'test_debug.py', 'live_apps'];

if (first === '--one') {
  const [folder = '', isThrough] = rest;
  console.log(await countTests(folder, isThrough === 'through'));
} else {
  for (const folder of [first, ...rest].map((each) => resolve(each))) {
    for (const how of ['natively', 'through']) {
      const child = spawnSync(process.execPath, [fileURLToPath(import.meta.url), '--one', folder, how], {
        encoding: 'utf8',
        maxBuffer: 2 ** 30,
      });
      const line = child.stdout.trimEnd().split('\n').at(-1) ?? '';
      if (!line.startsWith('{')) throw new Error(`${folder}, ${how}: no counts. ${child.stderr.slice(0, 2000)}`);
      const { passed, failed, skipped, requests } = JSON.parse(line);
      console.log(
        `${folder}, ${how}: ${passed} passed, ${failed.length} failed, ${skipped} skipped; ${requests} requests through Waygate`,
      );
      for (const each of failed) console.log(`  ${each}`);
    }
  }
}

/**
 * Runs one suite in this process.
 *
 * @param {string} folder
 * @param {boolean} isThrough whether the client's requests go through Waygate
 * @returns {Promise<string>} the counts as JSON
 */
async function countTests(folder, isThrough) {
  const built = (/** @type {string} */ name) => import(new URL(`../../build/python/${name}`, import.meta.url).href);
  const { addFolder, python } = await built('python.js');
  const { callInMemory } = await built('wsgi.js');
  addFolder('/usr/lib/python3/dist-packages');
  python.FS.mkdirTree('/suite');
  python.mountNodeFS('/suite', folder);

  /**
   * One request of the test client, through the gateway.
   *
   * @param {import('pyodide/ffi').PyCallable} callable
   * @param {string} strings environ as JSON
   * @param {Uint8Array} body
   */
  function send(callable, strings, body) {
    const environ = setupTestingDefaults(JSON.parse(strings));
    /** @type {import('waygate').Application} */
    const app = (each, startResponse) => callInMemory(callable, each, startResponse, body);
    // Nothing in it is asynchronous, so that the response is there at once.
    const response = /** @type {import('waygate').GatewayResponse} */ (run(app, environ));
    const chunks = Array.isArray(response.body) ? response.body[Symbol.iterator]() : response.body;
    return {
      status: response.status,
      headers: JSON.stringify(response.headers),
      next: () => ('close' in chunks ? chunks.next() : chunks.next().value) ?? undefined,
      close: () => ('close' in chunks ? chunks.close() : undefined),
    };
  }
  const main = python.runPython(`${readFileSync(new URL('through.py', import.meta.url), 'utf8')}\nmain`);
  return main('/suite', isThrough ? send : undefined, IGNORED);
}
