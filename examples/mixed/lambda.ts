// The three applications as a Lambda function, behind whatever event source its event comes from.

import { toLambda } from 'waygate/aws-lambda';
import app from './app.ts';

export const handler = toLambda(app);
