// `--platform`: runs an application through a platform's real conversion. Each pair of adapters is a round trip: the
// request becomes what that platform would have sent, the application is served from it, the result is turned back.

import type { Application } from 'waygate';
import { fromLambda, type SourceName, toLambda, toLambdaStream } from 'waygate/aws-lambda';
import { fromFetch, toFetch } from 'waygate/fetch';
import { validator } from 'waygate/middleware';
import { usageError } from './errors.ts';

/** The front doors of Lambda, in the order of the help. The type holds the list to be complete. */
const SOURCE_TABLE: Record<SourceName, string> = {
  'rest-api': 'API Gateway REST API (payload 1.0)',
  'http-api': 'API Gateway HTTP API (payload 2.0)',
  'function-url': 'function URL',
  alb: 'Application Load Balancer',
  lattice: 'VPC Lattice, event version 2',
  'lattice-v1': 'VPC Lattice, event version 1',
  edge: 'Lambda@Edge',
};

export const SOURCES: readonly SourceName[] = Object.keys(SOURCE_TABLE) as SourceName[];

/** All that `--platform` takes. */
export const PLATFORMS: readonly string[] = [
  'node',
  'fetch',
  'workers',
  ...SOURCES.map((source) => `lambda:${source}`),
];

/** What `--platform` names. */
export type Platform = { name: 'node' | 'fetch' | 'workers' } | { name: 'lambda'; source: SourceName };

/** How an app is run; plain data. */
export interface PlatformOptions {
  /** As {@link parsePlatform} takes it. */
  platform: string;
  /** Whether Lambda streams the response. */
  stream?: boolean;
  /** The named stage of a REST or HTTP API. */
  stage?: string;
  /** The payload format of an HTTP API. */
  payload?: '1.0' | '2.0';
  /** Whether the target group of a load balancer has multi-value headers. */
  multiValueHeaders?: boolean;
  /** Whether the validator stands on both sides of the app. */
  validate?: boolean;
}

/**
 * @param text what was given as `--platform`
 * @throws {CommandError} for an unknown one
 */
export function parsePlatform(text: string): Platform {
  if (text === 'node' || text === 'fetch' || text === 'workers') return { name: text };
  if (text.startsWith('lambda:')) return { name: 'lambda', source: parseSource(text.slice('lambda:'.length)) };
  throw usageError(`There is no platform "${text}"; expected one of ${PLATFORMS.join(', ')}.`);
}

/**
 * @param text the name of a Lambda front door
 * @throws {CommandError} for an unknown one
 */
export function parseSource(text: string): SourceName {
  if (Object.hasOwn(SOURCE_TABLE, text)) return text as SourceName;
  throw usageError(`There is no Lambda source "${text}"; expected one of ${SOURCES.join(', ')}.`);
}

/** What only some front doors have. */
const DOORS = {
  stage: ['rest-api', 'http-api'],
  payload: ['http-api'],
  'multi-value-headers': ['alb'],
  'viewer-request': ['edge'],
} as const;

/**
 * @param door the front door, or the platform that has none
 * @param given the values of the options, as far as they were given
 * @throws {CommandError} for an option that has no meaning there: it would be left out without a word
 */
export function checkDoor(door: string, given: { [Name in keyof typeof DOORS]?: unknown }): void {
  for (const [name, doors] of Object.entries(DOORS)) {
    if (given[name as keyof typeof DOORS] && !doors.some((each) => each === door)) {
      throw usageError(`--${name} is for ${doors.join(' and ')}; ${door} has no such thing.`);
    }
  }
}

/**
 * An application that runs another one through a platform. On Node that is the application itself.
 *
 * @param errors where `wsgi.errors` of the application goes, on platforms that have a gateway of their own around it
 * @throws {CommandError} for options that do not go together, and for `workers`, which is no platform of this process
 */
export function throughPlatform(
  app: Application,
  options: PlatformOptions,
  errors: (text: string) => void,
): Application {
  const platform = parsePlatform(options.platform);
  const { stream = false, stage, payload, multiValueHeaders } = options;
  const watched = options.validate ? validator(app) : app;
  const door = platform.name === 'lambda' ? platform.source : platform.name;
  checkDoor(door, { stage, payload, 'multi-value-headers': multiValueHeaders });
  if (platform.name !== 'lambda') {
    if (stream) throw usageError(`--stream is for Lambda; ${options.platform} streams by itself.`);
    if (platform.name === 'node') return watched;
    if (platform.name === 'fetch') return fromFetch(toFetch(watched, { errors }));
    throw usageError('Workers run in a process of their own: use waygate serve --platform workers.');
  }
  const { source } = platform;
  if (!stream) {
    return fromLambda(toLambda(watched, { errors }), {
      source,
      stage,
      payloadFormatVersion: payload,
      multiValueHeaders,
    });
  }
  if (source !== 'function-url' && source !== 'rest-api') {
    throw usageError(`${source} does not stream; --stream goes with lambda:function-url and lambda:rest-api.`);
  }
  return fromLambda(toLambdaStream(watched, { errors }), { source, stage, streaming: true });
}
