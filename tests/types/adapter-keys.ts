// The keys of each adapter and middleware are typed once something of it is imported, and bindings are the user's to declare.

import { open } from 'node:fs/promises';
import type { APIGatewayProxyEventV2, SQSEvent } from 'aws-lambda';
import type { Application, ApplicationBody, FileLike } from 'waygate';
import { toLambda } from 'waygate/aws-lambda';
import { type Bindings, toWorker, type Worker } from 'waygate/cloudflare-workers';
import { toFetch } from 'waygate/fetch';
import { CSP_NONCE, METHOD_OVERRIDE_ORIGINAL, PROXY_FIX_ORIGINAL, proxyFix, REQUEST_ID } from 'waygate/middleware';
import { toNode } from 'waygate/node';

interface Store {
  get(key: string): Promise<string | null>;
}

declare module 'waygate/cloudflare-workers' {
  interface Bindings {
    NOTES: Store;
  }
}

/** What `wrangler types` writes. */
declare global {
  namespace Cloudflare {
    interface Env {
      SECRET: string;
    }
  }
}

export const app: Application = async (environ, startResponse) => {
  const url: string | undefined = environ['node.request']?.url;
  environ['node.response']?.setHeader('X-Url', url ?? '');
  // @ts-expect-error: it is there under node only
  environ['node.request'].url;
  const mode: string | undefined = environ['fetch.request']?.mode;
  const first: unknown = environ['fetch.arguments']?.[0];

  const note: string | null | undefined = await environ['cloudflare.env']?.NOTES.get('a');
  const secret: string | undefined = environ['cloudflare.env']?.SECRET;
  // @ts-expect-error: no such binding
  environ['cloudflare.env']?.QUEUE;
  environ['cloudflare.ctx']?.waitUntil(Promise.resolve());
  const country: unknown = environ['cloudflare.cf']?.country;

  const event: APIGatewayProxyEventV2 = environ['aws.event'];
  const batch = environ['aws.event'] as SQSEvent;
  const left: number | undefined = environ['aws.context']?.getRemainingTimeInMillis();
  // @ts-expect-error: no such member
  environ['aws.context']?.deadline;

  const texts: (string | undefined)[] = [environ[REQUEST_ID], environ[CSP_NONCE], environ[METHOD_OVERRIDE_ORIGINAL]];
  const peer: string | undefined = environ[PROXY_FIX_ORIGINAL]?.REMOTE_ADDR;
  // @ts-expect-error: proxyFix does not change it
  environ[PROXY_FIX_ORIGINAL]?.PATH_INFO;

  // An open file of Node, without a cast; and a wrapper of one's own, which knows files of one kind only.
  const file: ApplicationBody | undefined = environ['wsgi.file_wrapper']?.(await open('page.html'), 4096);
  // @ts-expect-error: a path is not a file
  environ['wsgi.file_wrapper']?.('page.html');
  environ['wsgi.file_wrapper'] = (given: FileLike) => [given.read(1) as Uint8Array];

  startResponse('200 OK', []);
  void [texts, peer, mode, first, note, secret, country, event.rawPath, batch.Records, left, file];
  return [];
};

export const worker: Worker<Bindings> = toWorker<Bindings>(app);
export const served: unknown[] = [toNode(app), toFetch(proxyFix(app)), toLambda(app)];

// @ts-expect-error: a binding is missing
worker.fetch(new Request('http://localhost/'), { SECRET: '' }, { waitUntil() {} });
