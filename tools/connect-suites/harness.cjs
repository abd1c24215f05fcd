// @ts-nocheck: the packages under test bring their own loose shapes.
// Loaded ahead of a connect package's own tests: puts the middleware that the package makes around a Waygate application.
// The suite's handler is the application inside: toConnect takes the request from the suite's server and calls the handler,
// fromConnect holds the tested middleware, and copied environs see to it that nothing is handed through natively.

const Module = require('node:module');
const { sep } = require('node:path');
const { IncomingMessage } = require('node:http');

const { WAYGATE, SUITE } = process.env;
const { fromConnect, fromNode, toConnect, toNode } = require(WAYGATE);

const copies = (app) => (environ, startResponse) =>
  app({ ...environ }, (status, headers, ...error) => startResponse(status, headers, ...error));
const errors = () => {};

let requests = 0;
process.on('exit', () => console.log(`through Waygate: ${requests} requests`));

/** The tested middleware, called as a connect function. */
function through(tested) {
  return (request, response, next) => {
    // Some tests call it with objects of their own, which no server has made.
    if (!(request instanceof IncomingMessage)) return tested(request, response, next);
    requests++;
    let failure;
    let hasPassed = false;
    const takesErrors = (error, _request, _response, goOn) => {
      if (hasPassed) return next(error);
      failure = error;
      goOn();
    };
    const passes = (_request, _response, goOn) => goOn();
    const middleware = (app) => copies(fromConnect(tested, takesErrors, passes)(copies(app)));
    toConnect(middleware, { errors })(request, response, (error) => {
      hasPassed = true;
      next(error ?? failure);
    });
  };
}

/** A connect app, called by a server: what it leaves is a 404, and its errors are pages, as connect has it. */
function throughApp(app) {
  const finalhandler = require(Module.createRequire(`${SUITE}${sep}index.js`).resolve('finalhandler'));
  const notFound = fromNode((request, response) => finalhandler(request, response)());
  const options = {
    onerror: (error) => {
      if (app.env !== 'test' && process.env.NODE_ENV !== 'test') console.error(error.stack);
    },
  };
  const fails = (error, request, response, _next) => finalhandler(request, response, options)(error);
  const middleware = fromConnect((request, response, next) => app(request, response, next), fails);
  const listener = toNode(copies(middleware(notFound)), { errors });
  return new Proxy(app, {
    apply(target, self, args) {
      if (args.length > 2 || !(args[0] instanceof IncomingMessage)) return Reflect.apply(target, self, args);
      requests++;
      return listener(args[0], args[1]);
    },
  });
}

module.exports = { through };

const load = Module._load;
Module._load = function (name, parent, ...rest) {
  const loaded = load.call(this, name, parent, ...rest);
  const from = parent?.filename ?? '';
  if (typeof loaded !== 'function' || !from.startsWith(`${SUITE}${sep}test${sep}`)) return loaded;
  let file;
  try {
    file = Module._resolveFilename(name, parent);
  } catch {
    return loaded;
  }
  // The package itself, and none of its parts.
  if (file !== require.resolve(SUITE)) return loaded;
  return new Proxy(loaded, {
    apply(target, self, args) {
      const made = Reflect.apply(target, self, args);
      if (typeof made !== 'function') return made;
      return typeof made.handle === 'function' ? throughApp(made) : through(made);
    },
  });
};
