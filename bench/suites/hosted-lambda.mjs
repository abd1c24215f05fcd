// Hono, Express, Koa and Fastify apps on Lambda, against the bridges made for them: the same app, the same events.

import { json } from '../lib/events.mjs';
import { isolated } from '../lib/isolated.mjs';
import { withBefore } from '../lib/variants.mjs';

export const title = 'Hosted apps on AWS Lambda';

/** Each framework's bridges; the first is the one that the others are measured by. */
const BRIDGES = {
  hono: ['hono/aws-lambda', 'waygate'],
  express: ['serverless-http', 'waygate', '@vendia/serverless-express'],
  koa: ['serverless-http', 'waygate', '@vendia/serverless-express'],
  fastify: ['serverless-http', 'waygate', '@fastify/aws-lambda'],
};

const REQUESTS = [
  ['GET of 14 bytes', { method: 'GET', path: '/hello' }],
  ['GET with a parameter and a query, JSON', { method: 'GET', path: '/users/1', query: { q: 'x y' } }],
  [`POST, ${json.length} bytes of JSON parsed and sent back`, { method: 'POST', path: '/json', body: json }],
];

export async function run(options) {
  const tables = [];
  for (const [framework, bridges] of Object.entries(BRIDGES)) {
    for (const source of ['HTTP API', 'REST API']) {
      for (const [what, request] of REQUESTS) {
        const contestants = bridges.flatMap((bridge) => {
          const one = { module: 'hosted-lambda.mjs', args: [framework, bridge, source, request] };
          if (bridge !== 'waygate') return [{ ...one, name: bridge }];
          const plain = { ...one, name: 'waygate', waygate: true };
          if (framework !== 'hono' || !options.light) return [plain];
          return [plain, { ...one, name: 'waygate, as waygate build bundles it', env: { WAYGATE_LIGHT: '1' } }];
        });
        const name = `${framework[0].toUpperCase()}${framework.slice(1)}, ${source}: ${what}`;
        tables.push(await isolated(name, withBefore(contestants, options), bridges[0], options));
      }
    }
  }
  return tables;
}
