// How a module exports its app, for code that imports it.

import { type RunOptions, runKind } from '../handler.ts';
import { findApp, ownExports } from '../kind.ts';
import type { AppFacts } from './target.ts';

/** What is known of the app of a module; undefined where it has none that a test could import. */
export async function appFacts(
  exports: Record<string, unknown>,
  name: string,
  options: RunOptions,
): Promise<AppFacts | undefined> {
  const kind = runKind(exports, options);
  if (kind === 'lambda') {
    return { kind, exportName: ownExports(exports).handler === undefined ? 'default' : 'handler', expression: 'app' };
  }
  try {
    const found = await findApp(exports, name, kind);
    return { kind: found.kind, exportName: found.exportName, expression: found.expression };
  } catch {
    // The code that runs the app says what is wrong with it.
    return undefined;
  }
}
