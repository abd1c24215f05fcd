// The hello example behind the files of a Cloudflare Pages site: functions/[[path]].ts of a project there.

import { toPagesFunction } from 'waygate/cloudflare-workers';
import { assets, staticFiles } from 'waygate/middleware';
import app from '../hello/app.ts';

export const onRequest = toPagesFunction(staticFiles(assets(), { fallback: app }));
