// `waygate deploy`: builds, then hands over to the platform's own tool, whose command it prints.

import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { type BuildOptions, type Built, buildCommand } from './build.ts';
import { shownPath } from './bundle.ts';
import { CommandError, errorCode, usageError } from './errors.ts';
import type { Output } from './output.ts';
import { projectFile, wranglerConfigOf, wranglerFile } from './wrangler.ts';

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
  if (!['workers', 'lambda', 'lambda-edge'].includes(options.target)) {
    throw usageError(`There is no deploying to ${options.target}; copy what \`waygate build\` made to where it runs.`);
  }
  if (options.functionName !== undefined && options.target !== 'lambda') {
    throw usageError(`--function-name is for the target lambda; ${options.target} has no such choice.`);
  }
  const built = await buildCommand(path, options, output);
  const { cwd } = output.io;
  const command =
    options.target === 'workers' ? await wrangler(built, path, rest, output) : lambdaTool(built, options, cwd);
  command.args.push(...rest);
  output.print(`${output.colors.dim('$')} ${[command.name, ...command.args].map(quoted).join(' ')}`);
  if (!options.dryRun) await runTool(command, output);
}

async function wrangler(built: Built, path: string, rest: readonly string[], output: Output): Promise<ToolCommand> {
  const { cwd } = output.io;
  const config = await wranglerConfigOf(built, cwd, rest);
  return {
    name: 'wrangler',
    file: wranglerFile(join(cwd, path)),
    args: ['deploy', shownPath(built.main, cwd), '--config', config],
    missing: 'install it with `npm install --save-dev wrangler`',
  };
}

function lambdaTool(built: Built, options: DeployOptions, cwd: string): ToolCommand {
  if (options.functionName !== undefined) {
    const zip = shownPath(join(built.folder, 'function.zip'), cwd);
    return {
      name: 'aws',
      args: ['lambda', 'update-function-code', '--function-name', options.functionName, '--zip-file', `fileb://${zip}`],
      missing: 'install the AWS CLI: https://docs.aws.amazon.com/cli/latest/userguide/getting-started-install.html',
    };
  }
  const edge = options.target === 'lambda-edge';
  const template = edge
    ? shownPath(built.config as string, cwd)
    : projectFile(['template.yaml', 'template.yml'], built.config, cwd);
  const args = [
    'deploy',
    '--template-file',
    template,
    '--stack-name',
    built.name,
    '--resolve-s3',
    '--capabilities',
    'CAPABILITY_IAM',
  ];
  // Lambda@Edge functions live there and nowhere else.
  if (edge) args.push('--region', 'us-east-1');
  return {
    name: 'sam',
    args,
    missing:
      'install the SAM CLI: https://docs.aws.amazon.com/serverless-application-model/latest/developerguide/install-sam-cli.html',
  };
}

function quoted(argument: string): string {
  return /^[\w./:=@%+,-]+$/.test(argument) ? argument : `'${argument.replaceAll("'", "'\\''")}'`;
}

async function runTool(command: ToolCommand, output: Output): Promise<void> {
  if (command.name === 'wrangler' && command.file === undefined) throw missing(command);
  const [file = command.name, ...first] = command.file ?? [];
  const child = spawn(file, [...first, ...command.args], { cwd: output.io.cwd, stdio: 'inherit' });
  const code = await new Promise<number | string>((resolve, reject) => {
    child.once('error', (error) => reject(errorCode(error) === 'ENOENT' ? missing(command) : error));
    child.once('exit', (status, signal) => resolve(status ?? signal ?? 1));
  });
  if (code !== 0) throw new CommandError(`${command.name} ended with ${code}.`);
}

function missing(command: ToolCommand): CommandError {
  return new CommandError(`${command.name} is not installed; ${command.missing}.`);
}
