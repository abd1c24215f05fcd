// `waygate/azure-functions`: applications as HTTP functions of Azure Functions.

import type { AzureContext, AzureRequest } from './to-azure.ts';

export type { AzureCookie } from './cookies.ts';
export {
  type AzureContext,
  type AzureFunctionsOptions,
  type AzureHandler,
  type AzureRequest,
  type AzureResponse,
  toAzureFunctions,
} from './to-azure.ts';

declare module 'waygate' {
  interface EnvironKeys {
    /** The request as Azure has it. Cast it to `HttpRequest` of `@azure/functions` for all of its members. */
    'azure.request'?: AzureRequest;
    /** The invocation. Cast it to `InvocationContext` of `@azure/functions` for all of its members. */
    'azure.context'?: AzureContext;
  }
}
