// `waygate/cloudflare-workers`: applications on Cloudflare Workers, and Workers as applications.

export { fromWorker, type HostedWorkerOptions, type ModuleWorker, type WorkerClass } from './from-worker.ts';
export { toWorker, type Worker, type WorkerContext, type WorkerOptions } from './to-worker.ts';
