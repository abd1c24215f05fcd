import { toLambda, toLambdaStream } from 'waygate/aws-lambda';
import { app } from './app.ts';

export const handler: unknown = toLambda(app);
export const stream: unknown = toLambdaStream(app);
