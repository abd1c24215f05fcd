// The smallest Express app.

import express from 'express';

const app = express();
app.get('/hello', (_request, response) => void response.type('text/plain').send('Hello, world!\n'));

export default app;
