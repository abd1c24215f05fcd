// `waygate/adapter`: what an adapter is made of, for those who write one. docs/writing-an-adapter.md goes through it. No
// platform.

export { DeferredBody } from './deferred-body.ts';
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
export { BadRequestError, BodyTooLargeError, ClientDisconnectedError, RequestError } from './errors.ts';
export { Exchange } from './exchange.ts';
export { addGeo, type GeoSource } from './geo.ts';
export { type ByteSource, Input } from './input.ts';
export { RequestLifetime, type Running } from './lifetime.ts';
export { MemoryInput } from './memory-input.ts';
export { plainResponse, refuse } from './plain-response.ts';
export { attachState, lazyKey, stateOf } from './private-state.ts';
export type { Answer, ExchangeOptions, GatewayResponse, Passthrough, Receiver, ResponseBody } from './response.ts';
export { reasonPhrase } from './status.ts';
export { StreamSource } from './stream-source.ts';
export { decodeWsgi, encodeWsgi } from './strings.ts';
export type { Application, Environ, ErrorStream, GatewayOptions, Geo, HeaderList, InputStream } from './types.ts';
export { decodePath, encodedPathInfo, quotePath, requestUri, splitPrefix, splitTarget } from './url.ts';
export { logRejection, PendingWork, type WaitContext } from './work.ts';
