// `waygate deploy`: builds, then hands over to the platform's own tool, whose command it prints.

import { spawn } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { type Built, buildCommand } from './build.ts';
import { type BuildOptions, checkBuildOptions, withoutEffect } from './build-options.ts';
import { findFile, shownPath } from './bundle.ts';
import { CommandError, errorCode, usageError } from './errors.ts';
import type { Output } from './output.ts';
import { spelledSource } from './platform.ts';
import { templateFunctions } from './sam-template.ts';
import { quoted } from './shell.ts';
import { SOURCE_PARAMETERS } from './template-sources.ts';
import { ENTRY } from './web-function/files.ts';
import { projectFile, wranglerConfigOf, wranglerFile } from './wrangler.ts';

/** The names of the project's own SAM template, in the order in which sam looks for them. */
export const SAM_TEMPLATES: readonly string[] = ['template.yaml', 'template.yml', 'template.json'];
/** What only the built template would show. */
const TEMPLATE_CHOICES = ['source', 'runtime', 'arch', 'memory'] as const;

/** The AWS CLI. */
const AWS_MISSING =
  'install the AWS CLI: https://docs.aws.amazon.com/cli/latest/userguide/getting-started-install.html';

/** Options of `waygate deploy`. */
export interface DeployOptions extends BuildOptions {
  /** Whether the command is only printed. */
  dryRun: boolean;
  /** `lambda`: an existing function that only gets new code, by `aws` instead of `sam`. */
  functionName?: string;
}

/** A command line of another tool. */
interface ToolCommand {
  /** How it is shown and, unless `file` says otherwise, found. */
  name: string;
  /** What is run, where that is not found by its name. */
  file?: string[];
  args: string[];
  /** What to do when it is not there. */
  missing: string;
}

/**
 * Builds and deploys.
 *
 * @param rest arguments handed on to the tool
 * @throws {CommandError} when there is nothing to deploy to, the tool is missing, or it fails
 */
export async function deployCommand(
  path: string,
  rest: readonly string[],
  options: DeployOptions,
  output: Output,
): Promise<void> {
  const { cwd } = output.io;
  await findFile(path, cwd);
  checkBuildOptions(options);
  const { target, functionName } = options;
  if (functionName !== undefined && target !== 'lambda') {
    const instead = target === 'lambda-web' ? 'a Web Function is named with --name' : `${target} has no such choice`;
    throw usageError(`--function-name is for the target lambda; ${instead}.`);
  }
  const tool = await toolOf(options, rest, cwd);
  const built = await buildCommand(path, options, output);
  const command = tool?.(built) ?? (await wrangler(built, path, options, rest, output));
  command.args.push(...rest);
  output.print(`${output.colors.dim('$')} ${[command.name, ...command.args].map(quoted).join(' ')}`);
  if (!options.dryRun) await runTool(command, output);
}

/** What makes the command line of a tool of what was built; undefined for wrangler. */
async function toolOf(
  options: DeployOptions,
  rest: readonly string[],
  cwd: string,
): Promise<((built: Built) => ToolCommand) | undefined> {
  if (options.target === 'workers') return undefined;
  return options.target === 'lambda-web'
    ? (built) => webFunctionCommand(built, options, cwd)
    : lambdaTool(options, rest, cwd);
}

/**
 * Creates the function or gives it a new revision. Who may call it is never left to a default. Without --auth-type an
 * existing endpoint stays as it is, and a new function is made only after a question.
 * https://docs.aws.amazon.com/cli/latest/reference/lambda-web/deploy.html
 */
function webFunctionCommand({ code, name, packed }: Built, { authType }: DeployOptions, cwd: string): ToolCommand {
  // A packed package.json may name another entry.
  const args = ['lambda-web', 'deploy', '--name', name, '--code', shownPath(code, cwd), '--entry-point', ENTRY];
  if (authType !== undefined) args.push('--create', '--auth-type', authType);
  if (packed.some((file) => /(?:^|\/)\./.test(file.name))) args.push('--include-hidden-files');
  return { name: 'aws', args, missing: AWS_MISSING };
}

async function wrangler(
  built: Built,
  path: string,
  options: DeployOptions,
  rest: readonly string[],
  output: Output,
): Promise<ToolCommand> {
  const { cwd } = output.io;
  const config = await wranglerConfigOf(built, cwd, rest);
  const args = ['deploy', shownPath(built.main, cwd), '--config', config];
  // The project's own configuration has another name, or that of production.
  if (options.name !== undefined && resolve(cwd, config) !== built.config) args.push('--name', options.name);
  return {
    name: 'wrangler',
    file: wranglerFile(join(cwd, path)),
    args,
    missing: 'install it with `npm install --save-dev wrangler`',
  };
}

/**
 * The tool for Lambda. What it would ignore is refused before anything is built.
 *
 * @returns what makes its command line of what was built
 */
async function lambdaTool(
  options: DeployOptions,
  rest: readonly string[],
  cwd: string,
): Promise<(built: Built) => ToolCommand> {
  const edge = options.target === 'lambda-edge';
  const { functionName } = options;
  if (functionName !== undefined) {
    const choices = ['name', 'source', 'runtime', 'memory'] as const;
    const error = withoutEffect(options, choices, 'with --function-name only the code of the function is replaced');
    if (error !== undefined) throw error;
    return (built) => awsCommand(built, functionName, options, cwd);
  }
  const own = edge ? undefined : projectFile(SAM_TEMPLATES, cwd);
  if (own !== undefined) await checkTemplate(own, options, cwd);
  else checkParameters(options, rest, cwd);
  return (built) => samCommand(built, own, edge, cwd);
}

/** Refuses what the project's own template decides, and a template that would deploy something else than what is built. */
async function checkTemplate(own: string, options: DeployOptions, cwd: string): Promise<void> {
  const because = `${own} of this folder is what is deployed, and it decides that. Change it there`;
  const error = withoutEffect(options, TEMPLATE_CHOICES, because);
  if (error !== undefined) throw error;
  const functions = templateFunctions(own, await readFile(resolve(cwd, own), 'utf8'), cwd);
  const folder = resolve(cwd, options.out ?? join('dist', options.target));
  const zip = join(folder, 'function.zip');
  const found = functions.find(({ code }) => code === zip || code === folder);
  const shown = shownPath(zip, cwd);
  if (found === undefined) {
    const codes = functions.flatMap(({ code }) => (code === undefined ? [] : [shownPath(code, cwd)]));
    const seen = codes.length === 0 ? 'no function with code of this folder' : `the code ${codes.join(', ')}`;
    throw usageError(
      `${own} has ${seen}, and what is built here is ${shown}. Set the CodeUri of its function to that.`,
    );
  }
  const packs = options.bundle === false || (options.include ?? []).length > 0;
  if (packs && found.code === folder) {
    throw usageError(
      `${own} takes the folder ${shownPath(folder, cwd)}, without the packed files; set CodeUri to ${shown}.`,
    );
  }
  if (options.stream === true && !found.streams) {
    throw usageError(
      `--stream needs an event source that streams: give ${found.id} in ${own} the InvokeMode RESPONSE_STREAM of a ` +
        'function URL, or the ResponseTransferMode STREAM of a REST API.',
    );
  }
  if (options.stream !== true && found.streams) {
    throw usageError(`${found.id} in ${own} streams its responses: add --stream, or take that from the template.`);
  }
}

/** A template with parameters is not deployed without them. */
function checkParameters({ source = 'function-url' }: DeployOptions, rest: readonly string[], cwd: string): void {
  const parameters = SOURCE_PARAMETERS[source];
  const asks = rest.some((each) => /^(?:--parameter-overrides|--guided|-g|--config-file)\b/.test(each));
  if (parameters === undefined || asks || projectFile(['samconfig.toml', 'samconfig.yaml'], cwd) !== undefined) return;
  const values = parameters.map((name) => `${name}=…`).join(' ');
  throw usageError(
    `${spelledSource(source)} stands in a network of yours: name it with -- --parameter-overrides ${values}`,
  );
}

function awsCommand(built: Built, functionName: string, { arch }: DeployOptions, cwd: string): ToolCommand {
  const zip = shownPath(join(built.folder, 'function.zip'), cwd);
  const architectures = arch === undefined ? [] : ['--architectures', arch];
  return {
    name: 'aws',
    args: [
      ...['lambda', 'update-function-code', '--function-name', functionName],
      ...['--zip-file', `fileb://${zip}`, ...architectures],
    ],
    missing: AWS_MISSING,
  };
}

function samCommand(built: Built, own: string | undefined, edge: boolean, cwd: string): ToolCommand {
  const template = own ?? shownPath(built.config as string, cwd);
  const args = ['deploy', '--template-file', template, '--stack-name', built.name, '--resolve-s3'];
  args.push('--capabilities', 'CAPABILITY_IAM');
  // Lambda@Edge functions live there and nowhere else.
  if (edge) args.push('--region', 'us-east-1');
  return {
    name: 'sam',
    args,
    missing:
      'install the SAM CLI: https://docs.aws.amazon.com/serverless-application-model/latest/developerguide/install-sam-cli.html',
  };
}

async function runTool(command: ToolCommand, output: Output): Promise<void> {
  if (command.name === 'wrangler' && command.file === undefined) throw missing(command);
  const [file = command.name, ...first] = command.file ?? [];
  // A `[build]` of the project's own that calls this command is not to build something else over what was built.
  const env = { ...process.env, WAYGATE_BUILT: '1' };
  const child = spawn(file, [...first, ...command.args], { cwd: output.io.cwd, stdio: 'inherit', env });
  const code = await new Promise<number | string>((resolve, reject) => {
    child.once('error', (error) => reject(errorCode(error) === 'ENOENT' ? missing(command) : error));
    child.once('exit', (status, signal) => resolve(status ?? signal ?? 1));
  });
  if (code !== 0) throw new CommandError(`${command.name} ended with ${code}.`);
}

function missing(command: ToolCommand): CommandError {
  return new CommandError(`${command.name} is not installed; ${command.missing}.`);
}
