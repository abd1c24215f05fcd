// The other side of lib/server.mjs: what every server of a bench calls when it listens.

/** @param {number} port */
export function ready(port) {
  process.on('message', (request) => {
    if (request === 'memory') globalThis.gc?.();
    process.send({ cpu: process.cpuUsage(), rss: process.memoryUsage().rss });
  });
  process.on('disconnect', () => process.exit());
  process.send({ port });
}
