// A Netlify Function: parts of the conformance suite, and an application that answers with its environ.

import { type NetlifyContext, toNetlify } from '../../../adapters/fetch/presets/netlify/index.ts';
import { type Outcome, runEntry } from '../runtimes/suite.ts';
import { netlify } from './capabilities.ts';
import { shown } from './shown.ts';
import { calledEntries } from './suite-function.ts';

const show = toNetlify(shown);

export default async (request: Request, context: NetlifyContext): Promise<Response> => {
  const { pathname } = new URL(request.url);
  const [, from, to] = /^\/runs\/([0-9]+)-([0-9]+)$/.exec(pathname) ?? [];
  if (from === undefined) return show(request, context);
  // `netlify dev` starts a worker for each request: many tests in one.
  const entries = calledEntries(netlify, toNetlify, () => context);
  const outcomes: Outcome[] = [];
  for (let index = Number(from); index < Math.min(Number(to), entries.length); index++) {
    outcomes.push(await (await runEntry(entries, `/run/${index}`)).json());
  }
  return Response.json(outcomes);
};

export const config = { path: '/*' };
