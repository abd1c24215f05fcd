import { type Application, encode } from 'waygate';

const app: Application = async (environ, startResponse) => {
  const { REQUEST_METHOD: method, PATH_INFO: path } = environ;
  if (path === '/' && (method === 'GET' || method === 'HEAD')) {
    startResponse('200 OK', [['Content-Type', 'text/plain; charset=utf-8']]);
    return [encode('Hello from Waygate!\n')];
  }
  if (path === '/echo' && method === 'POST') {
    const body = await environ['wsgi.input'].bytes();
    startResponse('200 OK', [['Content-Type', environ.CONTENT_TYPE ?? 'application/octet-stream']]);
    return [body];
  }
  startResponse('404 Not Found', [['Content-Type', 'text/plain; charset=utf-8']]);
  return [encode('There is nothing here.\n')];
};

export default app;
