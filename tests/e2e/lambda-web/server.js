// A Web Function without Waygate: what it does is all that a test of the endpoint has to know. It is CommonJS, as an index.js
// without a package.json is.
const http = require('node:http');

const [host, port] = process.env.AWS_LAMBDA_HTTP_ENDPOINT.split(':');
const held = [];

const server = http.createServer({ maxHeaderSize: 1024 * 1024 }, async (request, response) => {
  const path = request.url.split('?')[0];
  if (path === '/crash') process.exit(3);
  if (path === '/hang') return;
  if (path === '/hold') {
    held.push(() => response.end(String(process.pid)));
    return;
  }
  if (path === '/release') for (const release of held.splice(0)) release();
  if (path === '/begin') {
    response.writeHead(200);
    response.write('begun');
    return;
  }
  if (path === '/connection') {
    const named = { Connection: 'X-Private', 'X-Private': '1', 'Keep-Alive': 'timeout=1', 'Proxy-Connection': 'close' };
    response.writeHead(200, { ...named, Trailer: 'X-Sum', 'X-Kept': '1', 'lambda-web-request-id': 'mine' });
    response.write('body');
    response.addTrailers({ 'X-Sum': '1' });
    response.end();
    return;
  }
  if (path === '/early') {
    response.writeHead(201, { 'X-Early': '1' });
    response.flushHeaders();
  }
  let length = 0;
  for await (const chunk of request) length += chunk.length;
  const { method, url, rawHeaders, trailers } = request;
  const { AWS_LAMBDA_HTTP_ENDPOINT: endpoint, PORT, AWS_LAMBDA_FUNCTION_NAME } = process.env;
  const env = { endpoint, PORT, AWS_LAMBDA_FUNCTION_NAME, cwd: process.cwd() };
  response.end(JSON.stringify({ method, url, rawHeaders, trailers, length, env }));
});
server.maxHeadersCount = 0;
server.listen(Number(port), host);
process.on('SIGTERM', () => console.log('SIGTERM of', process.pid));
