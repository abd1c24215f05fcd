// Loaded ahead of everything else: OpenTelemetry traces each request of node:http, as in production.

const { registerInstrumentations } = require('@opentelemetry/instrumentation');
const { HttpInstrumentation } = require('@opentelemetry/instrumentation-http');
const { NodeTracerProvider } = require('@opentelemetry/sdk-trace-node');

// The tests' own clients say to the byte what they send: nothing is added to that.
const outgoing = { ignoreOutgoingRequestHook: () => true };

new NodeTracerProvider().register();
registerInstrumentations({ instrumentations: [new HttpInstrumentation(outgoing)] });
