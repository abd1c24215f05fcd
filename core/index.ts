// `waygate`: the contract, the gateway, and the tools of PEP 3333 under their own names. No platform.

export { BadRequestError, BodyTooLargeError, ClientDisconnectedError, ContractError, RequestError } from './errors.ts';
export { FileWrapper } from './file-wrapper.ts';
export type { ExchangeOptions, GatewayResponse, ResponseBody } from './gateway.ts';
export { run } from './gateway.ts';
export { Headers } from './headers.ts';
export { reasonPhrase } from './status.ts';
export { decodeWsgi, encode, encodeWsgi } from './strings.ts';
export { setupTestingDefaults } from './testing-defaults.ts';
export type {
  Application,
  Body,
  Environ,
  ErrorSink,
  ErrorStream,
  FileLike,
  GatewayOptions,
  HeaderList,
  InputStream,
  Middleware,
  StartResponse,
  Write,
} from './types.ts';
export { applicationUri, encodedPathInfo, requestUri, shiftPathInfo } from './url.ts';
