// `--kind lambda`: a Lambda handler as an application, called with the events of one event source.

import type { Application } from 'waygate';
import { awslambda, fromLambda } from 'waygate/aws-lambda';
import { CommandError, usageError } from './errors.ts';
import { explained } from './guess.ts';
import { describeValue, findApp, ownExports, type RunKind } from './kind.ts';
import {
  checkSourceOptions,
  type LambdaHandler,
  type Layers,
  type PlatformOptions,
  parsePlatform,
  parseSource,
  throughPlatform,
  underStage,
} from './platform.ts';

/** How the app of a module is run; plain data, since it goes to other processes. */
export interface RunOptions extends PlatformOptions {
  /** What the app is, where that cannot be detected. */
  kind?: RunKind;
  /** `--kind lambda`: the event source that the handler is written for, as {@link parseSource} takes it. */
  source?: string;
}

/** The event source of a handler when `--source` does not say it. It is that of `waygate build` as well. */
export const DEFAULT_SOURCE = 'lambda:function-url';

/** What the options alone say of the app's kind: only a Lambda handler has an event source. */
export function saidKind(options: Pick<RunOptions, 'kind' | 'source'>): RunKind | undefined {
  return options.kind ?? (options.source === undefined ? undefined : 'lambda');
}

/** Gives a module that is said to be a Lambda handler the global of Lambda's runtime, `awslambda`, while it is loaded. */
export function prepareLoading(options: RunOptions): void {
  if (saidKind(options) === 'lambda') (globalThis as { awslambda?: unknown }).awslambda ??= awslambda;
}

/**
 * Checks the options, as far as they need no app: that comes before anything is loaded.
 *
 * @throws {CommandError} for options that do not go together
 */
export function checkRunOptions(options: RunOptions, kind = saidKind(options)): void {
  const { source, platform, stage, payload, multiValueHeaders, stream } = options;
  const parsed = parsePlatform(platform);
  if (kind !== 'lambda') {
    if (source === undefined) return;
    throw usageError(`--source is for a Lambda handler; --kind ${kind} has no event source.`);
  }
  if (parsed.name !== 'node' && parsed.name !== 'fetch') {
    const wanted = parsed.name === 'lambda' ? platform : DEFAULT_SOURCE;
    throw usageError(
      `--platform ${platform} is not for a Lambda handler. --source names what calls it: --source ${wanted}.`,
    );
  }
  if (stream) {
    throw usageError('--stream is not for a Lambda handler: it streams if awslambda.streamifyResponse() made it.');
  }
  const given = { stage, payload, 'multi-value-headers': multiValueHeaders };
  checkSourceOptions(parseSource(source ?? DEFAULT_SOURCE), given);
}

/**
 * The app of a module as it is run: found among the exports, and through the platform.
 *
 * @param name the module as the user named it
 * @param errors where `wsgi.errors` of the application goes, on platforms that have a gateway of their own around it
 * @param served whether a stage stands in the URLs that clients use; else it is put in front of their paths
 * @param layers what looks at the steps of the conversion
 * @throws {CommandError} when there is no app, and for options that do not go together
 */
export async function runnable(
  exports: Record<string, unknown>,
  name: string,
  options: RunOptions,
  errors: (text: string) => void,
  served = false,
  layers: Layers = {},
): Promise<Application> {
  checkRunOptions(options);
  const kind = runKind(exports, options);
  const { platform, validate, stage, payload, multiValueHeaders } = options;
  if (kind !== 'lambda') {
    const app = explained(await findApp(exports, name, kind), name);
    const parsed = parsePlatform(platform);
    const run = throughPlatform(app, options, errors, layers);
    return served && parsed.name === 'lambda' ? underStage(run, stage, parsed.source) : run;
  }
  checkRunOptions(options, kind);
  const source = parseSource(options.source ?? DEFAULT_SOURCE);
  const found = handlerOf(exports, name);
  const handler = layers.handler?.(found) ?? found;
  const emulated = fromLambda(handler, { source, stage, payloadFormatVersion: payload, multiValueHeaders });
  const app = served ? underStage(emulated, stage, source) : emulated;
  return throughPlatform(app, { platform, validate }, errors, { fetch: layers.fetch });
}

/** What a module is run as, as far as its options and the names of its exports say; undefined where its app has to. */
export function runKind(
  exports: Record<string, unknown>,
  options: Pick<RunOptions, 'kind' | 'source'>,
): RunKind | undefined {
  return saidKind(options) ?? (hasOnlyHandler(exports) ? 'lambda' : undefined);
}

/** A module that exports a function `handler` and no app can be nothing else. */
function hasOnlyHandler(exports: Record<string, unknown>): boolean {
  const { default: all, app, handler } = ownExports(exports);
  return typeof handler === 'function' && all === undefined && app === undefined;
}

/** The handler of a module: its export `handler`, which is Lambda's default, else its default export. */
export function handlerOf(exports: Record<string, unknown>, name: string): LambdaHandler {
  const own = ownExports(exports);
  const handler = own.handler ?? own.default;
  if (typeof handler === 'function') return handler as LambdaHandler;
  const names = Object.keys(own).join(', ') || 'nothing';
  const seen = handler === undefined ? `exports ${names}` : `has ${describeValue(handler)}`;
  throw new CommandError(
    `${name} has no Lambda handler: it ${seen}; expected a function (event, context) as \`handler\` or as default export.`,
  );
}
