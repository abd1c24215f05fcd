// What Python in this process costs: `npm run build:examples && node build/python/measure.mjs`.

const start = performance.now();
const before = process.memoryUsage().rss;
const { toFetch } = await import('waygate/fetch');
const { default: app } = await import('./app.js');
const loaded = performance.now();
const call = toFetch(app);

async function time(path, count) {
  const begun = performance.now();
  for (let each = 0; each < count; each++) await (await call(path)).arrayBuffer();
  return (performance.now() - begun) / count;
}

const ms = (value) => `${value.toFixed(2)} ms`.padStart(12);
console.log(`Node ${process.version}`);
console.log(`${ms(loaded - start)}  until Python and the programs are loaded`);
for (const path of ['/simple', '/flask/']) {
  const begun = performance.now();
  const { status } = await call(path);
  const first = performance.now() - begun;
  if (status !== 200) continue;
  console.log(`${ms(first)}  the first request of ${path}`);
  console.log(`${ms(await time(path, 500))}  a request of ${path}`);
}
console.log(`${((process.memoryUsage().rss - before) / 2 ** 20).toFixed(0).padStart(9)} MiB  of memory`);
