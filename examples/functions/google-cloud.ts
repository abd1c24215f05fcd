// The hello example as an HTTP function of Google Cloud, which is deployed with `--function app`. With Firebase it is
// `onRequest(app)`.

import { toGoogleCloud } from 'waygate/google-cloud';
import hello from '../hello/app.ts';

export const app = toGoogleCloud(hello);
