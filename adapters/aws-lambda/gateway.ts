// One application on Lambda: its settings and its event sources. What is the same for every invocation stands here; the story
// of one invocation is in call.ts, and that of a streamed one in stream-call.ts.

import { addDeployerKeys } from '../../core/environ.ts';
import { describe, RequestError } from '../../core/errors.ts';
import { refuse } from '../../core/plain-response.ts';
import type { GatewayResponse } from '../../core/response.ts';
import type { Application, Environ } from '../../core/types.ts';
import { describeEvent, nonHttpEventName, UnsupportedEventError } from './event/errors.ts';
import { pathSegments } from './event-route.ts';
import type { Invocation } from './invocation.ts';
import { type LambdaOptions, type LambdaSettings, lambdaSettings } from './options.ts';
import type { AnyEvent, Source } from './source.ts';

/** One application on Lambda. */
export class LambdaGateway {
  readonly app: Application;
  readonly settings: LambdaSettings;
  readonly #sources: readonly Source[];
  /** Their names, for messages, where they are not all. */
  readonly #served: string | undefined;

  /**
   * @param sources the event sources that are served
   * @throws {TypeError} for an application that is not a function or an option of the wrong type
   */
  constructor(app: Application, options: LambdaOptions, sources: readonly Source[]) {
    this.app = app;
    this.settings = lambdaSettings(app, options);
    this.#sources = sources;
    this.#served = options.sources === undefined ? undefined : sources.map(({ name }) => name).join(', ');
  }

  /**
   * The event source that an event comes from, by the event alone.
   *
   * @returns null for anything that is not an HTTP request
   */
  sourceOf(event: unknown): Source | null {
    if (typeof event === 'object' && event !== null && nonHttpEventName(event as AnyEvent) === null) {
      for (const source of this.#sources) if (source.recognises(event as AnyEvent)) return source;
    }
    return null;
  }

  /**
   * The result for an event that is not an HTTP request: what the option `events` makes of it.
   *
   * @throws {UnsupportedEventError} where nothing was said of such events
   */
  handleEvent(event: unknown, context: unknown): Promise<unknown> {
    const { events } = this.settings;
    if (events === null) throw new UnsupportedEventError(describeEvent(event), this.#served);
    return events.handle(this.app, event, context);
  }

  /**
   * The environ of an invocation.
   *
   * @throws {RequestError} for a request that no application sees
   * @throws {UnsupportedEventError} for an event that cannot be answered
   */
  environOf(source: Source, invocation: Invocation): Environ {
    const { settings } = this;
    const environ = source.toEnviron(invocation.event, settings, invocation);
    const reserved = settings.events?.segments;
    if (reserved) refuseEventPath(environ, reserved);
    if (settings.abortBeforeTimeoutMs > 0) invocation.abortBefore(settings.abortBeforeTimeoutMs);
    addDeployerKeys(environ, settings.deployerKeys);
    return environ;
  }

  /**
   * The response to a request from which no environ could be made.
   *
   * @param error what {@link LambdaGateway.environOf} threw
   * @throws the error itself where it fails the invocation
   */
  refusal(error: unknown, source: Source, invocation: Invocation): GatewayResponse {
    if (error instanceof UnsupportedEventError) throw error;
    const page = refuse(error, invocation.errors, source.methodOf(invocation.event) as string | undefined);
    if (this.settings.fails?.(page.statusCode)) throw error;
    return page;
  }
}

/** What comes to the path of events comes from Lambda: a client could claim anything there. */
function refuseEventPath(environ: Environ, reserved: string[]): void {
  const asked = pathSegments(environ.PATH_INFO);
  if (!reserved.every((segment, index) => asked[index] === segment)) return;
  throw new RequestError(404, 'This path is for events that are not HTTP.');
}

/**
 * The option `sources`.
 *
 * @throws {TypeError} unless it is a list of event sources, or left out
 */
export function servedSources(sources: LambdaOptions['sources']): readonly Source[] | undefined {
  if (sources === undefined) return undefined;
  const list: unknown = sources;
  if (!Array.isArray(list) || list.length === 0 || !list.every(isSource)) {
    throw new TypeError(
      `The option "sources" is ${describe(list)}; expected a list of event sources of waygate/aws-lambda/sources, such as ` +
        '[httpApi].',
    );
  }
  return list;
}

function isSource(given: unknown): given is Source {
  return typeof (given as Partial<Source> | null | undefined)?.toEnviron === 'function';
}
