// The keys of the presets are typed once something of them is imported.

import type { Application, Geo } from 'waygate';
import { toAzureFunctions } from 'waygate/azure-functions';
import { toDeno } from 'waygate/deno-deploy';
import { toFastly } from 'waygate/fastly';
import { toGoogleCloud } from 'waygate/google-cloud';
import { toNetlify } from 'waygate/netlify';
import { toVercel } from 'waygate/vercel';

export const app: Application = (environ, startResponse) => {
  const geo: Geo | undefined = environ['waygate.geo'];
  const latitude: number | undefined = geo?.latitude;
  const texts: (string | undefined)[] = [
    environ['waygate.request_id'],
    environ['netlify.context']?.ip,
    environ['azure.context']?.invocationId,
    environ['azure.request']?.params?.path,
    environ['deno.info']?.remoteAddr?.hostname,
    environ['fastly.event']?.client?.address,
    environ['node.request']?.url,
  ];
  environ['vercel.context']?.waitUntil?.(Promise.resolve());
  // @ts-expect-error: there may be no context
  environ['netlify.context'].ip;
  // @ts-expect-error: what was found is not the application's to change
  if (geo) geo.country = 'DE';
  startResponse('200 OK', []);
  void [latitude, texts];
  return [];
};

export const served: unknown[] = [
  toVercel(app, { basePath: '/api' }),
  toNetlify(app),
  toGoogleCloud(app),
  toAzureFunctions(app),
  toDeno(app),
  toFastly(app),
];
