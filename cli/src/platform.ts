// `--platform`: runs an application through a platform's real conversion. Each pair of adapters is a round trip. The
// request becomes what that platform would have sent, the application is served from it, and the result is turned back.

import { type Application, encode, type Middleware } from 'waygate';
import { fromLambda, type SourceName, toLambda, toLambdaStream } from 'waygate/aws-lambda';
import { environOf, type FetchHandler, fromFetch, toFetch } from 'waygate/fetch';
import { mount, validator } from 'waygate/middleware';
import { usageError } from './errors.ts';

/** The event sources of Lambda, in the order of the help. The type holds the list to be complete. */
const SOURCE_TABLE: Record<SourceName, string> = {
  'rest-api': 'API Gateway REST API (payload 1.0)',
  'http-api': 'API Gateway HTTP API (payload 2.0)',
  'function-url': 'function URL',
  alb: 'Application Load Balancer',
  lattice: 'VPC Lattice, event version 2',
  'lattice-v1': 'VPC Lattice, event version 1',
  edge: 'Lambda@Edge',
};

/** How the command line spells an event source: `lambda:http-api`. Every command and option takes this one spelling. */
export type SpelledSource = `lambda:${SourceName}`;

/** All event sources, as they are spelled on the command line. */
export const SOURCES: readonly SpelledSource[] = (Object.keys(SOURCE_TABLE) as SourceName[]).map(spelledSource);

/** All that `--platform` takes. */
export const PLATFORMS: readonly string[] = ['node', 'fetch', 'workers', ...SOURCES, 'lambda:web'];

/** What `--platform` names. */
export type Platform = { name: 'node' | 'fetch' | 'workers' | 'lambda-web' } | { name: 'lambda'; source: SourceName };

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

/** The function that Lambda would call. */
export type LambdaHandler = Parameters<typeof fromLambda>[0];

/** What looks at the steps of a platform's conversion: each takes a part and returns what stands in its place. */
export interface Layers {
  /** Around the app, inside of its platform and around the validator. */
  app?: Middleware;
  /** Around the function that Lambda would call. */
  handler?: (handler: LambdaHandler) => LambdaHandler;
  /** Around the function that a Fetch platform would call. */
  fetch?: (fetch: FetchHandler) => FetchHandler;
}

/** An event source as the command line spells it. */
export function spelledSource<Name extends SourceName>(source: Name): `lambda:${Name}` {
  return `lambda:${source}`;
}

/**
 * @param text what was given as `--platform`
 * @throws {CommandError} for an unknown platform
 */
export function parsePlatform(text: string): Platform {
  if (text === 'node' || text === 'fetch' || text === 'workers') return { name: text };
  if (text === 'lambda:web') return { name: 'lambda-web' };
  const source = sourceOf(text);
  if (source !== undefined) return { name: 'lambda', source };
  throw usageError(`There is no platform "${text}"; expected ${nearest(text, PLATFORMS)}.`);
}

/**
 * @param text an event source as the command line spells it, such as `lambda:http-api`
 * @throws {CommandError} for an unknown event source
 */
export function parseSource(text: string): SourceName {
  const source = sourceOf(text);
  if (source !== undefined) return source;
  throw usageError(`There is no event source "${text}"; expected ${nearest(text, SOURCES)}.`);
}

function sourceOf(text: string): SourceName | undefined {
  const name = text.startsWith('lambda:') ? text.slice('lambda:'.length) : '';
  return Object.hasOwn(SOURCE_TABLE, name) ? (name as SourceName) : undefined;
}

/** What to write instead of `text`: the spelling with `lambda:` if that is all that is missing, else the whole list. */
function nearest(text: string, all: readonly string[]): string {
  return all.includes(`lambda:${text}`) ? `lambda:${text}` : `one of ${all.join(', ')}`;
}

/** What only some event sources have. */
const SOURCE_OPTIONS = {
  stage: ['rest-api', 'http-api'],
  payload: ['http-api'],
  'multi-value-headers': ['alb'],
  'viewer-request': ['edge'],
} as const;

/**
 * @param given the values of the options, as far as they were given
 * @param where the event source, or the platform, which has none of these options
 * @throws {CommandError} for an option that has no meaning there: it would have no effect
 */
export function checkSourceOptions(
  where: SourceName | Exclude<Platform['name'], 'lambda'>,
  given: { [Name in keyof typeof SOURCE_OPTIONS]?: unknown },
): void {
  for (const [name, sources] of Object.entries(SOURCE_OPTIONS)) {
    if (given[name as keyof typeof SOURCE_OPTIONS] && !sources.some((each) => each === where)) {
      const shown = Object.hasOwn(SOURCE_TABLE, where) ? `lambda:${where}` : where.replace('lambda-', 'lambda:');
      throw usageError(`--${name} is for ${sources.map(spelledSource).join(' and ')}; ${shown} has no such option.`);
    }
  }
}

/**
 * An application under the stage of an API, as its clients see it: `/live/users` is the path `/users` of the stage `live`.
 * What is outside of the stage gets API Gateway's own answer.
 *
 * @param source the kind of API; any other event source has no stages
 * @throws {CommandError} for a name that no stage can have
 */
export function underStage(app: Application, stage: string | undefined, source: SourceName): Application {
  if (stage === undefined || (source === 'http-api' && stage === '$default')) return app;
  // https://docs.aws.amazon.com/apigateway/latest/developerguide/set-up-stages.html
  if (!/^[\w-]{1,128}$/.test(stage)) {
    throw usageError(`There can be no stage "${stage}"; expected letters, digits, hyphens and underscores.`);
  }
  const [status, message] = source === 'rest-api' ? ['403 Forbidden', 'Forbidden'] : ['404 Not Found', 'Not Found'];
  const outside: Application = (_environ, startResponse) => {
    startResponse(status as string, [['Content-Type', 'application/json']]);
    return [encode(JSON.stringify({ message }))];
  };
  return mount({ [`/${stage}`]: app, '/': outside });
}

/** No Fetch request knows its client: it is the client of the request around it. */
const clientAround = (request: Request): string | undefined => environOf(request)?.REMOTE_ADDR;

/**
 * An application that runs another one through a platform. On Node that is the application itself.
 *
 * @param errors where `wsgi.errors` of the application goes, on platforms that have a gateway of their own around it
 * @param layers what looks at the steps of the conversion; without it nothing stands between them
 * @throws {CommandError} for options that do not go together, and for `workers`, which cannot run in this process
 */
export function throughPlatform(
  app: Application,
  options: PlatformOptions,
  errors: (text: string) => void,
  layers: Layers = {},
): Application {
  const platform = parsePlatform(options.platform);
  const { stream = false, stage, payload, multiValueHeaders } = options;
  const validated = options.validate ? validator(app) : app;
  const watched = layers.app?.(validated) ?? validated;
  const where = platform.name === 'lambda' ? platform.source : platform.name;
  checkSourceOptions(where, { stage, payload, 'multi-value-headers': multiValueHeaders });
  if (platform.name !== 'lambda') {
    if (stream) throw usageError(`--stream is for Lambda; ${options.platform} streams by itself.`);
    if (platform.name === 'node') return watched;
    if (platform.name === 'fetch') {
      const fetch = toFetch(watched, { errors, remoteAddr: clientAround });
      return fromFetch(layers.fetch?.(fetch) ?? fetch);
    }
    const what = platform.name === 'workers' ? 'Workers run in a process' : 'Web Functions run in processes';
    throw usageError(`${what} of their own: use waygate serve --platform ${options.platform}.`);
  }
  const { source } = platform;
  if (!stream) {
    const handler = toLambda(watched, { errors });
    return fromLambda(layers.handler?.(handler) ?? handler, {
      source,
      stage,
      payloadFormatVersion: payload,
      multiValueHeaders,
    });
  }
  if (source !== 'function-url' && source !== 'rest-api') {
    throw usageError(`lambda:${source} does not stream; --stream goes with lambda:function-url and lambda:rest-api.`);
  }
  const handler = toLambdaStream(watched, { errors });
  return fromLambda(layers.handler?.(handler) ?? handler, { source, stage, streaming: true });
}
