// The hello example as a Vercel Function on Node: api/index.ts of a project there.

import { toVercel } from 'waygate/vercel';
import app from '../hello/app.ts';

export default toVercel(app);
