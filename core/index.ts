// `waygate`: the contract, the gateway, the tools of PEP 3333 under their own names, and what adapters are made of. No
// platform.

export type { ChunkCoder, ContentEncoder, ContentEncoders } from './coding.ts';
export {
  addDeployerKeys,
  addHeader,
  createEnviron,
  declaredLength,
  type GatewayInfo,
  prepareOptions,
  type RequestInfo,
  type Settings,
} from './environ.ts';
export { BadRequestError, BodyTooLargeError, ClientDisconnectedError, ContractError, RequestError } from './errors.ts';
export { Exchange, run } from './exchange.ts';
export type { AnsweringSource, FileSource, Found, StaticFile } from './file-source.ts';
export { FileWrapper } from './file-wrapper.ts';
export { type FormOptions, type FormPart, form, formParts } from './form.ts';
export { addGeo, type Geo, type GeoSource } from './geo.ts';
export { ResponseHeaders } from './headers.ts';
export { type ByteSource, Input, StreamSource } from './input.ts';
export { RequestLifetime } from './lifetime.ts';
export { MemoryInput } from './memory-input.ts';
export { plainResponse, refuse } from './plain-response.ts';
export { query } from './query.ts';
export type { ExchangeOptions, GatewayResponse, ResponseBody } from './response.ts';
export { reasonPhrase } from './status.ts';
export { decodeWsgi, encode, encodeWsgi } from './strings.ts';
export { setupTestingDefaults } from './testing-defaults.ts';
export type {
  Application,
  ApplicationBody,
  Environ,
  ErrorSink,
  ErrorStream,
  FileLike,
  GatewayName,
  GatewayOptions,
  HeaderList,
  InputStream,
  Middleware,
  ReadonlyHeaderList,
  StartResponse,
  Write,
} from './types.ts';
export {
  applicationUri,
  decodePath,
  encodedPathInfo,
  quotePath,
  requestUri,
  shiftPathInfo,
  splitPrefix,
  splitTarget,
} from './url.ts';
export { logRejection, PendingWork, type WaitContext } from './work.ts';

/**
 * Keys of {@link Environ} beyond the contract's: an application, a middleware or an adapter declares its own here, and they
 * are typed wherever an environ is. A key that not every request has is optional. The adapters declare theirs, such as
 * `node.request`, in their entries.
 *
 * @example
 * declare module 'waygate' {
 *   interface EnvironKeys {
 *     'app.user'?: User;
 *   }
 * }
 */
// biome-ignore lint/suspicious/noEmptyInterface: others add its members.
export interface EnvironKeys {}
