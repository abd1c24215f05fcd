#!/usr/bin/env node
// A CGI script: the hello example, for any web server that runs CGI programs.

import hello from '../hello/app.ts';
import { serveCgi } from './cgi.ts';

await serveCgi(hello);
