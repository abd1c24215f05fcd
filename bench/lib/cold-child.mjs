// A cold start in this process: loads a Lambda function and calls it once.

import { answerOf } from './events.mjs';

const [file, event] = process.argv.slice(2);
const cpu = () => {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
};
const [start, begun] = [performance.now(), cpu()];
const { handler } = await import(file);
const answer = await answerOf(handler, JSON.parse(event));
const [took, used] = [performance.now() - start, cpu() - begun];
console.log(JSON.stringify({ answer, took, used }));
