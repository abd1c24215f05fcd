// `cloudflare:workers` for a Worker that is loaded by Node: the base classes that a Worker's module extends. workerd has the
// real ones.

import type { Plugin } from 'esbuild';

/**
 * The classes keep what workerd gives their constructors. There are no bindings here, so `env` is empty. As a CommonJS
 * module it may be asked for names that it lacks: they are undefined, and only fail where they are used.
 */
const MODULE = `
class Entrypoint { constructor(ctx, env) { this.ctx = ctx; this.env = env; } }
class RpcTarget {}
module.exports = {
  WorkerEntrypoint: class WorkerEntrypoint extends Entrypoint {},
  DurableObject: class DurableObject extends Entrypoint {},
  WorkflowEntrypoint: class WorkflowEntrypoint extends Entrypoint {},
  RpcTarget,
  env: {},
  exports: {},
  waitUntil(promise) { Promise.resolve(promise).catch((error) => console.error(error)); },
};
`;

/** A bundler plugin that gives a module the base classes of `cloudflare:workers` on Node. */
export function workerModules(): Plugin {
  return {
    name: 'worker-modules',
    setup(build) {
      build.onResolve({ filter: /^cloudflare:workers$/ }, ({ path }) => ({ path, namespace: 'worker-modules' }));
      build.onLoad({ filter: /./, namespace: 'worker-modules' }, () => ({ contents: MODULE, loader: 'js' }));
    },
  };
}
