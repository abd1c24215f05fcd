// Whether programs see light classes in the place of the platform's: a bundle of `waygate build` does, and a program that
// imports `waygate/light-fetch`. Everywhere else there is none, and nothing of them is in a bundle.

import type { HeaderList } from '../../../core/types.ts';
import type { FetchGlobals } from './real.ts';

/** What a gateway needs of a response that was never made real. */
export interface LightParts {
  readonly status: number;
  readonly statusText: string;
  readonly headers: HeaderList;
  readonly body: string | Uint8Array | null;
}

/** The light classes, and what is behind their instances. */
export interface LightMode {
  readonly classes: FetchGlobals;
  /** Whether a response is a light one whose body is in memory, and unread. */
  isUnread(response: object): boolean;
  /** The parts of such a response; null for any other. */
  parts(response: object): LightParts | null;
  /** The platform's own response that has the body of a light one; any other response as it is. */
  inner(response: object): Response;
  /** The platform's own headers that say what light ones do. */
  headers(headers: Headers): Headers;
}

let mode: LightMode | null = null;

/** From now on programs see these classes. */
export function useLight(light: LightMode): void {
  mode = light;
}

/** The light classes, where programs see them. */
export function lightMode(): LightMode | null {
  return mode;
}
