// What both versions of VPC Lattice share in reverse.

import type { HeaderList } from '../../../core/types.ts';
import type { Answer, ClientRequest, Emulator } from './emulator.ts';
import { ACCOUNT_ID, REGION } from './request.ts';
import { addMap, bytesOf, objectOf, statusOf } from './response.ts';

export function latticeArn(resource: string): string {
  return `arn:aws:vpc-lattice:${REGION}:${ACCOUNT_ID}:${resource}`;
}

/** The path with its query: both versions have it in one. */
export function targetOf(request: ClientRequest): string {
  return request.query === '' ? request.path : `${request.path}?${request.query}`;
}

export function latticeResponse(result: unknown, request: ClientRequest): Answer {
  const object = objectOf(result);
  const headers: HeaderList = [];
  addMap(headers, object.headers, 'headers', { scalars: false, lists: true }, request.method === 'HEAD');
  return {
    status: statusOf(object.statusCode),
    headers,
    body: bytesOf(object.body, object.isBase64Encoded === true),
  };
}

export const latticeFailure: Emulator['failure'] = { status: 500, type: 'text/plain', text: 'Internal Server Error' };
