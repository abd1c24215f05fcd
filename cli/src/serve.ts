// `waygate serve`: the app on this machine, through any platform's conversion.

import { resolve } from 'node:path';
import { type FSWatcher, watch } from 'chokidar';
import { openBrowser } from './browser.ts';
import { findFile } from './bundle.ts';
import { type Certificate, certificateOf } from './certificate.ts';
import { usageError } from './errors.ts';
import { checkRunOptions, DEFAULT_SOURCE } from './handler.ts';
import type { Inspector } from './inspect/inspector.ts';
import { BundleFolder, loadEntry } from './load.ts';
import type { Output } from './output.ts';
import { checkSourceOptions, parsePlatform } from './platform.ts';
import type { ServeOptions } from './serve-options.ts';
import { type ServerConfig, startServer } from './server.ts';
import { Supervisor } from './supervisor.ts';
import { type WebFunctionServer, webFunctionServer } from './web-function/serve.ts';
import { WorkerdServer } from './workerd.ts';

/** How long files must be left alone before a change counts, in milliseconds: editors write in several steps. */
const SETTLE = 60;

/**
 * Serves until a signal ends it.
 *
 * @param path the app's module as the user named it
 * @throws {CommandError} when it cannot start
 */
export async function serveCommand(path: string, options: ServeOptions, output: Output): Promise<void> {
  const { io } = output;
  const { cwd } = io;
  const platform = parsePlatform(options.platform);
  checkRunOptions(options);
  const port = options.port ?? portOf(io.env.PORT);
  const tls = await certificateOf(options, options.host, io);
  if (options.inspectPort !== undefined && !options.inspect) {
    throw usageError('--inspect-port is for the inspector; add --inspect.');
  }
  const folder = new BundleFolder();
  let inspector: Inspector | undefined;
  try {
    checkLightFetch(options);
    if (platform.name === 'lambda-web') return await serveWebFunction(path, { ...options, port }, tls, folder, output);
    checkWebOptions(options);
    const file = await findFile(path, cwd);
    if (options.inspect) inspector = await startInspector(path, options, port, output);
    if (platform.name === 'workers') return await serveWorkers(path, { ...options, port }, folder, output, inspector);
    const bundle = await output.progress(`Bundling ${path}`, () => folder.bundle(file, cwd));
    const { stream, stage, payload, multiValueHeaders, validate, kind, source } = options;
    const config: ServerConfig = {
      name: path,
      bundle: bundle.file,
      run: { kind, source, platform: options.platform, stream, stage, payload, multiValueHeaders, validate },
      host: options.host,
      port,
      tls,
      http2: options.http2,
      lightFetch: options.lightFetch,
      multiprocess: options.processes > 1 || options.watch,
      quiet: options.quiet,
      verbose: output.verbose,
      inspect: options.inspect,
    };
    if (options.watch || options.processes > 1) {
      await superviseApp({ config, file, inputs: bundle.inputs, folder, options, output, inspector });
    } else {
      const inspection = inspector?.inspection();
      const served = await output.progress(`Starting ${path}`, () => startServer(config, output, true, inspection));
      announce(served.port, path, options, output, inspector);
      await new Promise<void>((resolve) => served.server.once('close', resolve));
      await served.close();
    }
  } finally {
    await inspector?.close();
    await folder.remove();
  }
}

/** Starts the inspector, ahead of the app: its port may be in use. Its code is loaded only for this. */
async function startInspector(path: string, options: ServeOptions, port: number, output: Output): Promise<Inspector> {
  const { Inspector } = await import('./inspect/inspector.ts');
  const { platform, kind, source, stream, stage, payload, multiValueHeaders, validate, http2 } = options;
  const isHandler = kind === 'lambda' || source !== undefined;
  const calledBy = isHandler ? (source ?? DEFAULT_SOURCE) : undefined;
  const run = { platform, kind, source: calledBy, stream, stage, payload, multiValueHeaders, validate };
  const inspector = new Inspector({ name: path, run, http2Only: http2 && !options.tls && options.cert === undefined });
  await inspector.listen(options.inspectPort ?? portAfter(port), (text) => output.note(text));
  return inspector;
}

/** The port after each app's own: then two apps do not take each other's. */
function portAfter(port: number): number {
  return port === 0 || port === 65_535 ? 0 : port + 1;
}

/**
 * @param text a port as an option or the environment gives it
 * @returns undefined for what cannot be a port
 */
export function parsePort(text: string): number | undefined {
  const port = Number(text);
  return /^\d+$/.test(text) && port <= 65_535 ? port : undefined;
}

/** The port to listen on when `--port` does not say it. */
function portOf(text: string | undefined): number {
  if (!text) return 8000;
  const port = parsePort(text);
  if (port !== undefined) return port;
  throw usageError(`PORT of the environment is "${text}"; expected a port, 0 to 65535, or set --port.`);
}

/** Says where the app is served, and nothing that is not so. */
function announce(port: number, path: string, options: ServeOptions, output: Output, inspector?: Inspector): void {
  const { host, platform, stream, source, stage, processes } = options;
  const through = platform === 'node' ? '' : ` through ${platform}${stream ? ', streamed' : ''}`;
  const calledBy = source === undefined ? '' : ` called by ${source}`;
  const from = processes > 1 ? ` from ${processes} processes` : '';
  const scheme = options.tls || options.cert !== undefined ? 'https' : 'http';
  const url = new URL(`${scheme}://${urlHost(host)}:${port}/`);
  inspector?.serves(url.origin);
  if (stage !== undefined && stage !== '$default') url.pathname = `/${stage}/`;
  const everywhere = EVERY_ADDRESS.has(host) ? ', and on all addresses of this machine' : '';
  output.print(`Serving ${path} on ${output.colors.cyan(url.href)}${everywhere}${through}${calledBy}${from}`);
  if (inspector !== undefined) output.print(`Inspecting it on ${output.colors.cyan(inspector.url)}`);
  if (options.open) openBrowser(url.href, output);
}

/** What stands for all addresses: other machines reach those. */
const EVERY_ADDRESS: ReadonlySet<string> = new Set(['0.0.0.0', '::']);

function urlHost(host: string): string {
  if (EVERY_ADDRESS.has(host)) return 'localhost';
  return host.includes(':') ? `[${host}]` : host;
}

interface Supervised {
  config: ServerConfig;
  file: string;
  /** The user's files in the bundle. */
  inputs: string[];
  folder: BundleFolder;
  options: ServeOptions;
  output: Output;
  inspector: Inspector | undefined;
}

/** Serves from processes of their own until a signal, and anew whenever a file of the app changes. */
async function superviseApp(app: Supervised): Promise<void> {
  const { config, options, output, inspector } = app;
  const { ended, end } = ending();
  const supervisor = new Supervisor(config, options.processes, output, inspector?.inspection());
  let watcher: FSWatcher | undefined;
  try {
    const first = supervisor.replace(config.bundle);
    if (options.watch) watcher = await watchApp(app, supervisor, first);
    // A signal may come while an app that never gets ready is being loaded.
    const port = await output.progress(`Starting ${config.name}`, () => Promise.race([first, ended]));
    if (port !== undefined) announce(port, config.name, options, output, inspector);
    await ended;
  } finally {
    await watcher?.close();
    await supervisor.close();
    process.off('SIGINT', end).off('SIGTERM', end);
  }
}

/** A promise for the first signal; a second signal ends the process at once. */
function ending(): { ended: Promise<void>; end: () => void } {
  let end = (): void => {};
  const ended = new Promise<void>((resolve) => {
    let signals = 0;
    end = () => {
      signals += 1;
      if (signals > 1) process.exit(1);
      resolve();
    };
  });
  process.on('SIGINT', end).on('SIGTERM', end);
  return { ended, end };
}

/** Bundles and starts the app anew after each change of its files. */
function watchApp(app: Supervised, supervisor: Supervisor, first: Promise<unknown>): Promise<FSWatcher> {
  const { file, folder, output, config } = app;
  const renew = async (): Promise<string[]> => {
    const bundle = await folder.bundle(file, output.io.cwd);
    await supervisor.replace(bundle.file);
    return bundle.inputs;
  };
  return watchFiles(app.inputs, config.name, output, first, renew, () => supervisor.giveUp());
}

/**
 * Watches the files of an app. A version that fails leaves the last good one serving.
 *
 * @param first settles when the first version serves, or does not: no other is started before
 * @param renew makes a new version and returns its files
 * @param giveUp called when there is a newer version than the one that `renew` may be at
 * @returns once every change is seen
 */
async function watchFiles(
  inputs: readonly string[],
  name: string,
  output: Output,
  first: Promise<unknown>,
  renew: () => Promise<readonly string[]>,
  giveUp: () => void = () => {},
): Promise<FSWatcher> {
  const watcher = watch([...inputs], { ignoreInitial: true });
  let timer: NodeJS.Timeout | undefined;
  let running: Promise<unknown> = first.catch(() => {});
  let newest = 0;
  const change = async (version: number): Promise<void> => {
    if (watcher.closed || version !== newest) return;
    try {
      watcher.add([...(await renew())]);
      output.print(`Serving the new ${name}`);
    } catch (error) {
      if (watcher.closed || version !== newest) return;
      output.fail(error);
      output.note('The version before goes on serving.');
    }
  };
  watcher.on('all', () => {
    clearTimeout(timer);
    timer = setTimeout(() => {
      const version = ++newest;
      giveUp();
      running = running.then(() => change(version));
    }, SETTLE);
  });
  await new Promise<void>((resolve) => watcher.once('ready', resolve));
  return watcher;
}

/** Serves the app's Worker from workerd until a signal. */
async function serveWorkers(
  path: string,
  options: ServeOptions & { port: number },
  folder: BundleFolder,
  output: Output,
  inspector: Inspector | undefined,
): Promise<void> {
  if (options.processes > 1) throw usageError('workerd is one process; --processes goes with the other platforms.');
  if (options.stream) throw usageError('--stream is for Lambda; Workers stream by themselves.');
  if (options.tls || options.cert !== undefined || options.http2) {
    throw usageError(
      'workerd is served over plain HTTP/1.1 here; --tls, --cert, --key and --http2 go with the other platforms.',
    );
  }
  const { kind, host, port, quiet, validate = false, stage, payload, multiValueHeaders } = options;
  checkSourceOptions('workers', { stage, payload, 'multi-value-headers': multiValueHeaders });
  if (kind === 'lambda') throw usageError('A Lambda handler does not run in workerd; leave --platform workers out.');
  const envFiles = options.envFile.map((file) => resolve(output.io.cwd, file));
  const config = { name: path, kind, host, port, quiet, validate, envFiles, folder: await folder.path };
  const server = new WorkerdServer(config, output, await inspector?.workerInspection());
  const replace = async (): Promise<string[]> => {
    const inputs = await server.replace();
    // Replays on other platforms run in this process, where the app may not load at all.
    if (inspector !== undefined) void inspector.load(() => loadEntry(path, output.io.cwd, kind));
    return inputs;
  };
  const versions = { listen: () => server.listen(), replace, close: () => server.close() };
  await serveVersions(path, versions, `Starting ${path} in workerd`, options, output, inspector);
}

/** Serves the app as a Lambda Web Function until a signal. */
async function serveWebFunction(
  path: string,
  options: ServeOptions & { port: number },
  tls: Certificate | undefined,
  folder: BundleFolder,
  output: Output,
): Promise<void> {
  const server = await webFunctionServer(path, options, tls, await folder.path, output);
  await serveVersions(path, server, `Starting ${path} as a Web Function`, options, output);
}

function checkLightFetch({ platform, lightFetch }: ServeOptions): void {
  if (!lightFetch || (platform !== 'workers' && platform !== 'lambda:web')) return;
  const why =
    platform === 'workers'
      ? 'the classes of workerd are cheap'
      : 'what it runs is built, and a Fetch app there has them';
  throw usageError(`--light-fetch has no effect with --platform ${platform}: ${why}; leave it out.`);
}

function checkWebOptions({ platform, timeout, maxConcurrency }: ServeOptions): void {
  const flag = timeout !== undefined ? '--timeout' : maxConcurrency !== undefined ? '--max-concurrency' : undefined;
  if (flag !== undefined) throw usageError(`${flag} is for lambda:web; ${platform} has no such option.`);
}

/** Serves one version after another from processes that the server starts, until a signal. */
async function serveVersions(
  path: string,
  server: WebFunctionServer,
  starting: string,
  options: ServeOptions,
  output: Output,
  inspector?: Inspector,
): Promise<void> {
  const { ended, end } = ending();
  let watcher: FSWatcher | undefined;
  try {
    const listening = await server.listen();
    const first = output.progress(starting, () => server.replace());
    const inputs = await Promise.race([first, ended]);
    if (inputs === undefined) return;
    if (options.watch) watcher = await watchFiles(inputs, path, output, first, () => server.replace());
    announce(listening, path, options, output, inspector);
    await ended;
  } finally {
    await watcher?.close();
    await server.close();
    process.off('SIGINT', end).off('SIGTERM', end);
  }
}
