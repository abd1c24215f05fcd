// Streamed responses: Function URLs with InvokeMode RESPONSE_STREAM, REST APIs with response streaming.

import { toLambdaStream } from 'waygate/aws-lambda';
import app from './app.ts';

export const handler = toLambdaStream(app);
