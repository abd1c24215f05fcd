// Buffered responses: REST API, HTTP API, Function URL, ALB, VPC Lattice, Lambda@Edge.

import { toLambda } from 'waygate/aws-lambda';
import app from './app.ts';

export const handler = toLambda(app);
