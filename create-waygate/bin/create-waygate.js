#!/usr/bin/env node
// `npm create waygate`: the `init` of the waygate command.
import { command } from 'waygate-cli/command';

await command(['init', ...process.argv.slice(2)]);
