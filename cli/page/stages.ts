// The stages of one request, side by side.

import { formatDuration, formatSize } from '../src/format.ts';
import type { Detail, ShownBody, ShownChunk, ShownStep } from '../src/inspect/view.ts';
import { html, type View } from './html.ts';

type Mark = Detail['marks'][number];

/** Everything that happened to a request, from the left to the right. */
export function Stages({ detail }: { detail: Detail }): View {
  const { request, event, environ, app, result, client, marks } = detail;
  const ofSide = (side: Mark['side']): Mark[] => marks.filter((mark) => mark.side === side);
  return html`<div class="stages" tabindex="0" role="group" aria-label="Stages of the request">
    <${Stage} number="1" name="request" title="Request as it came">
      <pre class="code line-of">${`${detail.method} ${detail.target} HTTP/${detail.version}`}</pre>
      <${Pairs} pairs=${request.headers} label="Request headers" />
      <${Body} body=${request.body} />
    <//>
    <${Stage} number="2" name="event" title="Event of the platform" note=${event?.what}>
      ${event ? html`<${Json} native=${event} />` : html`<${None} text="Nothing yet." />`}
    <//>
    <${Stage} number="3" name="environ" title="environ">
      <${Marks} marks=${ofSide('request')} />
      ${environ ? html`<${Pairs} pairs=${environ} label="environ" changed=${new Set(ofSide('request').map((mark) => mark.part))} />` : html`<${None} text="No environ: what is served takes the platform's own event." />`}
    <//>
    <${Stage} number="4" name="app" title="Application">
      ${app ? html`<${App} app=${app} />` : html`<${None} text="It is not an application, or it was not called." />`}
    <//>
    <${Stage} number="5" name="result" title="Result for the platform" note=${result?.what}>
      ${result ? html`<${Result} result=${result} />` : html`<${None} text="Nothing yet." />`}
    <//>
    <${Stage} number="6" name="client" title="Bytes to the client" note=${formatSize(client.sent)}>
      <${Marks} marks=${ofSide('response')} />
      ${client.head ? html`<pre class="code" tabindex="0" aria-label="Head of the response">${client.head.trimEnd()}</pre>` : html`<${None} text="Nothing yet." />`}
      <${Body} body=${client.body} />
    <//>
  </div>`;
}

function Stage({
  number,
  name,
  title,
  note,
  children,
}: {
  number: string;
  name: string;
  title: string;
  note?: string;
  children?: View;
}): View {
  return html`<section class="stage" data-stage=${name} aria-label=${title}>
    <h3><span class="number">${number}</span> ${title} ${note && html`<small>${note}</small>`}</h3>
    <div class="content">${children}</div>
  </section>`;
}

function None({ text }: { text: string }): View {
  return html`<p class="none">${text}</p>`;
}

function Marks({ marks }: { marks: Mark[] }): View {
  if (marks.length === 0) return null;
  return html`<ul class="marks" aria-label="Lost or changed">
    ${marks.map(
      ({ part, expected, seen, why, link }) => html`<li>
        <b>${part}</b>
        <span class="change"><del>${expected ?? 'nothing'}</del> <span aria-label="became">→</span> <ins>${seen ?? 'nothing'}</ins></span>
        <span>${why} ${link && html`<a href=${link} target="_blank" rel="noopener">docs</a>`}</span>
      </li>`,
    )}
  </ul>`;
}

/** Names and values, as a table. */
function Pairs({ pairs, label, changed }: { pairs: [string, string][]; label: string; changed?: Set<string> }): View {
  if (pairs.length === 0) return null;
  return html`<table class="pairs" aria-label=${label}><tbody>
    ${pairs.map(([name, value]) => html`<tr class=${changed?.has(name) ? 'changed' : ''}><th scope="row">${name}</th><td>${value}</td></tr>`)}
  </tbody></table>`;
}

/** A body as text, or what it is instead. */
function Body({ body, label = 'Body' }: { body: ShownBody; label?: string }): View {
  if (body.size === 0) return null;
  const part = body.shown < body.size ? `, ${formatSize(body.shown)} shown` : '';
  return html`<figure class="body">
    <figcaption>${label}: ${formatSize(body.size)}${part}${body.base64 === undefined ? '' : ', in base64'}</figcaption>
    <pre class="code" tabindex="0">${body.text ?? body.base64}</pre>
  </figure>`;
}

function Json({ native }: { native: { json: string; truncated: boolean } }): View {
  return html`${native.truncated && html`<p class="none">Too large: not all of it is kept.</p>`}
    <pre class="code json" tabindex="0">${native.json}</pre>`;
}

function Result({ result }: { result: NonNullable<Detail['result']> }): View {
  if (result.streamed === undefined) return html`<${Json} native=${result} />`;
  return html`<${Body} body=${result.streamed} label="Written to the stream" />`;
}

/** Steps and chunks in the order in which they happened. */
function App({ app }: { app: NonNullable<Detail['app']> }): View {
  const lines: (ShownStep | ShownChunk)[] = [...app.steps, ...app.chunks].sort((one, other) => one.at - other.at);
  return html`<ol class="steps">
      <li><${At} at=${app.at} /><span><b>called</b></span></li>
      ${app.read > 0 && html`<li><time></time><span><b>read</b> ${formatSize(app.read)} of the body in all</span></li>`}
      ${lines.map((line) => ('type' in line ? html`<${Step} step=${line} />` : html`<${Chunk} chunk=${line} />`))}
      ${app.moreChunks > 0 && html`<li class="step-chunk"><time></time><span>… and more, ${formatSize(app.body.size)} in all</span></li>`}
    </ol>
    <${Body} body=${app.body} label="Body of the response" />`;
}

const NAMES: Record<string, string> = {
  start: 'startResponse',
  returned: 'returned',
  closed: 'closed its body',
  failed: 'failed',
  errors: 'wsgi.errors',
  wait: 'wait_until',
  waited: 'wait_until',
};

function Step({ step }: { step: ShownStep }): View {
  const { at, type, text, headers } = step;
  return html`<li class=${`step-${type}`}>
    <${At} at=${at} />
    <span><b>${NAMES[type] ?? type}</b> <span class="text">${text}</span>${headers && html`<${Pairs} pairs=${headers} label="Headers of the application" />`}</span>
  </li>`;
}

function Chunk({ chunk }: { chunk: ShownChunk }): View {
  return html`<li class="step-chunk">
    <${At} at=${chunk.at} />
    <span><b>${chunk.by === 'write' ? 'write' : 'chunk'}</b> ${formatSize(chunk.size)} <code>${chunk.preview}</code></span>
  </li>`;
}

function At({ at }: { at: number }): View {
  return html`<time>+${formatDuration(at)}</time>`;
}
