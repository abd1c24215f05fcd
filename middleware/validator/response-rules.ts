// The rules of `startResponse`, of bodies and of what is done with them, in the order of docs/contract.md.

/** Id → whom it binds, how its breach is reported, and what holds where it is kept. */
export const RESPONSE_RULES = {
  'SR-01': {
    binds: 'gateway, middleware',
    level: 'error',
    text: '`startResponse` is synchronous: it throws at once or returns `write`, a function, never a promise.',
  },
  'SR-02': {
    binds: 'application',
    level: 'error',
    text: 'The status is a string of a code from 200 to 599, one space and a reason, such as `"200 OK"`.',
  },
  'L-31': { binds: 'application', level: 'error', text: '`startResponse` is called with two or three arguments.' },
  'SR-03': {
    binds: 'application',
    level: 'error',
    text: 'The headers are an array of `[name, value]` arrays of two strings.',
  },
  'SR-05': {
    binds: 'application',
    level: 'error',
    text: "A header name is a token: letters, digits and ``!#$%&'*+-.^_`|~``.",
  },
  'SR-06': {
    binds: 'application',
    level: 'error',
    text: 'A header value has no control character but the tab, and no code unit above U+00FF.',
  },
  'SR-07': {
    binds: 'application',
    level: 'error',
    text: 'Headers about the connection belong to the platform: leave them out.',
  },
  'L-34': {
    binds: 'application',
    level: 'error',
    text: 'There is no header named `Status`: the status is the first argument.',
  },
  'L-35': {
    binds: 'application',
    level: 'warning',
    text: 'A header name starts with a letter and has only letters, digits, `-` and `_`.',
  },
  'L-36': { binds: 'application', level: 'warning', text: 'A header name does not end in `-` or `_`.' },
  'L-38': { binds: 'application', level: 'warning', text: 'A header value has no tab.' },
  'L-42': { binds: 'application', level: 'warning', text: 'A response with content has a `Content-Type`.' },
  'L-43': { binds: 'application', level: 'warning', text: 'A 204 or 304 response has no `Content-Type`.' },
  'L-44': { binds: 'application', level: 'error', text: 'A 204 response has no `Content-Length`.' },
  'L-45': {
    binds: 'application',
    level: 'warning',
    text: 'The third argument of `startResponse` is the `Error` that was caught.',
  },
  'L-47': {
    binds: 'application',
    level: 'warning',
    text: 'An `ETag` is a quoted string, weak ones with an upper-case `W/` in front.',
  },
  'L-48': {
    binds: 'application',
    level: 'error',
    text: '`Content-Length` is decimal digits, a safe integer, and not given twice with different values.',
  },
  'SR-12': {
    binds: 'application, middleware',
    level: 'error',
    text: 'What `startResponse` throws when it was given an error is not caught: let it pass, the response is broken.',
  },
  'SR-13': {
    binds: 'application',
    level: 'error',
    text: '`startResponse` is called once; only an error handler may call it again, with its error as third argument.',
  },
  'L-51': {
    binds: 'application',
    level: 'warning',
    text: '`startResponse` is called before the first chunk, even before an empty one.',
  },
  'SR-15': {
    binds: 'application',
    level: 'error',
    text: '`startResponse` is called before the first non-empty chunk and before the body ends.',
  },
  'SR-16': {
    binds: 'application',
    level: 'error',
    text: 'After the response is over, neither `startResponse` nor `write` is called.',
  },
  'L-57': {
    binds: 'application, middleware',
    level: 'error',
    text: 'The chunks add up to the declared `Content-Length`, those given to `write` included.',
  },
  'BODY-01': {
    binds: 'application',
    level: 'error',
    text: 'The application returns an iterable of chunks, or a promise of one, such as `[chunk]`.',
  },
  'BODY-08': {
    binds: 'application, gateway, middleware',
    level: 'error',
    text: 'A chunk stays unchanged until the next one is asked for; nobody writes into it, transfers it, or keeps it beyond that without a copy.',
  },
  'BODY-09': {
    binds: 'gateway, middleware',
    level: 'error',
    text: 'One `next()` at a time: each is awaited before the following one.',
  },
  'L-53': { binds: 'gateway, middleware', level: 'error', text: 'A body is iterated once.' },
  'L-52': { binds: 'gateway, middleware', level: 'error', text: 'A body is not iterated after its `close()`.' },
  'L-58': {
    binds: 'application',
    level: 'warning',
    text: 'A stream in response to `HEAD` needs no bytes: they are dropped.',
  },
  'L-59': { binds: 'application', level: 'error', text: 'A 204, 205 or 304 response has no bytes.' },
  'L-54': { binds: 'gateway, middleware', level: 'warning', text: 'A body that was returned is closed.' },
  'CLOSE-02': {
    binds: 'gateway, middleware',
    level: 'error',
    text: '`close` is called once, on the object that the application returned, not on its iterator.',
  },
  'CLOSE-04': {
    binds: 'gateway, middleware',
    level: 'error',
    text: 'An iteration that is broken off is ended with `return()`, then the body is closed.',
  },
  'WRITE-01': {
    binds: 'gateway, middleware',
    level: 'error',
    text: '`write` treats its chunk as if the body had given it, and returns a promise.',
  },
  'WRITE-02': {
    binds: 'application',
    level: 'warning',
    text: 'New applications give their chunks through the body, not through `write`.',
  },
  'WRITE-03': {
    binds: 'application',
    level: 'error',
    text: '`write` is not called once the application has returned its body: yield the chunk instead.',
  },
  'L-55': {
    binds: 'middleware',
    level: 'error',
    text: 'A middleware does not iterate the body before it has returned its own.',
  },
  'L-56': {
    binds: 'middleware',
    level: 'error',
    text: 'A middleware gives at least one chunk for each it got before it asks for the next.',
  },
  'MW-03': {
    binds: 'middleware',
    level: 'error',
    text: 'A middleware calls `write` only with what the application inside gave to its own `write`, never with what it yielded.',
  },
  'L-64': {
    binds: 'middleware',
    level: 'error',
    text: "When a middleware's body is closed, the body inside it is closed too.",
  },
  'THREAD-01': { binds: 'gateway, middleware', level: 'error', text: '`wsgi.multithread` is a boolean.' },
  'THREAD-02': { binds: 'gateway, middleware', level: 'error', text: '`wsgi.multiprocess` is a boolean.' },
  'THREAD-03': { binds: 'gateway, middleware', level: 'error', text: '`wsgi.run_once` is a boolean.' },
  'L-65': {
    binds: 'application',
    level: 'warning',
    text: '`waygate.early_hints` takes a header list as `startResponse` does.',
  },
  'FILE-01': {
    binds: 'gateway, middleware',
    level: 'error',
    text: '`wsgi.file_wrapper`, where it is there, is a function of a file and an optional block size.',
  },
  'FILE-02': {
    binds: 'gateway, middleware',
    level: 'error',
    text: 'Wrapping a file reads nothing: the first read comes with the iteration.',
  },
  'FILE-03': {
    binds: 'application',
    level: 'error',
    text: 'A file to wrap has `read(size)`, which gives bytes, and none at the end.',
  },
} as const;
