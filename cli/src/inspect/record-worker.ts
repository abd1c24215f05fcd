// The recorder inside of workerd. It is bundled into the Worker, and sends what it sees to the inspector by HTTP. The server
// in front says by a header which request is which; the Worker never sees that header.

import { type Application, encode } from 'waygate';
import { ID_HEADER, type Report } from './messages.ts';
import { recordApp } from './record-app.ts';
import { keptJson, Recording } from './recording.ts';

/** Where reports go. */
export interface ReportTarget {
  url: string;
  /** What shows the inspector that they come from this Worker. */
  token: string;
}

/** What a Worker's `fetch` gets besides the request. */
interface Context {
  waitUntil(work: Promise<unknown>): void;
}

// biome-ignore lint/suspicious/noExplicitAny: Cloudflare's own types of these differ with each version and setting.
type WorkerFetch = (request: any, env: any, ctx: any) => Response | Promise<Response>;

/** The recordings of the requests that are being answered, by the request that the Worker got. */
const recordings = new WeakMap<object, Recording>();

/** The application of a Worker, recorded. */
export function recordWorkerApp(app: Application): Application {
  const recordingOf = (environ: Record<string, unknown>): Recording | undefined =>
    recordings.get(Object(environ['fetch.request']));
  return recordApp({ recordingOf, errors: true })(app);
}

/**
 * A Worker whose requests and responses are recorded; its other handlers stay.
 *
 * @param target where reports go
 */
export function recordWorker<Worker extends { fetch?: WorkerFetch }>(worker: Worker, target: ReportTarget): Worker {
  const recorded: WorkerFetch = async (request: Request, env: unknown, ctx: Context) => {
    const id = request.headers.get(ID_HEADER);
    const own = new Request(request);
    own.headers.delete(ID_HEADER);
    const call = worker.fetch as WorkerFetch;
    if (id === null) return call.call(worker, own, env, ctx);
    const recording = new Recording(id, sender(target, ctx));
    recordings.set(own, recording);
    const { method, url } = own;
    const cf = (request as { cf?: unknown }).cf;
    recording.step({ type: 'event', what: 'Request', ...keptJson({ method, url, headers: [...own.headers], cf }) });
    const response = await call.call(worker, own, env, ctx);
    const { status, statusText, headers } = response;
    recording.step({ type: 'result', what: 'Response', ...keptJson({ status, statusText, headers: [...headers] }) });
    recording.flush();
    return response;
  };
  // Handlers that a class has in its prototype stay too.
  return Object.assign(Object.create(worker), { fetch: recorded });
}

/** How many reports of one request may wait to be sent. */
const WAITING = 2000;

/** Sends reports in the order in which they come, as many at a time as there are by then. */
function sender({ url, token }: ReportTarget, ctx: Context): (report: Report) => void {
  let waiting: Report[] = [];
  let sending = false;
  const send = async (): Promise<void> => {
    sending = true;
    while (waiting.length > 0) {
      const reports = waiting;
      waiting = [];
      await fetch(url, {
        method: 'POST',
        headers: { 'Content-Type': 'application/json', 'X-Waygate-Token': token },
        body: encode(JSON.stringify(reports.map(toJson))) as Uint8Array<ArrayBuffer>,
      }).then(
        (response) => response.body?.cancel(),
        () => {},
      );
    }
    sending = false;
  };
  return (report) => {
    if (waiting.length >= WAITING) return;
    waiting.push(report);
    if (!sending) ctx.waitUntil(send());
  };
}

/** JSON has no bytes. */
function toJson(report: Report): unknown {
  if (!('data' in report)) return report;
  let text = '';
  for (let at = 0; at < report.data.byteLength; at += 8192) {
    text += String.fromCharCode(...report.data.subarray(at, at + 8192));
  }
  return { ...report, data: btoa(text) };
}

/** The other way: reports as they were sent. */
export function fromJson(value: unknown): Report[] {
  if (!Array.isArray(value)) return [];
  return value.map((report) =>
    typeof report?.data === 'string'
      ? { ...report, data: Uint8Array.from(atob(report.data), (unit) => unit.charCodeAt(0)) }
      : report,
  );
}
