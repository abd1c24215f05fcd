// The other side of lib/server.mjs: what every server of a bench calls when it listens.

/** @param {number} port */
export function ready(port) {
  process.on('message', () => process.send(process.cpuUsage()));
  process.on('disconnect', () => process.exit());
  process.send({ port });
}
