// A Pages Function behind the files of its site.

import { toPagesFunction } from '../../../adapters/cloudflare-workers/index.ts';
import { assets } from '../../../middleware/assets.ts';
import { staticFiles } from '../../../middleware/static-files.ts';
import { shown } from './shown.ts';

export const onRequest = toPagesFunction(staticFiles(assets(), { fallback: shown }));
