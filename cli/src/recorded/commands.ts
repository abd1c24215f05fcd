// The commands about recorded requests: `record`, `diff` and `test-events`.

import { type Command, Option } from 'commander';
import { APP, addEnvFile, kindOption, portNumber } from '../command-options.ts';
import { DEFAULT_SOURCE } from '../handler.ts';
import { RUN_KINDS } from '../kind.ts';
import type { Output } from '../output.ts';
import { type DiffOptions, diffCommand } from './diff.ts';
import { type RecordOptions, recordCommand } from './record.ts';
import { type TestEventsOptions, testEventsCommand } from './test-events.ts';

/** Where fixtures stand unless told otherwise. */
const FIXTURES = 'fixtures';

/** Adds the three commands. */
export function addRecorded(program: Command, output: Output): void {
  addRecord(program, output);
  addDiff(program, output);
  addTestEvents(program, output);
}

function addRecord(program: Command, output: Output): void {
  const command = program
    .command('record')
    .summary('serve an app and write each request as a fixture')
    .description(
      'Serve an app on this machine and write each request and its response as a file of JSON. Secrets are masked: the ' +
        'values of Authorization, of cookies and the like.',
    )
    .argument('<app>', APP)
    .option('-p, --port <number>', 'port to listen on; 0 for any free one (default: 8000)', portNumber)
    .option('-H, --host <address>', 'address to listen on', '127.0.0.1')
    .option('-o, --out <folder>', 'folder for the files', FIXTURES)
    .option('--secrets', 'keep secrets as they are', false)
    .option('-q, --quiet', 'no access log', false);
  addEnvFile(command)
    .addOption(kindOption(RUN_KINDS))
    .addOption(new Option('--source <name>', `--kind lambda: what calls the handler (default: ${DEFAULT_SOURCE})`))
    .action((app: string, options: RecordOptions) => recordCommand(app, options, output));
}

function addDiff(program: Command, output: Output): void {
  const command = program
    .command('diff')
    .summary('run recorded requests on every platform and print where they differ')
    .description(
      'Run the requests of HAR files or fixtures on every platform and print where the app sees, or the client gets, ' +
        'something else. Ends with exit code 1 for a difference that no platform is known to make.',
    )
    .argument('<app>', APP)
    .argument('[files...]', 'HAR files, fixtures, or folders of them', [FIXTURES]);
  addEnvFile(command)
    .addOption(kindOption(RUN_KINDS))
    .option('--json', 'print JSON', false)
    .action((app: string, files: string[], options: DiffOptions) => diffCommand(app, files, options, output));
}

function addTestEvents(program: Command, output: Output): void {
  program
    .command('test-events')
    .summary('list recorded requests, or print their events')
    .description('List the requests of HAR files or fixtures, or print the event that Lambda would get for each.')
    .argument('[files...]', 'HAR files, fixtures, or folders of them', [FIXTURES])
    .option('--source <name>', 'print the events of this event source, a line of JSON each')
    .addHelpText(
      'after',
      '\nExample: waygate test-events fixtures/0001-get.json --source lambda:alb | waygate invoke app.ts --event -',
    )
    .action((files: string[], options: TestEventsOptions) => testEventsCommand(files, options, output));
}
