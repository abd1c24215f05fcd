// The hello example as a Vercel Edge Function: api/index.ts of a project there.

import { toVercel } from 'waygate/vercel';
import app from '../hello/app.ts';

export const config = { runtime: 'edge' };

const { fetch } = toVercel(app);
export default fetch;
