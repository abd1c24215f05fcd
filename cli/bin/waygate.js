#!/usr/bin/env node
import { command } from '../dist/main.js';

await command();
