// What a plain function is taken for is a guess. When the guess turns out to be wrong, the error says so, and what to write.

import type { Application } from 'waygate';
import { type FetchApp, fromFetch } from 'waygate/fetch';
import { type App, describeValue, type RunKind, recognize } from './kind.ts';

type Exported = NonNullable<App['guessedFrom']>;

/**
 * The application of an app, with an error that says what to do where its kind was guessed wrong. A Node listener or a
 * Fetch handler of two parameters looks like an application; a factory looks like either.
 *
 * @param name the app's module as the user named it
 */
export function explained(app: App, name: string): Application {
  const exported = app.guessedFrom;
  if (exported === undefined) return app.application;
  const subject = `${name}: ${app.exportName === 'default' ? 'the default export' : '`app`'}`;
  const look = (result: unknown): unknown => {
    const cure = cureOfResult(exported, app.kind, result);
    if (cure !== undefined) throw wrongGuess(`${subject} ${cure}`);
    return result;
  };
  const fail = (error: unknown): never => {
    const cure = cureOfError(exported, app.kind, error);
    throw cure === undefined ? error : wrongGuess(`${subject} ${cure}`, error);
  };
  const watched: Exported = (...args) => {
    let result: unknown;
    try {
      result = exported(...args);
    } catch (error) {
      return fail(error);
    }
    return result instanceof Promise ? result.then(look, fail) : look(result);
  };
  return app.kind === 'fetch' ? fromFetch(watched as FetchApp) : (watched as Application);
}

/** An error whose own stack would only lead into this command; that of its cause leads to the app. */
function wrongGuess(message: string, cause?: unknown): TypeError {
  const error = new TypeError(message, cause === undefined ? undefined : { cause });
  error.stack = `TypeError: ${message}`;
  return error;
}

/** What is wrong and what to write, where a function returns something that no function of its kind returns. */
function cureOfResult(exported: Exported, kind: RunKind, result: unknown): string | undefined {
  if (recognize(result) !== undefined) {
    const factory = /^[A-Za-z_$][\w$]*$/.test(exported.name) && !/default/.test(exported.name);
    return (
      `is a function that returns ${typeof result === 'function' ? 'a function' : `an app, ${describeValue(result)}`}. ` +
      `A factory is not an app; export what it returns: \`export default ${factory ? exported.name : 'createApp'}()\`.`
    );
  }
  if (kind === 'app' && result instanceof Response) return taken(kind, 'it returned a Response', 'fetch');
  const isResult = typeof result === 'object' && result !== null && Object.hasOwn(result, 'statusCode');
  return isResult ? taken(kind, 'it returned an object with statusCode', 'lambda') : undefined;
}

/** What is wrong and what to write, where a function fails as one of another kind would. */
function cureOfError(exported: Exported, kind: RunKind, error: unknown): string | undefined {
  const [first = '', second = ''] = parameters(exported);
  const seen = `its parameters are called ${first} and ${second}`;
  if (/^_?(?:res|response|reply)$/i.test(second)) return taken(kind, seen, 'node');
  if (kind !== 'app') return undefined;
  if (/^_?(?:req|request)$/i.test(first)) return taken(kind, seen, 'fetch');
  if (/^_?event$/i.test(first)) return taken(kind, seen, 'lambda');
  // `r.setHeader is not a function`, where r is the second parameter.
  const called = error instanceof TypeError && /^([\w$]+)\.[\w$]+(?= is not a function$)/.exec(error.message);
  return called && called[1] === second ? taken(kind, `it called ${called[0]}()`, 'node') : undefined;
}

const TAKEN: Record<RunKind, string> = {
  app: 'a Waygate application (environ, startResponse)',
  fetch: 'a Fetch handler (request)',
  node: 'a Node listener (request, response)',
  lambda: 'a Lambda handler (event, context)',
};

function taken(kind: RunKind, seen: string, cure: RunKind): string {
  return `was taken for ${TAKEN[kind]}, but ${seen}. If it is ${TAKEN[cure]}, add --kind ${cure}.`;
}

/** The names of a function's parameters, as far as its source shows them. */
function parameters(exported: Exported): string[] {
  const source = /^(?:async\s*)?(?:function\b[\s*]*[\w$]*\s*)?\(([^()]*)\)/.exec(String(exported));
  return (source?.[1] ?? '').split(',').map((each) => /^\s*([\w$]+)/.exec(each)?.[1] ?? '');
}
