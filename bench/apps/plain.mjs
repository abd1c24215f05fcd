// The smallest application.

const page = new TextEncoder().encode('Hello, world!\n');

export default (_environ, startResponse) => {
  startResponse('200 OK', [['Content-Type', 'text/plain']]);
  return [page];
};
