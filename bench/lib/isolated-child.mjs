// One contestant of lib/isolated.mjs, in this process alone.

const [file, args] = process.argv.slice(2);
const { default: prepare } = await import(file);
const { call, answer } = await prepare(...JSON.parse(args));

process.on('disconnect', () => process.exit());
process.on('message', async ({ seconds }) => {
  const budget = seconds * 1e6;
  const begun = process.cpuUsage();
  let used = 0;
  let calls = 0;
  let batch = 100;
  while (used < budget) {
    for (let each = 0; each < batch; each++) {
      await call();
      // A runtime waits for its next event, and what an invocation has put off runs then.
      if (each % 50 === 49) await new Promise((resolve) => setImmediate(resolve));
    }
    calls += batch;
    const { user, system } = process.cpuUsage(begun);
    used = user + system;
    // Asking for the time is work as well: a hundred times for each measurement at most.
    if (used < (budget / 100) * (calls / batch)) batch *= 2;
  }
  process.send({ micros: used / calls });
});
process.send({ answer: await answer() });
