// The Hono app as a Lambda function, behind whatever front door its event comes from.

import { toLambda } from 'waygate/aws-lambda';
import { fromFetch } from 'waygate/fetch';
import app from './app.ts';

export const handler = toLambda(fromFetch(app));
