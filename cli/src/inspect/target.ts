// What the inspector knows of the app that is served: how it was started, where it answers, and how its module exports it.

import type { SentRequest } from '../everywhere/client.ts';
import type { PlatformRun } from '../everywhere/run.ts';
import type { RunKind } from '../kind.ts';
import type { PlatformOptions } from '../platform.ts';

/** How a module exports its app, for code that imports it. */
export interface AppFacts {
  kind: RunKind;
  /** The name of the export. */
  exportName: 'default' | 'app' | 'handler';
  /** What is hosted, where the export is called `app`: `app`, `app.callback()`. */
  expression: string;
}

/** The app that is inspected. */
export interface InspectedApp {
  /** The app's module as the user named it. */
  name: string;
  /** How it is run. */
  run: PlatformOptions & { kind?: RunKind; source?: string };
  /** Where it answers; undefined until it does. */
  origin?: string;
  /** Whether it speaks HTTP/2 only. */
  http2Only: boolean;
  /** How it is exported; undefined where that is not known. */
  facts?: AppFacts;
  /** Runs a request on all platforms. */
  everywhere?: (request: SentRequest) => Promise<PlatformRun[]>;
}

/** The platform whose conversion an app is served through: for a Lambda handler, what calls it. */
export function platformOf({ run }: InspectedApp): string {
  return run.source ?? run.platform;
}
