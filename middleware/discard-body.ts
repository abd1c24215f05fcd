// A body that nobody wants: it is closed without being read. (MW-05)

import { BodyReader } from '../core/body.ts';
import type { ApplicationBody } from '../core/types.ts';

/**
 * @param body what an application returned
 * @param reportError gets what closing it throws (CLOSE-05)
 * @returns a promise where closing it takes time
 */
export function discardBody(body: ApplicationBody, reportError: (error: unknown) => void): void | Promise<void> {
  try {
    // Its iteration is begun and ended: that cancels a stream, also one behind another body.
    return new BodyReader(body).release(reportError);
  } catch (error) {
    reportError(error);
  }
}
