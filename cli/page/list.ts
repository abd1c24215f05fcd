// The list of requests at the left.

import { useEffect, useRef } from 'preact/hooks';
import { formatDuration, formatSize } from '../src/format.ts';
import type { Summary } from '../src/inspect/view.ts';
import { clock, statusKind } from './format.ts';
import { html, type View } from './html.ts';

export interface ListProps {
  requests: Summary[];
  selected: string | undefined;
  select: (id: string) => void;
}

/** The requests that are shown, newest first. The arrow keys go through them. */
export function RequestList({ requests, selected, select }: ListProps): View {
  return html`<ol class="list" role="listbox" aria-label="Requests" tabindex="0" aria-activedescendant=${selected && `request-${selected}`}>
    ${requests.map((request) => html`<${Row} key=${request.id} request=${request} selected=${request.id === selected} select=${select} />`)}
  </ol>`;
}

function Row({
  request,
  selected,
  select,
}: {
  request: Summary;
  selected: boolean;
  select: (id: string) => void;
}): View {
  const {
    id,
    at,
    method,
    target,
    status,
    cut,
    size: bytes,
    duration: took,
    findings,
    losses,
    failed,
    replayOf,
  } = request;
  const row = useRef<HTMLLIElement>(null);
  useEffect(() => {
    if (selected) row.current?.scrollIntoView({ block: 'nearest' });
  }, [selected]);
  const kind = statusKind(status, cut);
  return html`<li ref=${row} id=${`request-${id}`} class="row" role="option" aria-selected=${selected ? 'true' : 'false'} onClick=${() => select(id)}>
    <span class=${`status ${kind}`}>${status === 0 ? '···' : status}</span>
    <span class="line"><b>${method}</b> <span class="target" title=${target}>${target}</span></span>
    <span class="facts">
      <span>${clock(at)}</span>
      <span>${formatSize(bytes)}</span>
      <span>${took === undefined ? html`<i class="running">running</i>` : formatDuration(took)}</span>
      ${cut && html`<span class="badge bad">cut off</span>`}
      ${replayOf && html`<span class="badge">replay</span>`}
      ${failed && html`<span class="badge bad">failed</span>`}
      ${findings > 0 && html`<span class="badge bad">${findings} finding${findings === 1 ? '' : 's'}</span>`}
      ${losses > 0 && html`<span class="badge warn">${losses} changed</span>`}
    </span>
  </li>`;
}
