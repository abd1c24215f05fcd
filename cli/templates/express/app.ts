import express from 'express';

const app = express();

app.get('/', (_request, response) => {
  response.type('text').send('Hello from Waygate!\n');
});

app.post('/echo', express.raw({ type: () => true }), (request, response) => {
  response.type(request.get('content-type') ?? 'application/octet-stream').send(request.body);
});

export default app;
