// One application on one Fetch platform. What a platform adds, it adds through its `FetchPlatform`.

import type { Settings } from '../../core/environ.ts';
import type { Application } from '../../core/types.ts';
import type { WaitContext } from '../../core/work.ts';
import { type CallGateway, FetchCall } from './call.ts';
import type { FetchPlatform, FetchRequest } from './platform.ts';

/** One application on one Fetch platform. */
export class FetchGateway implements CallGateway {
  readonly app: Application;
  readonly settings: Settings;
  readonly platform: FetchPlatform;

  constructor(app: Application, settings: Settings, platform: FetchPlatform) {
    this.app = app;
    this.settings = settings;
    this.platform = platform;
  }

  /**
   * Answers one request.
   *
   * @param context the platform's own, for this request, where it has one
   */
  handle(received: FetchRequest, context: WaitContext | undefined): Response | Promise<Response> {
    return new FetchCall(this, received, context).run();
  }
}
