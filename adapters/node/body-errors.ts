// The errors of a request body that cannot be read to its end.

import { ClientDisconnectedError } from '../../core/errors.ts';

export function left(): ClientDisconnectedError {
  return new ClientDisconnectedError('The client left before it had sent its whole body.');
}

export function unread(): ClientDisconnectedError {
  return new ClientDisconnectedError(
    'The client left before the application had read its body, and Node has dropped it.',
  );
}

export function readBefore(): Error {
  return new Error(
    'The request body was read before the application saw the request, for example by a body parser in front of toNode. ' +
      'Mount toNode ahead of it, or have it keep the bytes in request.rawBody.',
  );
}

export function dropped(): Error {
  return new Error('What was left of the request body was dropped when the response was over.');
}

export function decoded(encoding: string): Error {
  return new Error(
    `The request body is not text of the encoding of request.setEncoding(${JSON.stringify(encoding)}), which was called ` +
      'before the application read it: bytes were lost. Leave the encoding of the request alone in front of toNode.',
  );
}
