// Loaded ahead of everything else: Sentry watches each request of node:http, as in production. Nothing listens at its address.

const Sentry = require('@sentry/node');

Sentry.init({ dsn: 'http://key@127.0.0.1:9/1', tracesSampleRate: 1, sendDefaultPii: true });
