// What is recorded of one request: it knows how much may be kept, and hands everything else on at once. It runs on every
// platform, so that it uses nothing of Node.

import type { KeptBytes, Report, Reporter, Step } from './messages.ts';

/** How much of each body is kept, in bytes. */
export const BODY_LIMIT = 256 * 1024;
/** How many steps of one type are reported for one request; of chunks beyond that only their sizes count. */
const STEP_LIMIT = 500;
/** How much of one text is kept, in characters. */
const TEXT_LIMIT = 16 * 1024;
/** How much text is kept of one request in all, in characters. */
const TEXTS_LIMIT = 256 * 1024;
/** How often the sizes of what is not reported singly are reported, in milliseconds. */
const SUM_EVERY = 200;

type ByteStep = Extract<Step, KeptBytes>['type'];

/** A text as it is kept. */
export function keptText(text: string): string {
  return text.length <= TEXT_LIMIT
    ? text
    : `${text.slice(0, TEXT_LIMIT)}… (${text.length - TEXT_LIMIT} more characters)`;
}

/** One request, while it is recorded. */
export class Recording {
  readonly id: string;
  readonly #report: Reporter;
  /** How many bytes are kept, by the step that they belong to. */
  readonly #kept: Partial<Record<ByteStep, number>> = {};
  readonly #steps: Partial<Record<Step['type'], number>> = {};
  /** Sizes that were not told yet, by step. */
  readonly #sums = new Map<ByteStep, { step: Extract<Step, KeptBytes>; told: number }>();
  readonly #found = new Set<string>();
  #texts = 0;
  #work = 0;

  constructor(id: string, report: Reporter) {
    this.id = id;
    this.#report = report;
  }

  /** Reports a step, unless there were too many of its type. */
  step(step: Step): void {
    const count = (this.#steps[step.type] ?? 0) + 1;
    this.#steps[step.type] = count;
    if (count <= STEP_LIMIT) this.#send(step);
  }

  /** Reports bytes. They are copied, as far as they are kept: their giver may use the memory again. */
  bytes(type: ByteStep, chunk: Uint8Array, by: 'body' | 'write' = 'body'): void {
    const size = chunk.byteLength;
    const before = this.#kept[type] ?? 0;
    const data = chunk.slice(0, Math.max(0, BODY_LIMIT - before));
    this.#kept[type] = before + data.byteLength;
    const count = (this.#steps[type] ?? 0) + 1;
    this.#steps[type] = count;
    const step = (type === 'chunk' ? { type, by, data, size } : { type, data, size }) as Extract<Step, KeptBytes>;
    if (count <= STEP_LIMIT) this.#send(step);
    else this.#sum(step);
  }

  /** Reports a text for `wsgi.errors`, and what the validator found where it speaks in it. */
  errors(text: string): void {
    if (this.#texts > TEXTS_LIMIT) return;
    this.#texts += text.length;
    this.step({ type: 'errors', text: keptText(text) });
    this.#find(text);
  }

  /** Reports that the app has failed. */
  failed(error: unknown): void {
    this.step({ type: 'failed', error: describeError(error) });
    this.#find(describeError(error));
  }

  /** What the validator has found is said where it happens, and again where it is logged. */
  #find(text: string): void {
    const finding = findingIn(text);
    if (finding === undefined) return;
    const key = `${finding.rule} ${finding.text}`;
    if (this.#found.has(key) || this.#found.size >= STEP_LIMIT) return;
    this.#found.add(key);
    this.step({ type: 'finding', ...finding });
  }

  /** Reports work after the response, and its end. */
  waitUntil(work: Promise<unknown>): void {
    const number = this.#work++;
    this.step({ type: 'wait', work: number });
    work.then(
      () => this.step({ type: 'waited', work: number }),
      (error) => this.step({ type: 'waited', work: number, error: describeError(error) }),
    );
  }

  /** Tells the sizes that have not been told: the end of something is near. */
  flush(): void {
    for (const { step } of this.#sums.values()) if (step.size > 0) this.#send(step);
    this.#sums.clear();
  }

  /** Very many chunks become few reports. */
  #sum(step: Extract<Step, KeptBytes>): void {
    const sum = this.#sums.get(step.type);
    if (sum === undefined) {
      this.#send(step);
      this.#sums.set(step.type, { step: { ...step, data: step.data.subarray(0, 0), size: 0 }, told: Date.now() });
      return;
    }
    sum.step.size += step.size;
    if (Date.now() - sum.told < SUM_EVERY) return;
    this.#send({ ...sum.step });
    sum.step.size = 0;
    sum.told = Date.now();
  }

  #send(step: Step): void {
    this.#report({ ...step, id: this.id, at: performance.timeOrigin + performance.now() } as Report);
  }
}

/** What the validator says: an error that it threw, or a warning. */
function findingIn(text: string): { rule: string; text: string } | undefined {
  const found = /^(?:.*\bContractError: |validator: warning: )(.*) \[([A-Z]+-\d+)\]/m.exec(text);
  return found === null ? undefined : { rule: found[2] as string, text: keptText(found[1] as string) };
}

/** An error in one line. Never throws, whatever was thrown. */
export function describeError(error: unknown): string {
  try {
    return keptText(
      error instanceof Error ? `${error.name}: ${error.message}` : `a thrown ${typeof error}: ${String(error)}`,
    );
  } catch {
    return 'a thrown value that cannot be looked at';
  }
}

/**
 * A value of JSON as it is kept: long strings, which are bodies, are cut.
 *
 * @param value anything; what JSON has no place for is left out
 */
export function keptJson(value: unknown): { value: unknown; truncated: boolean } {
  let truncated = false;
  let left = BODY_LIMIT * 2;
  const keep = (_key: string, each: unknown): unknown => {
    if (typeof each === 'bigint') return String(each);
    if (typeof each !== 'string') return each;
    if (each.length <= left) {
      left -= each.length;
      return each;
    }
    truncated = true;
    const kept = `${each.slice(0, left)}… (${each.length - left} more characters were not kept)`;
    left = 0;
    return kept;
  };
  try {
    const text = JSON.stringify(value, keep);
    return { value: text === undefined ? null : JSON.parse(text), truncated };
  } catch (error) {
    return { value: `not JSON: ${describeError(error)}`, truncated: true };
  }
}
