// Which option of `build` and `deploy` means something for which target. One that would have no effect is an error.

import { type CommandError, usageError } from './errors.ts';
import type { ReportTarget } from './inspect/record-worker.ts';
import type { Kind } from './kind.ts';
import { spelledSource } from './platform.ts';
import { ON_NODE } from './preset-targets.ts';
import type { TargetName } from './targets.ts';
import type { EventSource } from './template-sources.ts';
import { type Architecture, type AuthType, DEFAULT_RUNTIME } from './templates.ts';

/** Options of `waygate build`. */
export interface BuildOptions {
  target: TargetName;
  /** The folder for the result; `dist/<target>` when left out. */
  out?: string;
  kind?: Kind;
  /** `lambda`: whether responses are streamed. */
  stream?: boolean;
  /** `lambda`: the event source that the template sets up. @default 'function-url' */
  source?: EventSource;
  /** `lambda-web`: who may call the endpoint. */
  authType?: AuthType;
  /** `lambda`, `lambda-edge`: the runtime in the template. @default 'nodejs24.x' */
  runtime?: string;
  /** `lambda`: the processor in the template. @default 'arm64' */
  arch?: Architecture;
  /** `lambda`, `lambda-edge`: the memory in the template, in MB. @default 512; 128 for lambda-edge */
  memory?: number;
  /** `workers`, `lambda-web`: whether the validator stands around the app. */
  validate?: boolean;
  /** `workers`: where the recorder in the Worker reports to. */
  inspect?: ReportTarget;
  /** The name that the target knows the app under; made of the project's name when left out. */
  name?: string;
  /** Packages that stay outside of the bundle. */
  external?: readonly string[];
  /** Files and folders that go with the bundle, at their place. */
  include?: readonly string[];
  /** `false`: packages are not bundled but packed as they are. */
  bundle?: boolean;
  /** `false`: a Fetch app gets the classes that Node has. See light-classes.ts. */
  lightFetch?: boolean;
}

type Choice = keyof BuildOptions;

const FLAGS: Partial<Record<Choice, string>> = {
  stream: '--stream',
  source: '--source',
  authType: '--auth-type',
  runtime: '--runtime',
  arch: '--arch',
  memory: '--memory',
  name: '--name',
  include: '--include',
  bundle: '--no-bundle',
  lightFetch: '--no-light-fetch',
};

/** Targets whose files are named after the app. */
const NAMED: readonly TargetName[] = ['google-cloud', 'azure-functions', 'fastly'];

const SERVERS: readonly TargetName[] = ['node', 'deno', 'bun'];

/** Where each option means something, and why it does not elsewhere. */
const MEANING: Partial<Record<Choice, { targets: readonly TargetName[]; why: (target: TargetName) => string }>> = {
  stream: { targets: ['lambda'], why: streams },
  source: {
    targets: ['lambda'],
    why: (target) =>
      target === 'lambda-edge'
        ? 'a function of Lambda@Edge stands behind CloudFront'
        : target === 'lambda-web'
          ? 'a Web Function has an endpoint of its own'
          : `${target} has no event source`,
  },
  authType: {
    targets: ['lambda-web'],
    why: (target) =>
      target === 'lambda' ? 'its event source decides who may call it' : `${target} has no such choice`,
  },
  runtime: {
    targets: ['lambda', 'lambda-edge'],
    why: (target) =>
      target === 'lambda-web' ? `Web Functions run on ${DEFAULT_RUNTIME} alone` : `${target} has no such choice`,
  },
  arch: {
    targets: ['lambda'],
    why: (target) =>
      target === 'lambda-edge'
        ? 'Lambda@Edge runs on x86_64 alone'
        : target === 'lambda-web'
          ? 'Web Functions run on arm64 alone'
          : `a bundle for ${target} runs on any processor`,
  },
  memory: {
    targets: ['lambda', 'lambda-edge'],
    why: (target) => (target === 'lambda-web' ? 'a Web Function has 2 GB' : `${target} has no such choice`),
  },
  name: {
    targets: ['lambda', 'lambda-edge', 'lambda-web', 'workers', ...NAMED],
    why: (target) => `nothing that is built for ${target} has a name`,
  },
  include: {
    targets: ['lambda', 'lambda-edge', 'lambda-web', ...SERVERS, ...ON_NODE],
    why: (target) =>
      target !== 'workers'
        ? `a function of ${target} has nothing but its bundle`
        : 'Workers have no file system; serve files as static assets, with `[assets]` in wrangler.toml',
  },
  bundle: {
    targets: ['lambda', 'lambda-edge', 'lambda-web', 'node', 'bun', ...ON_NODE],
    why: (target) =>
      target !== 'deno' && target !== 'workers'
        ? `a function of ${target} has nothing but its bundle`
        : target === 'deno'
          ? 'Deno takes packages from its own cache'
          : 'wrangler bundles what a Worker imports, and Workers have no node_modules',
  },
  lightFetch: {
    targets: ['lambda', 'lambda-edge', 'lambda-web', 'node'],
    why: (target) => `on ${target} an app always gets the platform's own classes`,
  },
};

function streams(target: TargetName): string {
  return target === 'lambda-edge' ? 'Lambda@Edge does not stream' : `${target} streams by itself`;
}

/** The event sources that pass a response on while it is made. */
const STREAMING: readonly EventSource[] = ['function-url', 'rest-api'];

/**
 * Refuses an option that has no effect on what is built.
 *
 * @throws {CommandError} that says why it has none
 */
export function checkBuildOptions(options: BuildOptions): void {
  for (const [choice, { targets, why }] of Object.entries(MEANING)) {
    if (!isGiven(options, choice as Choice) || targets.includes(options.target)) continue;
    const wanted = targets.length === 1 ? `the target ${targets[0]}` : `the targets ${targets.join(', ')}`;
    throw usageError(`${FLAGS[choice as Choice]} is for ${wanted}: ${why(options.target)}.`);
  }
  const { source = 'function-url', stream } = options;
  if (stream && !STREAMING.includes(source)) {
    const streaming = STREAMING.map(spelledSource).join(' or ');
    throw usageError(`${spelledSource(source)} does not stream; --stream goes with --source ${streaming}.`);
  }
  if (options.bundle === false && isGiven(options, 'external')) {
    throw usageError('--external is for a bundle: with --no-bundle every package stays outside of it.');
  }
}

/** Whether an option was given: what is left out, and what is the default, is not. */
function isGiven(options: BuildOptions, choice: Choice): boolean {
  const value = options[choice];
  if (choice === 'bundle' || choice === 'lightFetch') return value === false;
  return Array.isArray(value) ? value.length > 0 : value !== undefined && value !== false;
}

/**
 * The error about options that only the built configuration would show, where another one is used instead.
 *
 * @param because what is used instead, as `template.yaml of this folder is deployed`
 */
export function withoutEffect(
  options: BuildOptions,
  choices: readonly Choice[],
  because: string,
): CommandError | undefined {
  const flags = choices.filter((choice) => isGiven(options, choice)).map((choice) => FLAGS[choice]);
  if (flags.length === 0) return undefined;
  return usageError(`${flags.join(', ')} would have no effect: ${because}.`);
}
