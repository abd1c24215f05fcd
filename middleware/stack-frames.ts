// The frames of an error, at their places in the source. They go through source maps where the platform can read files
// (Node, Bun, Deno); else they are those of the stack.

/** One call that was under way. */
export interface Frame {
  /** The function; empty where the stack does not name it. */
  call: string;
  /** `file:///app/shop.ts:12:5`. */
  place: string;
  /** The line in that file; 0 where it is not known. */
  line: number;
  /** Lines of the source around it, with their numbers; empty where the file cannot be read. */
  lines: [number: number, text: string][];
}

const MOST_FRAMES = 30;
/** How many lines are shown above and below. */
const AROUND = 3;
/** Nothing but programs is read, whatever a stack says. */
const PROGRAM = /\.[cm]?[jt]sx?$/;
const LARGEST_FILE = 5_000_000;

/** The parts of Node that are used; other platforms have them or do without. */
interface Files {
  readFileSync(path: URL, encoding: 'utf8'): string;
  statSync(path: URL): { size: number };
}
interface SourceMapOf {
  new (
    payload: unknown,
  ): {
    findEntry(
      line: number,
      column: number,
    ): { originalSource?: string; originalLine?: number; originalColumn?: number };
  };
}
interface NodeProcess {
  getBuiltinModule?(id: string): unknown;
}

/**
 * The frames of an error, the innermost first. Never throws.
 *
 * @param error its stack is read, and source files that it names
 */
export function framesOf(error: Error): Frame[] {
  const stack = typeof error.stack === 'string' ? error.stack : '';
  // The message may have lines that look like frames: a client that chose the message would choose what is read.
  const start = stack.indexOf(error.message) === -1 ? 0 : stack.indexOf(error.message) + error.message.length;
  const frames: Frame[] = [];
  for (const text of stack.slice(start, start + 100_000).split('\n')) {
    const frame = parse(text.slice(0, 2000));
    if (frame !== null) frames.push(located(frame));
    if (frames.length === MOST_FRAMES) break;
  }
  return frames;
}

/** `    at call (place:1:2)`, `    at place:1:2`, `call@place:1:2`. */
function parse(text: string): { call: string; file: string; line: number; column: number } | null {
  const line = text.trim();
  const end = /:(\d{1,9}):(\d{1,9})\)?$/.exec(line);
  if (end === null) return null;
  const before = line.slice(0, end.index);
  const [at, open] = [before.indexOf('@'), before.lastIndexOf(' (')];
  let [call, file] = ['', before.replace(/^at /, '')];
  if (before.startsWith('at ') && open !== -1) [call, file] = [before.slice(3, open), before.slice(open + 2)];
  else if (!before.startsWith('at ') && at !== -1) [call, file] = [before.slice(0, at), before.slice(at + 1)];
  else if (!before.startsWith('at ')) return null;
  return { call, file: file.replace(/^async /, ''), line: Number(end[1]), column: Number(end[2]) };
}

function located({ call, file, line, column }: { call: string; file: string; line: number; column: number }): Frame {
  const plain: Frame = { call, place: `${file}:${line}:${column}`, line, lines: [] };
  try {
    const url = urlOf(file);
    if (url === null) return plain;
    const code = read(url);
    if (code === null) return plain;
    const mapped = original(code, url, line, column);
    if (mapped === null) return { ...plain, lines: around(code, line) };
    const place = `${mapped.url.protocol === 'file:' ? decodeURI(mapped.url.pathname) : mapped.url.href}:${mapped.line}:${mapped.column}`;
    const source = mapped.content ?? read(mapped.url);
    return { call, place, line: mapped.line, lines: source === null ? [] : around(source, mapped.line) };
  } catch {
    return plain;
  }
}

function urlOf(file: string): URL | null {
  if (file.startsWith('file:')) return new URL(file);
  if (file.startsWith('/')) return new URL(`file://${encodeURI(file)}`);
  return /^[A-Za-z]:[\\/]/.test(file) ? new URL(`file:///${encodeURI(file.replaceAll('\\', '/'))}`) : null;
}

function builtin<T>(id: string): T | null {
  // Workers have a process that is like Node's, and no files.
  if ('WebSocketPair' in globalThis) return null;
  const { process } = globalThis as { process?: NodeProcess };
  return (process?.getBuiltinModule?.(id) as T | undefined) ?? null;
}

function read(url: URL, isMap = false): string | null {
  const fs = builtin<Files>('node:fs');
  if (fs === null || url.protocol !== 'file:') return null;
  if (!PROGRAM.test(url.pathname) && !(isMap && url.pathname.endsWith('.map'))) return null;
  try {
    return fs.statSync(url).size > LARGEST_FILE ? null : fs.readFileSync(url, 'utf8');
  } catch {
    return null;
  }
}

interface Original {
  url: URL;
  line: number;
  column: number;
  content: string | null;
}

const REFERENCE = '\n//# sourceMappingURL=';

/** Where a place of a compiled file comes from, by the map that the file names at its end; null without one. (ECMA-426) */
function original(code: string, url: URL, line: number, column: number): Original | null {
  const mark = code.lastIndexOf(REFERENCE);
  if (mark === -1) return null;
  try {
    return mappedBy(code.slice(mark + REFERENCE.length).split(/\s/, 1)[0] as string, url, line, column);
  } catch {
    // A map that is broken is none.
    return null;
  }
}

function mappedBy(reference: string, url: URL, line: number, column: number): Original | null {
  const inline = /^data:application\/json[^,]{0,100};base64,/.exec(reference);
  const mapUrl = inline === null ? new URL(reference, url) : url;
  const text = inline === null ? read(mapUrl, true) : utf8(atob(reference.slice(inline[0].length)));
  const { SourceMap } = builtin<{ SourceMap?: SourceMapOf }>('node:module') ?? {};
  if (text === null || SourceMap === undefined) return null;
  const payload = JSON.parse(text) as { sources?: string[]; sourcesContent?: (string | null)[]; sourceRoot?: string };
  const entry = new SourceMap(payload).findEntry(line - 1, column - 1);
  if (entry.originalSource === undefined || entry.originalLine === undefined) return null;
  const index = payload.sources?.indexOf(entry.originalSource) ?? -1;
  return {
    url: new URL((payload.sourceRoot ?? '') + entry.originalSource, mapUrl),
    line: entry.originalLine + 1,
    column: (entry.originalColumn ?? 0) + 1,
    content: payload.sourcesContent?.[index] ?? null,
  };
}

function utf8(binary: string): string {
  return new TextDecoder().decode(Uint8Array.from(binary, (unit) => unit.charCodeAt(0)));
}

function around(source: string, line: number): [number, string][] {
  const lines = source.split('\n');
  const found: [number, string][] = [];
  for (let at = Math.max(1, line - AROUND); at <= Math.min(lines.length, line + AROUND); at++)
    found.push([at, (lines[at - 1] as string).slice(0, 300)]);
  return found;
}
