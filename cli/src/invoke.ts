// `waygate invoke`: calls the app as Lambda would, with an event, and prints what it returns.

import { PassThrough } from 'node:stream';
import { awslambda, invokeLambda, toLambda, toLambdaStream } from 'waygate/aws-lambda';
import { CommandError, named, oneLine } from './errors.ts';
import { explained } from './guess.ts';
import { findApp, type Kind, ownExports } from './kind.ts';
import { loadModule } from './load.ts';
import type { Output } from './output.ts';
import { readInput } from './request.ts';

/** Options of `waygate invoke`. */
export interface InvokeOptions {
  /** A file, or `-` for standard input. */
  event: string;
  kind?: Kind;
  /** Whether the response is streamed. */
  stream: boolean;
}

type Handler = (event: unknown, second: unknown, third: unknown) => unknown;

/** What the context says about the function. */
const FUNCTION = { functionName: 'waygate' };

/**
 * Invokes the app, or the `handler` of a module that has no app, and prints the result as JSON, or the stream as it comes.
 *
 * @throws {CommandError} for an event that is not valid JSON, and when the handler fails
 */
export async function invokeCommand(path: string, options: InvokeOptions, output: Output): Promise<void> {
  const event = parseEvent(await readInput(options.event, output.io), options.event);
  const exports = await output.progress(`Loading ${path}`, () => loadModuleOnLambda(path, output.io.cwd));
  const handler = await findHandler(exports, path, options, output);
  try {
    if (isStreaming(handler)) await invokeStreaming(handler, event, output);
    else output.print(JSON.stringify(await invokeLambda(handler, event, FUNCTION), null, 2));
  } catch (error) {
    throw new CommandError(`The handler failed: ${named(error)}`, { cause: error });
  } finally {
    // What a handler logs in setImmediate belongs to this invocation too.
    await new Promise((resolve) => setImmediate(resolve));
  }
}

function parseEvent(bytes: Buffer, path: string): unknown {
  const where = path === '-' ? 'Standard input' : path;
  try {
    return JSON.parse(bytes.toString());
  } catch (error) {
    throw new CommandError(`${where} is not valid JSON: ${oneLine(error)}. \`waygate event\` makes events.`, {
      cause: error,
    });
  }
}

/** A module written for Lambda may use the runtime's global while it is loaded. */
function loadModuleOnLambda(path: string, cwd: string): Promise<Record<string, unknown>> {
  (globalThis as { awslambda?: unknown }).awslambda ??= awslambda;
  return loadModule(path, cwd);
}

async function findHandler(
  exports: Record<string, unknown>,
  path: string,
  options: InvokeOptions,
  output: Output,
): Promise<Handler> {
  const own = ownExports(exports);
  const { handler } = own;
  if (typeof handler === 'function' && own.default === undefined && own.app === undefined) {
    return handler as Handler;
  }
  const application = explained(await findApp(exports, path, options.kind), path);
  const errors = (text: string): void => output.note(text);
  return (options.stream ? toLambdaStream(application, { errors }) : toLambda(application, { errors })) as Handler;
}

/** The runtime's own mark, which `awslambda.streamifyResponse` puts on a handler. */
function isStreaming(handler: Handler): boolean {
  return Reflect.get(handler, Symbol.for('aws.lambda.runtime.handler.streaming')) === 'response';
}

/** Prints what a streaming handler writes; the JSON prelude and the zeros after it become a line and an empty one. */
async function invokeStreaming(handler: Handler, event: unknown, output: Output): Promise<void> {
  const stream = new PassThrough();
  const returned = invokeLambda(handler, event, { ...FUNCTION, stream });
  returned.catch((error: Error) => stream.destroy(error));
  let head: Buffer | null = Buffer.alloc(0);
  for await (const chunk of stream) {
    if (head === null) {
      output.write(chunk);
      continue;
    }
    head = Buffer.concat([head, chunk]);
    const end = head.indexOf(Buffer.alloc(8));
    if (end === -1) continue;
    output.print(`${head.subarray(0, end)}\n`);
    output.write(head.subarray(end + 8));
    head = null;
  }
  if (head !== null) output.write(head);
  await returned;
}
