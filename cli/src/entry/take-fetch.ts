// Imported by the build of a program that calls `Deno.serve` or `Bun.serve`, ahead of the program: takes its server.

import { Taking } from './taking.ts';

export const taking: Taking = new Taking();
