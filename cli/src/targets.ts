// What `waygate build` makes for each target: the module that serves the app there, and what the bundler must know.

import { fileURLToPath } from 'node:url';
import type { BuildOptions } from 'esbuild';
import type { ReportTarget } from './inspect/record-worker.ts';
import type { Kind } from './kind.ts';
import { PRESET_TARGETS, PRESETS, type PresetTarget } from './preset-targets.ts';

/** What `--target` takes. */
export type TargetName = 'lambda' | 'lambda-edge' | 'lambda-web' | 'workers' | 'node' | 'deno' | 'bun' | PresetTarget;

/** An app as a generated module imports it. */
export interface AppImport {
  /** The module specifier. */
  from: string;
  exportName: 'default' | 'app';
  kind: Kind;
  /** See `App` in kind.ts. */
  expression: string;
  notInWorkerd?: string;
  /**
   * Where the module listens: which of its servers is the app, or -1 where it exports the app besides. Also whether it
   * waits for the end of its server.
   */
  program?: { index: number; waits: boolean };
}

/** What may be asked of an entry. */
export interface EntryOptions {
  /** `lambda`: whether responses are streamed. */
  stream?: boolean;
  /** `workers`, `lambda-web`: whether the validator stands around the app. */
  validate?: boolean;
  /** `workers`: where the recorder in the Worker reports to. */
  inspect?: ReportTarget;
}

/** One target. */
export interface Target {
  readonly name: TargetName;
  /** For the help. */
  readonly title: string;
  /** The source of the bundle's entry. */
  entry(app: AppImport, options: EntryOptions): string;
  readonly bundler: BuildOptions;
  /** The same for a Node listener, whose packages have to be those for Node. */
  readonly nodeBundler?: BuildOptions;
  /** Whether Node's own modules are reached by `require` in bundled CommonJS code. */
  readonly needsRequire: boolean;
  /** Whether it runs on Node itself, for which the library has light classes of Fetch. */
  readonly isNode?: boolean;
  /** The folder of the result that holds the bundle and what goes with it; the result's own when left out. */
  readonly codeFolder?: string;
  /** The files of its configuration, by their place in the result, where nothing but the app's name is in them. */
  readonly files?: (name: string) => Record<string, string>;
  /** Whether a Node listener cannot run there. */
  readonly lacksNode?: boolean;
}

const NODE: BuildOptions = { platform: 'node', target: 'node20', conditions: [] };
/** Minified code is for production: frameworks leave their development checks out. */
export const PRODUCTION: BuildOptions = { define: { 'process.env.NODE_ENV': '"production"' } };

export const TARGETS: Record<TargetName, Target> = {
  lambda: {
    name: 'lambda',
    title: 'AWS Lambda',
    entry: (app, { stream }) => {
      const adapter = stream ? 'toLambdaStream' : 'toLambda';
      return `import { ${adapter} } from 'waygate/aws-lambda';\n${importApp(app)}export const handler = ${adapter}(application);\n`;
    },
    bundler: NODE,
    needsRequire: true,
    isNode: true,
  },
  'lambda-edge': {
    name: 'lambda-edge',
    title: 'Lambda@Edge',
    entry: (app) =>
      `import { toLambda } from 'waygate/aws-lambda';\n${importApp(app)}export const handler = toLambda(application);\n`,
    bundler: NODE,
    needsRequire: true,
    isNode: true,
  },
  'lambda-web': {
    name: 'lambda-web',
    title: 'AWS Lambda Web Functions',
    entry: nodeEntry,
    bundler: NODE,
    needsRequire: true,
    isNode: true,
    // What is uploaded is a folder, in which nothing else may be.
    codeFolder: 'function',
  },
  workers: {
    name: 'workers',
    title: 'Cloudflare Workers',
    entry: workersEntry,
    bundler: {
      platform: 'browser',
      target: 'es2022',
      conditions: ['workerd', 'worker', 'browser'],
      external: ['cloudflare:*', 'workerd:*'],
    },
    // What packages have for a browser does not stand in for what node:http needs: Express 4 does not load with it.
    nodeBundler: {
      platform: 'node',
      target: 'es2022',
      conditions: ['workerd', 'worker'],
      external: ['cloudflare:*', 'workerd:*'],
    },
    needsRequire: false,
  },
  node: {
    name: 'node',
    title: 'Node',
    entry: nodeEntry,
    bundler: NODE,
    needsRequire: true,
    isNode: true,
  },
  deno: {
    name: 'deno',
    title: 'Deno',
    entry: (app) => serverEntry(app, 'serveOnDeno', TO_FETCH),
    bundler: { ...NODE, target: 'es2022', conditions: ['deno', 'node'], external: ['npm:*', 'jsr:*'] },
    needsRequire: true,
  },
  bun: {
    name: 'bun',
    title: 'Bun',
    entry: (app) => serverEntry(app, 'serveOnBun', TO_FETCH),
    bundler: { ...NODE, target: 'es2022', conditions: ['bun', 'node'], external: ['bun', 'bun:*'] },
    needsRequire: true,
  },
  ...presets(),
};

/** The targets whose adapters are presets. */
function presets(): Record<PresetTarget, Target> {
  const targets = PRESET_TARGETS.map((name): [PresetTarget, Target] => {
    const { title, entry, bundler, hasNode, codeFolder, files } = PRESETS[name];
    const [imports, serving] = entry;
    return [
      name,
      {
        name,
        title,
        entry: (app) => `${imports}\n${importApp(app)}${serving}\n`,
        bundler,
        needsRequire: hasNode,
        lacksNode: !hasNode,
        codeFolder,
        files,
      },
    ];
  });
  return Object.fromEntries(targets) as Record<PresetTarget, Target>;
}

/** A module of the command's own that goes into a bundle, as source code of a specifier: the source, or what it was compiled to. */
function ownModule(name: string): string {
  return JSON.stringify(fileURLToPath(import.meta.url.replace(/targets(\.[jt]s)$/, `${name}$1`)));
}

/** @param adapter what of the library the server is made with: its import, and its name */
function serverEntry(
  app: AppImport,
  server: keyof typeof import('./entry-server.ts'),
  adapter: [string, string],
): string {
  const [library, made] = adapter;
  const own = `import { ${server} } from ${ownModule('entry-server')};\n`;
  return `${own}${library}\n${importApp(app)}await ${server}(${made}, application);\n`;
}

/** `serve` itself knows where a Web Function has to listen. */
function nodeEntry(app: AppImport, { validate = false }: EntryOptions): string {
  const entry = serverEntry(app, 'serveOnNode', ["import { serve } from 'waygate/node';", 'serve']);
  if (!validate) return entry;
  const watched = entry.replace('(serve, application)', '(serve, validator(application))');
  return `import { validator } from 'waygate/middleware';\n${watched}`;
}

const TO_FETCH: [string, string] = ["import { toFetch } from 'waygate/fetch';", 'toFetch'];

/** Imports the app, hosted where it is not an application, under the name `application`. */
function importApp(app: AppImport): string {
  const lines = [importExport(app)];
  if (app.kind === 'app') lines.push(`const application = ${app.expression};`);
  if (app.kind === 'node') {
    lines.push("import { fromNode } from 'waygate/node';", `const application = fromNode(${app.expression});`);
  }
  if (app.kind === 'fetch') {
    lines.push(
      "import { fromWorker } from 'waygate/cloudflare-workers';",
      "import { fromFetch } from 'waygate/fetch';",
    );
    // A WorkerEntrypoint class has fetch in its prototype.
    lines.push(`const hosted = ${app.expression};`);
    lines.push('const application = hosted.prototype?.fetch ? fromWorker(hosted) : fromFetch(hosted);');
  }
  return `${lines.join('\n')}\n`;
}

/**
 * Imports what the module exports under the name `app`; of a program that listens, the server that is taken from it. The
 * taking begins before the program does.
 */
function importExport({ from, exportName, kind, program }: AppImport): string {
  const module = JSON.stringify(from);
  const exported = `import { ${exportName} as app } from ${module};`;
  if (program === undefined) return exported;
  const { index, waits } = program;
  const begin = `import { taking } from ${ownModule(kind === 'fetch' && index >= 0 ? 'entry/take-fetch' : 'entry/take-node')};`;
  if (index < 0) return `${begin}\n${exported}\ntaking.end();`;
  return [
    begin,
    `import { serverOf } from ${ownModule('entry/taking')};`,
    // A static import of what waits for the end of its server would never come to its own end.
    waits ? `const loading = import(${module});` : `import * as program from ${module};`,
    `const app = await serverOf(taking, ${index}, ${waits ? 'loading' : 'Promise.resolve(program)'}, ${module});`,
  ].join('\n');
}

/**
 * A Fetch app may be a whole Worker, with other handlers and Durable Objects. Unless it is watched, it stays what it is.
 * workerd takes no other exports than these. What a module for Node exports besides its app is left out.
 */
function workersEntry(app: AppImport, { validate = false, inspect }: EntryOptions): string {
  const from = JSON.stringify(app.from);
  // A program that listens exports nothing that workerd could use.
  const others = app.program === undefined ? `export * from ${from};\n` : '';
  const recorder = inspect === undefined ? '' : importRecorder();
  const recorded = (worker: string): string =>
    inspect === undefined ? worker : `recordWorker(${worker}, ${JSON.stringify(inspect)})`;
  if (app.kind === 'fetch' && !validate) {
    // A class, whose prototype cannot be replaced, is a Worker; any other function is a handler.
    const worker =
      "const isClass = Object.getOwnPropertyDescriptor(hosted, 'prototype')?.writable === false;\n" +
      "const worker = typeof hosted === 'function' && !isClass ? { fetch: hosted } : hosted;\n" +
      `export default ${inspect === undefined ? 'worker' : `isClass ? worker : ${recorded('worker')}`};\n`;
    return `${recorder}${importExport(app)}\n${others}const hosted = ${app.expression};\n${worker}`;
  }
  const watch = validate ? "import { validator } from 'waygate/middleware';\n" : '';
  const validated = validate ? 'validator(application)' : 'application';
  const served = inspect === undefined ? validated : `recordWorkerApp(${validated})`;
  const adapter = "import { toWorker } from 'waygate/cloudflare-workers';\n";
  const exported = app.kind === 'node' ? '' : others;
  return `${recorder}${adapter}${watch}${importApp(app)}${exported}export default ${recorded(`toWorker(${served})`)};\n`;
}

/** record-worker.ts, or what it was compiled to. */
const RECORDER = import.meta.url.replace(/targets(\.[jt]s)$/, 'inspect/record-worker$1');

function importRecorder(): string {
  return `import { recordWorker, recordWorkerApp } from ${JSON.stringify(fileURLToPath(RECORDER))};\n`;
}
