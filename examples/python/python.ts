// CPython in this process: the interpreter, and the folders that it may import from.

import { readFileSync } from 'node:fs';
import { loadPyodide } from 'pyodide';
import type { PyCallable, PyProxy } from 'pyodide/ffi';

/** CPython, compiled to WebAssembly. */
export const python = await loadPyodide();

/** Whether this engine can suspend Python while it waits for a promise: V8 can from Node 24 on. */
export const suspends: boolean = 'Suspending' in WebAssembly;

python.runPython(readFileSync(new URL('bridge.py', import.meta.url), 'utf8'), { globals: scope('bridge') });

/** A module of Python's that JavaScript made: `import bridge` finds it. */
function scope(name: string): PyProxy {
  const make = `import sys, types; sys.modules.setdefault(${JSON.stringify(name)}, types.ModuleType(${JSON.stringify(name)})).__dict__`;
  return python.runPython(make) as PyProxy;
}

let folders = 0;

/**
 * Lets Python import from a folder of this machine.
 *
 * @param folder an absolute path
 */
export function addFolder(folder: string): void {
  const point = `/folders/${folders++}`;
  python.FS.mkdirTree(point);
  python.mountNodeFS(point, folder);
  (python.pyimport('bridge') as PyProxy).add_path(point);
}

/**
 * Imports a callable out of a Python module.
 *
 * @param name `module:attribute`, as gunicorn takes it
 * @example
 * const callable = importFrom('wsgiref.simple_server:demo_app');
 * @throws {Error} with Python's traceback, when the module or the attribute is missing
 */
export function importFrom(name: string): PyCallable {
  const [module, attribute] = name.split(':') as [string, string];
  return (python.pyimport(module) as PyProxy)[attribute] as PyCallable;
}
