// Streamed responses on node: 1 MiB in 64 pieces, server-sent events, and the memory that streams hold while nothing happens.

import { connect } from 'node:net';
import { generator } from '../lib/load.mjs';
import { inTurns } from '../lib/rounds.mjs';
import { underLoad } from '../lib/served.mjs';
import { startServer } from '../lib/server.mjs';
import { withBefore } from '../lib/variants.mjs';

export const title = 'Streaming on node';

const CONTESTANTS = [
  { name: 'node:http', file: 'streams', args: ['node:http'] },
  { name: 'waygate, an async generator', file: 'streams', args: ['waygate'], waygate: true },
  { name: 'waygate, a hosted Response', file: 'streams', args: ['waygate-fetch'], waygate: true },
  { name: '@hono/node-server', file: 'streams', args: ['node-server'] },
];

const LOADS = [
  { title: '1 MiB in 64 pieces', path: '/stream' },
  { title: '100 server-sent events', path: '/events' },
];

/** How many streams are open at once; the machine has to allow as many descriptors. */
const IDLE = 10_000;

export async function run(options) {
  console.log(`Under load by ${generator}, then ${IDLE} idle connections.\n`);
  const contestants = withBefore(CONTESTANTS, options);
  return [...(await underLoad(contestants, LOADS, 'node:http', options)), await idle(contestants, options)];
}

async function idle(contestants, { rounds, node }) {
  const values = await inTurns(contestants, Math.min(rounds, 3), async ({ file, args, env }) => {
    const server = await startServer(file, { args, env, node, execArgv: ['--expose-gc'] });
    const sockets = [];
    try {
      const before = await server.memory();
      for (let open = 0; open < IDLE; open += 100) {
        sockets.push(...(await Promise.all(Array.from({ length: 100 }, () => openStream(server.port)))));
      }
      return [((await server.memory()) - before) / IDLE / 1024];
    } finally {
      for (const socket of sockets) socket.destroy();
      server.stop();
    }
  });
  const rows = contestants.map(({ name }, index) => ({ name, values: values[index] }));
  const columns = [{ name: 'KiB/stream', digits: 1 }];
  return { title: `Memory of ${IDLE} idle streams`, baseline: 'node:http', columns, rows };
}

/** A connection on which the first event has come. */
function openStream(port) {
  return new Promise((resolve, reject) => {
    const socket = connect(port, '127.0.0.1', () => socket.write('GET /idle HTTP/1.1\r\nHost: localhost\r\n\r\n'));
    let seen = '';
    socket.on('data', (chunk) => {
      seen += chunk.toString('latin1');
      if (seen.includes('count')) resolve(socket);
    });
    socket.once('error', reject);
    socket.once('close', () => reject(new Error(`the server closed an idle stream: ${seen}`)));
  });
}
