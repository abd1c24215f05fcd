// The hello example as a standalone script of bunny.net.

import * as BunnySDK from '@bunny.net/edgescript-sdk';
import { toBunny } from 'waygate/bunny';
import app from '../hello/app.ts';

BunnySDK.net.http.serve(toBunny(app));
