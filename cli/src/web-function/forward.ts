// Hands a request to an environment and its response back, as the endpoint of a Web Function does.

import http, { type IncomingMessage, type ServerResponse } from 'node:http';
import { headerLines, sendHead } from '../raw-headers.ts';
import { reply } from './reply.ts';
import { brokenAnswer, forwardedHeaders, returnedHeaders, timeoutAnswer } from './rules.ts';

/** Where a request goes. */
export interface Destination {
  port: number;
  agent: http.Agent;
  /** How long the request may take, in seconds. */
  timeout: number;
  requestId: string;
  logStream: string;
}

/**
 * The whole request is sent before a byte of the response is read. A response that begins earlier waits. An application
 * that reads on only once its response is read waits until the timeout.
 * https://docs.aws.amazon.com/lambda/latest/dg/web-functions-http.html
 */
export function forward(request: IncomingMessage, response: ServerResponse, destination: Destination): void {
  const { port, agent, timeout, requestId, logStream } = destination;
  const { method, url: path } = request;
  const outgoing = http.request({ host: '127.0.0.1', port, method, path, agent, setHost: false });
  for (const [name, value] of forwardedHeaders(headerLines(request.rawHeaders), clientOf(request), requestId)) {
    outgoing.appendHeader(name, value);
  }
  // A body whose length is not known goes on as one, whatever the method; Node would give one to a request that has none.
  if (request.headers['transfer-encoding'] !== undefined) outgoing.setHeader('transfer-encoding', 'chunked');
  else if (request.headers['content-length'] === undefined) {
    outgoing.removeHeader('transfer-encoding');
    outgoing.removeHeader('content-length');
  }
  const limit = setTimeout(() => {
    // The client gets no more of a response that has begun.
    if (response.headersSent) response.destroy();
    else reply(response, timeoutAnswer(timeout), requestId);
    outgoing.destroy();
  }, timeout * 1000);
  response.once('close', () => {
    clearTimeout(limit);
    if (!response.writableFinished) outgoing.destroy();
  });

  let isSent = false;
  let received: IncomingMessage | undefined;
  const giveBack = (): void => {
    if (!isSent || received === undefined || response.headersSent || response.destroyed) return;
    const { statusCode = 502, statusMessage, rawHeaders } = received;
    const added = { 'lambda-web-request-id': requestId, 'lambda-web-logstream': logStream };
    response.writeHead(statusCode, statusMessage, returnedHeaders(headerLines(rawHeaders), added).flat());
    sendHead(response);
    received.on('error', () => response.destroy());
    received.pipe(response);
  };
  outgoing.once('finish', () => {
    isSent = true;
    giveBack();
  });
  outgoing.once('response', (incoming) => {
    received = incoming;
    incoming.once('error', () => {});
    giveBack();
  });
  outgoing.once('error', (error) => {
    if (response.headersSent) {
      if (!response.writableEnded) response.destroy();
      return;
    }
    // The application has closed the connection on what was still being sent: all that it will ever say is here.
    if (received !== undefined) {
      isSent = true;
      giveBack();
    } else reply(response, brokenAnswer(error.message), requestId);
  });
  request.pipe(outgoing);
}

function clientOf({ socket: { remoteAddress = '' } }: IncomingMessage): string {
  return remoteAddress.replace(/^::ffff:(?=.*\.)/, '');
}
