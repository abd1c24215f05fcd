// One request: its actions, what was found, and its stages.

import { useEffect, useState } from 'preact/hooks';
import { formatDuration, formatSize } from '../src/format.ts';
import type { CopyForm } from '../src/inspect/copies.ts';
import type { Detail, Summary } from '../src/inspect/view.ts';
import * as api from './api.ts';
import { statusKind } from './format.ts';
import { html, type View } from './html.ts';
import { Stages } from './stages.ts';

/** What can be done with a request. */
export interface Actions {
  replay: () => void;
  edit: () => void;
  everywhere: () => void;
  copy: (form: CopyForm) => void;
}

/** How often a request that goes on is asked for, in milliseconds. */
const REFRESH = 250;

/** All that is known of a request, while it goes on. */
export function useDetail(
  summary: Summary | undefined,
  secrets: boolean,
  failed: (error: unknown) => void,
): Detail | undefined {
  const [detail, setDetail] = useState<Detail>();
  const id = summary?.id;
  const revision = summary?.revision;
  useEffect(() => {
    if (id === undefined) {
      setDetail(undefined);
      return;
    }
    let current = true;
    const ask = (): void => {
      api.detail(id, secrets).then(
        (found) => {
          if (current) setDetail(found);
        },
        (error) => {
          if (current) failed(error);
        },
      );
    };
    // The first at once; of many changes the last.
    if (detail?.id !== id || revision === undefined || detail.duration !== undefined) ask();
    const timer = detail?.id === id ? setTimeout(ask, REFRESH) : undefined;
    return () => {
      current = false;
      clearTimeout(timer);
    };
  }, [id, revision, secrets]);
  return detail?.id === id ? detail : undefined;
}

/** The forms of a copy, with the keys that make them. */
export const COPIES: readonly { form: CopyForm; label: string; key: string }[] = [
  { form: 'curl', label: 'curl', key: 'c' },
  { form: 'event', label: 'event', key: 'v' },
  { form: 'test', label: 'test', key: 't' },
  { form: 'invoke', label: 'waygate invoke', key: 'i' },
];

export function RequestDetail({
  detail,
  actions,
  children,
}: {
  detail: Detail;
  actions: Actions;
  children?: View;
}): View {
  const { method, target, status, cut, size: bytes, duration: took, remote, replayOf, found } = detail;
  return html`<article class="detail" aria-label="Request">
    <header>
      <h2><span class=${`status ${statusKind(status, cut)}`}>${status === 0 ? '···' : status}</span> ${method} <span class="target">${target}</span></h2>
      <p class="facts">
        <span>${took === undefined ? 'running' : formatDuration(took)}</span> <span>${formatSize(bytes)}</span>
        ${remote && html`<span>from ${remote}</span>`} ${replayOf && html`<span class="badge">replay</span>`} ${cut && html`<span class="badge bad">cut off</span>`}
      </p>
      <div class="actions" role="toolbar" aria-label="Actions">
        <button type="button" onClick=${actions.replay} title="Key r">Replay</button>
        <button type="button" onClick=${actions.edit} title="Key e">Edit and replay</button>
        <button type="button" onClick=${actions.everywhere} title="Key p">Replay on all platforms</button>
        <span class="group" role="group" aria-label="Copy as">
          <span>Copy as</span>
          ${COPIES.map(({ form, label, key }) => html`<button type="button" onClick=${() => actions.copy(form)} title=${`Key ${key}`}>${label}</button>`)}
        </span>
      </div>
    </header>
    ${
      found.length > 0 &&
      html`<ul class="findings" aria-label="Findings of the validator">
        ${found.map(({ rule, text, link }) => html`<li>${link ? html`<a href=${link} target="_blank" rel="noopener">${rule}</a>` : html`<b>${rule}</b>`} ${text}</li>`)}
      </ul>`
    }
    ${children}
    <${Stages} detail=${detail} />
  </article>`;
}
