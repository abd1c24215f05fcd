// `waygate/google-cloud`: applications as HTTP functions of Google Cloud and Firebase. The native objects are those of Node:
// `node.request`, `node.response`.

import type {} from '../../index.ts';

export { type GoogleCloudOptions, toGoogleCloud } from './to-google-cloud.ts';
