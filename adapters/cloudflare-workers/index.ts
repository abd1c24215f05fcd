// `waygate/cloudflare-workers`: applications on Cloudflare Workers.

export { toWorker, type Worker, type WorkerContext, type WorkerOptions } from './to-worker.ts';
