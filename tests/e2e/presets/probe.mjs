// temp
import { createRequire } from 'node:module';

const require = createRequire(new URL('./large/package.json', import.meta.url));
const { startDevServer } = require('@vercel/node');
const dir = process.argv[2];
const s = await startDevServer({
  entrypoint: 'api/index.js',
  workPath: dir,
  config: {},
  files: {},
  meta: {},
  repoRootPath: dir,
});
for (let i = 0; i < 600; i++) {
  if (i === 31) continue;
  try {
    const r = await fetch(`http://127.0.0.1:${s.port}/run/${i}`, { signal: AbortSignal.timeout(9000) });
    const t = await r.text();
    let o;
    try {
      o = JSON.parse(t);
    } catch {
      console.log(i, 'NOJSON', t.slice(0, 200));
      if (t === 'ready') break;
      continue;
    }
    if (o.failure) console.log(i, o.title, '::', o.failure.slice(0, 220).replaceAll('\n', ' '));
  } catch (e) {
    console.log(i, String(e), String(e.cause));
    if (String(e.cause).includes('REFUSED')) break;
  }
}
await s.shutdown();
process.exit(0);
