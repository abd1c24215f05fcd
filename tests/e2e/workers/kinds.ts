// The apps of README's matrix in one Worker: the header X-Kind names the one that is asked.

import type { Application } from 'waygate';
import { toWorker } from 'waygate/cloudflare-workers';
import { KINDS } from '../../docs/kinds.ts';

const made = new Map<string, Application>();

const app: Application = async (environ, startResponse) => {
  const kind = environ.HTTP_X_KIND ?? '';
  const served = made.get(kind) ?? (await KINDS[kind]?.());
  if (served === undefined) throw new Error(`There is no app of the kind "${kind}".`);
  made.set(kind, served);
  return served(environ, startResponse);
};

export default toWorker(app);
