// Every platform that a request can be run on in this process, in each way that it can be set up.

import type { RunOptions } from '../handler.ts';
import type { PlatformOptions } from '../platform.ts';

/** One way to run an app. */
export interface Variant {
  /** What it is called in tables: `lambda:http-api, payload 1.0`. */
  label: string;
  options: PlatformOptions;
}

/** All of them. The first is what the others are compared with. */
export const VARIANTS: readonly [Variant, ...Variant[]] = [
  { label: 'node', options: { platform: 'node' } },
  { label: 'fetch', options: { platform: 'fetch' } },
  { label: 'workers', options: { platform: 'workers' } },
  { label: 'lambda:rest-api', options: { platform: 'lambda:rest-api' } },
  { label: 'lambda:rest-api, streamed', options: { platform: 'lambda:rest-api', stream: true } },
  { label: 'lambda:http-api', options: { platform: 'lambda:http-api' } },
  { label: 'lambda:http-api, payload 1.0', options: { platform: 'lambda:http-api', payload: '1.0' } },
  { label: 'lambda:function-url', options: { platform: 'lambda:function-url' } },
  { label: 'lambda:function-url, streamed', options: { platform: 'lambda:function-url', stream: true } },
  { label: 'lambda:alb', options: { platform: 'lambda:alb' } },
  { label: 'lambda:alb, multi-value headers', options: { platform: 'lambda:alb', multiValueHeaders: true } },
  { label: 'lambda:lattice', options: { platform: 'lambda:lattice' } },
  { label: 'lambda:lattice-v1', options: { platform: 'lambda:lattice-v1' } },
  { label: 'lambda:edge', options: { platform: 'lambda:edge' } },
];

/** The ways to run a Lambda handler: each event source, as what calls it. Whether it streams is the handler's to say. */
export const HANDLER_VARIANTS: readonly Variant[] = VARIANTS.filter(
  ({ options }) => options.platform.startsWith('lambda:') && !options.stream,
);

/** The options that call a Lambda handler as a variant says. */
export function handlerOptions({ options }: Variant): RunOptions {
  return { ...options, kind: 'lambda', platform: 'node', source: options.platform };
}
