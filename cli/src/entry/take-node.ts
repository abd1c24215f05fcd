// Imported by the build of a program that calls `listen()`, ahead of the program: takes its server.

import { takeNodeServers } from './node-servers.ts';
import type { Taking } from './taking.ts';

export const taking: Taking = takeNodeServers();
