// `waygate`: the contract, the gateway, and the tools of PEP 3333 under their own names, for applications and middleware. No
// platform. What adapters are made of is in adapter.ts.

import type { FileLike } from './types.ts';

export type { ChunkCoder, ContentEncoder, ContentEncoders } from './coding.ts';
export {
  BadRequestError,
  BodyTooLargeError,
  ClientDisconnectedError,
  ContractError,
  RequestError,
  type RuleId,
} from './errors.ts';
export { run } from './exchange.ts';
export type { AnsweringSource, FileSource, Found, StaticFile } from './file-source.ts';
export { FileWrapper } from './file-wrapper.ts';
export { type FormOptions, type FormPart, form, formParts } from './form.ts';
export { ResponseHeaders } from './headers.ts';
export { MemoryInput } from './memory-input.ts';
export { query } from './query.ts';
export type { GatewayResponse, ResponseBody } from './response.ts';
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
  Geo,
  HeaderList,
  InputStream,
  Middleware,
  ReadonlyHeaderList,
  StartResponse,
  Write,
} from './types.ts';
export { applicationUri, requestUri, shiftPathInfo } from './url.ts';

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

/**
 * What `wsgi.file_wrapper` takes: the members' types. An adapter declares here what its platform has besides, such as the
 * `FileHandle` of Node. (FILE-01)
 */
export interface WrappedFiles {
  /** What every platform takes: something with `read(size)`. */
  portable: FileLike;
}
