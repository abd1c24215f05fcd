// The smallest Worker: what its bundle weighs is Waygate.

import { encode } from 'waygate';
import { toWorker } from 'waygate/cloudflare-workers';

export default toWorker((_environ, startResponse) => {
  startResponse('200 OK', [['Content-Type', 'text/plain']]);
  return [encode('hello')];
});
