// The command line: every command with its arguments, its options and its help. docs/cli.md shows the same help.

import { readFileSync } from 'node:fs';
import { Command, InvalidArgumentError, Option } from 'commander';
import { buildCommand } from './build.ts';
import type { BuildOptions } from './build-options.ts';
import { type CheckOptions, checkCommand } from './check.ts';
import { APP, addEnvFile, collect, kindOption, portNumber } from './command-options.ts';
import { type DeployOptions, deployCommand } from './deploy.ts';
import { loadEnvFiles } from './env-file.ts';
import { type EventOptions, eventCommand } from './event.ts';
import { type FetchOptions, fetchCommand } from './fetch.ts';
import { DEFAULT_SOURCE } from './handler.ts';
import { INIT_TEMPLATES, type InitOptions, initCommand } from './init.ts';
import { type InvokeOptions, invokeCommand } from './invoke.ts';
import { RUN_KINDS } from './kind.ts';
import type { Output } from './output.ts';
import { PLATFORMS, SOURCES, spelledSource } from './platform.ts';
import { addRecorded } from './recorded/commands.ts';
import { serveCommand } from './serve.ts';
import type { ServeOptions } from './serve-options.ts';
import { TARGETS } from './targets.ts';
import { EVENT_SOURCES, type EventSource } from './template-sources.ts';
import { ARCHITECTURES, AUTH_TYPES, isRuntime } from './templates.ts';
import { LIMITS } from './web-function/rules.ts';

/** How wide help is where there is no terminal, in columns. */
const HELP_WIDTH = 100;

/** The whole command line, ready to be parsed. It throws commander's errors instead of ending the process. */
export function createProgram(output: Output): Command {
  const { io } = output;
  const program = new Command('waygate')
    .description('Serve, check, build and deploy applications written for Waygate: WSGI (PEP 3333) for TypeScript.')
    .version(version(), '-V, --version', 'print the version')
    .option('--verbose', 'show stacks and details of errors')
    .helpOption('-h, --help', 'print this help')
    .helpCommand('help [command]', 'print the help of a command')
    .configureHelp({ showGlobalOptions: true })
    .showSuggestionAfterError()
    .configureOutput({
      writeOut: (text) => io.stdout.write(text),
      writeErr: (text) => io.stderr.write(text),
      outputError: (text) => void output.fail(text.replace(/^error: /, '')),
      getOutHelpWidth: () => io.stdout.columns ?? HELP_WIDTH,
      getErrHelpWidth: () => io.stderr.columns ?? HELP_WIDTH,
      getOutHasColors: () => output.colors.isColorSupported,
      getErrHasColors: () => output.errorColors.isColorSupported,
    })
    .exitOverride()
    .hook('preAction', async (_program, command) => {
      const { envFile = [] } = command.opts<{ envFile?: string[] }>();
      await loadEnvFiles(envFile, io);
    });
  addServe(program, output);
  addFetch(program, output);
  addEvent(program, output);
  addInvoke(program, output);
  addCheck(program, output);
  addRecorded(program, output);
  addBuild(program, output);
  addDeploy(program, output);
  addInit(program, output);
  return program;
}

function addServe(program: Command, output: Output): void {
  const command = program
    .command('serve')
    .summary('serve an app on this machine')
    .description(
      'Serve an app on this machine. With --platform every request goes through the conversion of that platform: as the ' +
        'event that Lambda would get, in workerd for Workers, in a process of its own for a Web Function.',
    )
    .argument('<app>', APP)
    .option(
      '-p, --port <number>',
      'port to listen on; 0 for any free one (default: PORT of the environment, else 8000)',
      portNumber,
    )
    .option('-H, --host <address>', 'address to listen on; 0.0.0.0 for all of this machine', '127.0.0.1');
  addPlatformOptions(command)
    .option('--validate', 'check the app and every request against the contract', false)
    .option('-w, --watch', 'restart when a file of the app changes; running requests finish first', false)
    .option('--processes <number>', 'number of processes to serve from', processes, 1)
    .option('--tls', 'serve HTTPS, with a certificate made for this run unless --cert and --key give one', false)
    .option('--cert <file>', 'certificate for HTTPS, PEM')
    .option('--key <file>', 'private key of the certificate, PEM')
    .option('--http2', 'speak HTTP/2, with HTTPS beside HTTP/1.1', false)
    .option('--light-fetch', 'replace Response, Request, Headers and fetch by the light classes', false)
    .option('--inspect', 'show every request, its conversion and its response on a page', false)
    .option(
      '--inspect-port <number>',
      'port of that page; 0 for any free one (default: the one after --port)',
      portNumber,
    )
    .option(
      '--timeout <seconds>',
      'lambda:web: how long a request may take (default: 30)',
      within('seconds', LIMITS.timeout),
    )
    .option(
      '--max-concurrency <number>',
      'lambda:web: how many requests a process has at a time (default: 64)',
      within('requests', LIMITS.concurrency),
    )
    .option('--open', 'show the URL in a browser', false)
    .option('-q, --quiet', 'no access log', false)
    .action((app: string, options: ServeOptions) => serveCommand(app, options, output));
}

function addFetch(program: Command, output: Output): void {
  const command = program
    .command('fetch')
    .summary('send one request to an app, without a server')
    .description('Send one request to an app and print the response, like curl but without a server.')
    .argument('<app>', APP)
    .argument('<url>', 'path with its query, exactly as sent, or a URL');
  addRequestOptions(command.option('-X, --request <method>', 'request method (default: GET, or POST with --data)'))
    .option('-i, --include', 'print the head ahead of the body', false)
    .option('-I, --head', 'send HEAD and print the head', false)
    .option('-o, --output <file>', 'write the body to a file')
    .option('-f, --fail', `end with exit code 22 for a status of 400 or above`, false);
  addPlatformOptions(command)
    .option('--validate', 'check the app and the request against the contract', false)
    .action((app: string, url: string, options: FetchOptions) => fetchCommand(app, url, options, output));
}

function addEvent(program: Command, output: Output): void {
  const command = program
    .command('event')
    .summary('print the event that Lambda would get for a request')
    .description('Print the event that a Lambda function would get from an event source for a request, as JSON.')
    .argument('<source>', `event source: ${SOURCES.join(', ')}`)
    .argument('<method>', 'request method')
    .argument('<url>', 'path with its query, exactly as a client would send it, or a URL');
  addRequestOptions(command)
    .option('--stage <name>', 'lambda:rest-api, lambda:http-api: named stage, which precedes the path')
    .addOption(payloadOption('lambda:http-api: payload format of the integration'))
    .option('--multi-value-headers', 'lambda:alb: the target group has multi-value headers', false)
    .option('--viewer-request', 'lambda:edge: the function stands at the viewer request, not the origin request', false)
    .addHelpText(
      'after',
      '\nExample: waygate event lambda:http-api POST /users -d name=Ada | waygate invoke app.ts --event -',
    )
    .action((source: string, method: string, url: string, options: EventOptions) =>
      eventCommand(source, method, url, options, output),
    );
}

function addInvoke(program: Command, output: Output): void {
  const command = program
    .command('invoke')
    .summary('call an app as Lambda would, and print the result')
    .description(
      'Call an app with an event, as Lambda would, and print the result as JSON. A module without an app may export a ' +
        'Lambda function as `handler` instead.',
    )
    .argument('<app>', APP)
    .requiredOption('-e, --event <file>', 'JSON file of the event; - for standard input');
  addEnvFile(command)
    .addOption(kindOption())
    .option('--stream', 'stream the response: prints its metadata, an empty line and the body', false)
    .action((app: string, options: InvokeOptions) => invokeCommand(app, options, output));
}

function addCheck(program: Command, output: Output): void {
  const command = program
    .command('check')
    .summary('send an app requests of every kind and report what breaks the contract')
    .description(
      'Send an app requests of every kind, good and bad, with the validator on both sides, and report what breaks a rule ' +
        'of the contract. Ends with exit code 1 when something was found.',
    )
    .argument('<app>', APP)
    .argument('[paths...]', 'paths of the app to look at', ['/']);
  addPlatformOptions(command)
    .option(
      '--fidelity',
      'judge a Lambda handler or a Worker by what AWS and Cloudflare send and accept; --source all implies it',
      false,
    )
    .option('--json', '--fidelity: print JSON instead of a table', false)
    .option('--junit <file>', "--fidelity: write JUnit's XML to a file")
    .addHelpText('after', '\nExample: waygate check handler.mjs --source all')
    .action((app: string, paths: string[], options: CheckOptions) => checkCommand(app, paths, options, output));
}

function addBuild(program: Command, output: Output): void {
  const command = program
    .command('build')
    .summary('make the files to upload: one minified module and its configuration')
    .description(
      'Bundle an app for a target into one minified ES module with a source map. For lambda there is a function.zip, the ' +
        'same byte for byte each time, and a template.yaml; for lambda-web also a folder to upload; for workers a ' +
        'wrangler.toml; for the other platforms what their own tools take.',
    )
    .argument('<app>', APP);
  addBuildOptions(command, Object.keys(TARGETS)).action(async (app: string, options: BuildOptions) => {
    // Within `waygate deploy` and `serve` wrangler runs the `[build]` of its configuration: what it makes is there already.
    if (output.io.env.WAYGATE_BUILT === '1' && options.target === 'workers') return;
    await buildCommand(app, options, output);
  });
}

function addDeploy(program: Command, output: Output): void {
  const command = program
    .command('deploy')
    .summary('build an app and hand it over to wrangler, sam or aws')
    .description(
      'Build an app, then run the platform’s own tool, whose command is printed: wrangler for workers, sam for lambda, ' +
        'aws for lambda-web and with --function-name. A wrangler.toml or template.yaml in the current folder is used before ' +
        'the built one.',
    )
    .argument('<app>', APP)
    .argument('[arguments...]', 'after --: arguments for the tool');
  addBuildOptions(command, ['lambda', 'lambda-edge', 'lambda-web', 'workers'])
    .option('--function-name <name>', 'lambda: only update the code of this function, with aws')
    .option('--dry-run', 'build, and print the command without running it', false)
    .action((app: string, rest: string[], options: DeployOptions) => deployCommand(app, rest, options, output));
}

function addInit(program: Command, output: Output): void {
  program
    .command('init')
    .summary('write a small app with a test and the configuration to deploy it')
    .description(
      'Write a small app with a test, and the configuration to deploy it. In a folder that has some of these files, only ' +
        'the others are written: nothing is overwritten.',
    )
    .argument('[folder]', 'folder to write to; created if it is missing', '.')
    .addOption(
      new Option('--template <name>', 'what the app is made with, or where it is deployed')
        .choices(INIT_TEMPLATES)
        .default('app'),
    )
    .action((folder: string, options: InitOptions) => initCommand(folder, options, output));
}

function addPlatformOptions(command: Command): Command {
  return addEnvFile(command)
    .addOption(kindOption(RUN_KINDS))
    .addOption(
      new Option('--source <name>', `--kind lambda: what calls the handler: ${SOURCES.join(', ')}`).default(
        undefined,
        DEFAULT_SOURCE,
      ),
    )
    .option('--platform <name>', `run through this platform: ${PLATFORMS.join(', ')}`, 'node')
    .option('--stream', 'lambda:function-url, lambda:rest-api: stream the response', false)
    .option('--stage <name>', 'lambda:rest-api, lambda:http-api: named stage, which precedes the path')
    .addOption(payloadOption('lambda:http-api: payload format of the integration'))
    .option('--multi-value-headers', 'lambda:alb: the target group has multi-value headers', false);
}

function payloadOption(description: string): Option {
  return new Option('--payload <version>', description).choices(['1.0', '2.0']);
}

function addRequestOptions(command: Command): Command {
  return command
    .option(
      '-d, --data <data>',
      'request body: text, @file, or @- for standard input; several are joined with &',
      collect,
    )
    .option('-H, --header <line>', 'request header, "Name: value"; may be repeated', collect);
}

function addBuildOptions(command: Command, targets: readonly string[]): Command {
  return command
    .addOption(
      new Option('-t, --target <name>', 'platform that the app will run on').choices(targets).makeOptionMandatory(),
    )
    .option('-o, --out <folder>', 'folder for the result (default: dist/<target>)')
    .option('--name <name>', 'name of the Worker or the stack (default: that of package.json)')
    .addOption(kindOption())
    .option('--external <package>', 'package that is not bundled but imported where it runs; may be repeated', collect)
    .option('--include <path>', 'file or folder to pack with the bundle, at its place; may be repeated', collect)
    .option('--no-bundle', 'pack the packages that are used as node_modules, instead of bundling them')
    .option(
      '--no-light-fetch',
      "lambda, lambda-edge, lambda-web, node: leave a Fetch app the classes of Node's own fetch",
    )
    .addOption(
      new Option(
        '--source <name>',
        `lambda: event source in the template: ${EVENT_SOURCES.map(spelledSource).join(', ')} (default: lambda:function-url)`,
      ).argParser(templateSource),
    )
    .option('--stream', 'lambda: stream responses, behind a function-url or a rest-api')
    .addOption(
      new Option(
        '--auth-type <type>',
        'lambda-web: who may call the endpoint: everybody, or who signs for AWS',
      ).choices(AUTH_TYPES),
    )
    .option('--runtime <name>', 'lambda, lambda-edge: runtime in the template (default: nodejs24.x)', runtimeName)
    .addOption(new Option('--arch <name>', 'lambda: processor in the template (default: arm64)').choices(ARCHITECTURES))
    .option('--memory <number>', 'lambda, lambda-edge: memory in the template, in MB (default: 512, 128)', memorySize);
}

function runtimeName(text: string): string {
  if (isRuntime(text)) return text;
  throw new InvalidArgumentError('Expected a runtime of Node 20 or later, such as nodejs22.x.');
}

function memorySize(text: string): number {
  const size = Number(text);
  if (/^\d+$/.test(text) && size >= 128 && size <= 10_240) return size;
  throw new InvalidArgumentError('Expected a size in MB, 128 to 10240.');
}

/** The event source of a template, from the one spelling that the command line has for it. */
function templateSource(text: string): EventSource {
  const found = EVENT_SOURCES.find((each) => spelledSource(each) === text);
  if (found !== undefined) return found;
  throw new InvalidArgumentError(`Expected ${EVENT_SOURCES.map(spelledSource).join(', ')}.`);
}

function within(what: string, { least, most }: { least: number; most: number }): (text: string) => number {
  return (text) => {
    const number = Number(text);
    if (/^\d+$/.test(text) && number >= least && number <= most) return number;
    throw new InvalidArgumentError(`Expected a number of ${what}, ${least} to ${most}.`);
  };
}

function processes(text: string): number {
  const number = Number(text);
  if (/^\d+$/.test(text) && number >= 1 && number <= 256) return number;
  throw new InvalidArgumentError('Expected a number of processes, 1 to 256.');
}

function version(): string {
  const manifest = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')) as { version: string };
  return manifest.version;
}
