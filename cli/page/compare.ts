// The table of what differs between platforms.

import { formatDuration, formatSize } from '../src/format.ts';
import type { EverywhereResult } from './api.ts';
import { statusKind } from './format.ts';
import { html, type View } from './html.ts';

export interface CompareProps extends EverywhereResult {
  close: () => void;
}

export function Compare({ sent, platforms, comparison, close }: CompareProps): View {
  const { reference, differences, varying } = comparison;
  return html`<section class="compare" aria-label="On all platforms">
    <header><h3>On all platforms: ${sent.method} <span class="target">${sent.target}</span></h3><button type="button" onClick=${close}>Close</button></header>
    <ul class="platforms">
      ${platforms.map(
        ({ label, status = 0, size: bytes = 0, duration: took = 0, error }) => html`<li>
          <span class=${`status ${statusKind(status, error !== undefined)}`}>${error === undefined ? status : 'error'}</span>
          <span>${label}</span> <small>${error ?? `${formatSize(bytes)}, ${formatDuration(took)}`}</small>
        </li>`,
      )}
    </ul>
    ${
      differences.length === 0
        ? html`<p class="none">No difference: every platform gives the app the same request and the client the same response.</p>`
        : html`<div class="scroll" tabindex="0"><table class="differences">
      <caption>What differs from ${reference}</caption>
      <thead><tr><th scope="col">Part</th><th scope="col">${reference}</th><th scope="col">Platforms</th><th scope="col">There it is</th><th scope="col">Why</th></tr></thead>
      <tbody>
        ${differences.flatMap(({ side, part, expected, others }) =>
          others.map(
            ({ platforms: where, value, why }, at) => html`<tr>
              ${
                at === 0 &&
                html`<th scope="rowgroup" rowspan=${others.length}><small>${side === 'request' ? 'the app saw' : 'the client got'}</small> ${part}</th>
              <td rowspan=${others.length}><${Value} value=${expected} /></td>`
              }
              <td>${where.map((label) => html`<span class="badge">${label}</span> `)}</td>
              <td><${Value} value=${value} /></td>
              <td>${why && html`${why.text} ${why.link && html`<a href=${why.link} target="_blank" rel="noopener">docs</a>`}`}</td>
            </tr>`,
          ),
        )}
      </tbody>
    </table></div>`
    }
    ${varying.length > 0 && html`<p class="none">Left out, as it changes from one request to the next: ${varying.join(', ')}.</p>`}
  </section>`;
}

function Value({ value }: { value?: string }): View {
  return value === undefined ? html`<i class="none">nothing</i>` : html`<code class="value">${value}</code>`;
}
