// The hello example as a function of Azure for every path: src/functions/app.ts of a project there.

import { app as functions } from '@azure/functions';
import { toAzureFunctions } from 'waygate/azure-functions';
import app from '../hello/app.ts';

functions.http('app', {
  methods: ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'],
  authLevel: 'anonymous',
  route: '{*path}',
  handler: toAzureFunctions(app),
});
