// The rules that the validator looks after: one table of ids, levels and texts. docs/contract.md has the same rules under the
// same ids, and tests/docs/contract.test.ts holds the two against each other.

/** A rule of the contract as the validator knows it. */
export interface Rule {
  /** Whom it binds. */
  readonly binds: string;
  /** An error is thrown; a warning goes to `wsgi.errors`, once per rule and validator. */
  readonly level: 'error' | 'warning';
  /** What holds where the rule is kept: the sentence that every message about it carries. */
  readonly text: string;
}

/** Every rule that the validator checks, in the order of docs/contract.md. */
export const RULES = {
  'CALL-02': { binds: 'application', level: 'error', text: '`write` takes exactly one argument, the chunk.' },
  'L-21': { binds: 'deployer', level: 'error', text: 'The application is a function.' },
  'L-22': {
    binds: 'gateway',
    level: 'error',
    text: 'The application is called with exactly two arguments, `environ` and `startResponse`.',
  },
  'STR-04': {
    binds: 'application',
    level: 'error',
    text: 'Every chunk is a `Uint8Array`; encode text, await promises, and wrap an `ArrayBuffer` first.',
  },
  'ENV-01': {
    binds: 'gateway, middleware',
    level: 'error',
    text: '`environ` is a plain object whose prototype is `Object.prototype` or null, with own, enumerable, writable properties.',
  },
  'ENV-03': {
    binds: 'gateway',
    level: 'error',
    text: "Each request has an `environ` of its own, sharing no mutable value with another request's.",
  },
  'L-18': {
    binds: 'gateway, middleware',
    level: 'error',
    text: '`environ` is not frozen, sealed or otherwise closed to changes.',
  },
  'L-15': {
    binds: 'gateway, middleware',
    level: 'error',
    text: 'Keys are strings, and the value of every key without a dot is a string; a variable without value is absent, never `undefined` or `null`.',
  },
  'L-16': {
    binds: 'gateway, middleware',
    level: 'error',
    text: 'The value of every key without a dot is a native string: no code unit above U+00FF.',
  },
  'ENV-16': {
    binds: 'gateway',
    level: 'warning',
    text: '`CONTENT_TYPE`, `CONTENT_LENGTH`, `REMOTE_ADDR`, `REMOTE_PORT`, `REMOTE_USER` and `AUTH_TYPE` are left out rather than empty.',
  },
  'ENV-19': {
    binds: 'gateway, middleware',
    level: 'warning',
    text: 'Keys with a dot are lower-case letters, digits and underscores, and start with the name of the project that defines them.',
  },
  'L-20': {
    binds: 'gateway, middleware',
    level: 'warning',
    text: "Keys that start with `wsgi.` are the contract's alone; use a prefix of your own.",
  },
  'ENV-04': { binds: 'gateway, middleware', level: 'error', text: '`REQUEST_METHOD` is there and not empty.' },
  'L-03': { binds: 'gateway, middleware', level: 'error', text: '`REQUEST_METHOD` is a token of RFC 9110.' },
  'L-04': { binds: 'gateway, middleware', level: 'error', text: '`SCRIPT_NAME` is empty or starts with `/`.' },
  'L-05': { binds: 'gateway, middleware', level: 'error', text: '`PATH_INFO` is empty, starts with `/`, or is `*`.' },
  'L-06': {
    binds: 'gateway, middleware',
    level: 'error',
    text: '`SCRIPT_NAME` is never `/` alone: the root is the empty string.',
  },
  'L-07': { binds: 'gateway, middleware', level: 'warning', text: '`SCRIPT_NAME` does not end in `/`.' },
  'L-08': {
    binds: 'gateway, middleware',
    level: 'error',
    text: '`SCRIPT_NAME` and `PATH_INFO` are both there, and not both empty.',
  },
  'L-14': {
    binds: 'gateway, middleware',
    level: 'error',
    text: '`PATH_INFO` is `*` for `OPTIONS` only, and `QUERY_STRING` holds no `#`.',
  },
  'L-02': { binds: 'gateway, middleware', level: 'error', text: '`QUERY_STRING` is there, empty without a query.' },
  'L-13': {
    binds: 'gateway, middleware',
    level: 'error',
    text: '`SERVER_PROTOCOL` is `HTTP/` and a version, such as `HTTP/1.1`.',
  },
  'ENV-10': {
    binds: 'gateway, middleware',
    level: 'error',
    text: '`SERVER_NAME` and `SERVER_PORT` are there and not empty.',
  },
  'L-11': { binds: 'gateway, middleware', level: 'error', text: '`SERVER_PORT` is decimal digits.' },
  'L-12': {
    binds: 'gateway, middleware',
    level: 'warning',
    text: '`SERVER_NAME` is a host and `HTTP_HOST` a host with an optional port.',
  },
  'L-10': {
    binds: 'gateway, middleware',
    level: 'error',
    text: '`wsgi.url_scheme` is `http` or `https`, without a colon.',
  },
  'ENV-15': {
    binds: 'gateway, middleware',
    level: 'warning',
    text: '`HTTPS` is `on` where `wsgi.url_scheme` is `https`, and absent otherwise.',
  },
  'L-09': {
    binds: 'gateway, middleware',
    level: 'error',
    text: '`CONTENT_LENGTH` is decimal digits and a safe integer.',
  },
  'L-01': {
    binds: 'gateway, middleware',
    level: 'error',
    text: '`HTTP_CONTENT_TYPE` and `HTTP_CONTENT_LENGTH` do not exist: these headers are `CONTENT_TYPE` and `CONTENT_LENGTH`.',
  },
  'ENV-27': {
    binds: 'gateway, middleware',
    level: 'warning',
    text: '`HTTP_PROXY` does not exist: a `Proxy` header is dropped, since programs take that name for a setting.',
  },
  'L-17': { binds: 'gateway, middleware', level: 'error', text: '`wsgi.version` is the array `[1, 0]`.' },
  'L-19': {
    binds: 'gateway, middleware',
    level: 'error',
    text: '`waygate.gateway` is a string, `waygate.wait_until` a function, and `waygate.signal` is there.',
  },
  'INPUT-01': {
    binds: 'gateway, middleware',
    level: 'error',
    text: '`wsgi.input` has `read`, `readline`, `readlines` and is an asynchronous iterable.',
  },
  'INPUT-02': {
    binds: 'gateway, middleware',
    level: 'error',
    text: 'The input gives no byte beyond `CONTENT_LENGTH`: there it ends.',
  },
  'INPUT-03': {
    binds: 'application',
    level: 'error',
    text: 'A size is a whole number of bytes; left out, null or negative it means all that is left. 0 gives nothing and consumes nothing.',
  },
  'L-23': { binds: 'application', level: 'error', text: '`read` takes at most one argument.' },
  'L-24': { binds: 'application', level: 'error', text: '`readline` and `readlines` take at most one argument.' },
  'INPUT-04': {
    binds: 'gateway, middleware',
    level: 'error',
    text: 'At the end every method gives nothing, every time: an empty array of bytes is never followed by more.',
  },
  'INPUT-07': { binds: 'application', level: 'error', text: 'An application never closes the input.' },
  'L-27': { binds: 'application', level: 'error', text: 'An application uses no other member of `wsgi.input`.' },
  'L-25': {
    binds: 'gateway, middleware',
    level: 'error',
    text: '`read` and `readline` give a promise of a `Uint8Array`, no longer than the size; `readlines` one of an array of them.',
  },
  'L-26': {
    binds: 'gateway, middleware',
    level: 'error',
    text: 'Iteration, `readline` and `readlines` give whole lines: one `\\n` at the most, and at the end.',
  },
  'INPUT-10': {
    binds: 'gateway, middleware',
    level: 'error',
    text: '`wsgi.input_terminated` is true: the input ends by itself.',
  },
  'INPUT-11': { binds: 'application', level: 'warning', text: 'One read is awaited before the next begins.' },
  'INPUT-12': {
    binds: 'gateway, middleware',
    level: 'error',
    text: 'A body that ends before `CONTENT_LENGTH` is an error, not an end.',
  },
  'LOG-01': {
    binds: 'gateway, middleware',
    level: 'error',
    text: '`wsgi.errors` has `write`, `writelines` and `flush`.',
  },
  'LOG-05': {
    binds: 'application',
    level: 'error',
    text: 'An application never closes `wsgi.errors` and uses no other member of it.',
  },
  'L-28': {
    binds: 'application',
    level: 'error',
    text: '`wsgi.errors` takes strings: turn errors and bytes into text first.',
  },
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

/** The id of a rule that the validator checks. */
export type RuleId = keyof typeof RULES;
