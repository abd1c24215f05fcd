// The rules of calling an application, of environ, of `wsgi.input` and of `wsgi.errors`, in the order of docs/contract.md.

/** Id → whom it binds, how its breach is reported, and what holds where it is kept. */
export const REQUEST_RULES = {
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
} as const;
