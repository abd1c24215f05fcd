// What a platform can do, as far as platforms differ. Whatever is declared to be lacking is held to be really absent.

/**
 * What the conformance suite may expect of a platform. Everything is there by default: declare only what is lacking.
 * For each lack the suite runs the test that proves it, and fails when that test passes.
 */
export interface Capabilities {
  /** `ServedApp.raw` is there: HTTP/1.1 as bytes over a socket, with the exact request and response. */
  raw: boolean;
  /** A chunk of the response reaches the client while the application still works on the next one. (BODY-02) */
  streaming: boolean;
  /** What `write` sent reaches the client while the application itself is still running. (WRITE-01) */
  earlyHead: boolean;
  /** The application can read the first bytes of a request body while the client has not sent the rest. (INPUT-08) */
  requestStreaming: boolean;
  /** An upload that breaks off reaches the application, as an error of `wsgi.input`. (INPUT-12) */
  abortedUpload: boolean;
  /** The application learns that the client has gone: `waygate.signal`, an early `close()`. (CLOSE-01, ERR-05) */
  disconnect: boolean;
  /** It learns so at once: while nothing is being sent, ahead of the head, behind a native stream. (CLOSE-04, ERR-05) */
  promptDisconnect: boolean;
  /**
   * What the client sees of a response that fails after its head went out. With `reject`, reading the response fails. With
   * `status-500`, the platform still had it all in memory, and answers with an error status instead. With `complete`, the
   * platform ends it as if it were whole: only a declared Content-Length shows the failure. (ERR-04)
   */
  brokenConnection: 'reject' | 'status-500' | 'complete';
  /** Every byte from 0x80 to 0xFF survives in header values, both ways; else only what is UTF-8. (STR-03, STR-05) */
  headerBytes: boolean;
  /** Every byte survives in the path as `%XX`; else only what is UTF-8. (URL-02) */
  pathBytes: boolean;
  /** The path is decoded once on its way; else a gateway decodes it too, and `%25` or `%3F` is not what it was. (URL-02) */
  decodedOnce: boolean;
  /** The request target reaches the application exactly as written: dot segments, `//`, malformed escapes. (URL-05) */
  rawPath: boolean;
  /** The query reaches the application exactly as written; else only the decoded pairs are the same. (ENV-07) */
  rawQuery: boolean;
  /** Several `Set-Cookie` headers reach the client apart from each other. (SR-03) */
  setCookies: boolean;
  /** The reason phrase reaches the client. (SR-02) */
  reason: boolean;
  /** Any token is a method, in upper or lower case. (ENV-04) */
  anyMethod: boolean;
  /** The `Content-Length` of a response to HEAD reaches the client. (HTTP-05) */
  headLength: boolean;
  /** A streamed body of unknown length has none on its way either; some servers count what is over soon. (CL-04) */
  unknownLength: boolean;
  /** The length of a request body that the client knows reaches the application as `CONTENT_LENGTH`. (ENV-09) */
  requestLength: boolean;
}

/** A platform without any lack. */
export const FULL: Capabilities = {
  raw: true,
  streaming: true,
  earlyHead: true,
  requestStreaming: true,
  abortedUpload: true,
  disconnect: true,
  promptDisconnect: true,
  brokenConnection: 'reject',
  headerBytes: true,
  pathBytes: true,
  decodedOnce: true,
  rawPath: true,
  rawQuery: true,
  setCookies: true,
  reason: true,
  anyMethod: true,
  headLength: true,
  unknownLength: true,
  requestLength: true,
};

/** The capabilities that are there or not. */
export type Ability = {
  [Key in keyof Capabilities]: Capabilities[Key] extends boolean ? Key : never;
}[keyof Capabilities];
