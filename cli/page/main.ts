// The inspector's page: the list of requests, and the one that is looked at.

import { render } from 'preact';
import { useCallback, useEffect, useMemo, useRef, useState } from 'preact/hooks';
import type { CopyForm } from '../src/inspect/copies.ts';
import * as api from './api.ts';
import { Compare, type CompareProps } from './compare.ts';
import { COPIES, RequestDetail, useDetail } from './detail.ts';
import { Edit } from './edit.ts';
import { FILTERS, type Filter, isShown } from './format.ts';
import { html, type View } from './html.ts';
import { RequestList } from './list.ts';
import { useRequests } from './requests.ts';
import { ThemeButton } from './theme.ts';

/** Something below the actions of a request. */
type Panel =
  | { type: 'compare'; of: string; table: Omit<CompareProps, 'close'> }
  | { type: 'copy'; of: string; label: string; text: string };

function Page(): View {
  const [notice, setNotice] = useState('');
  const [filter, setFilter] = useState<Filter>('all');
  const [search, setSearch] = useState('');
  const [secrets, setSecrets] = useState(false);
  const [chosen, choose] = useState<string>();
  const [panel, setPanel] = useState<Panel>();
  const [edited, setEdited] = useState<{ of: string; request: api.EditedRequest }>();
  const [help, setHelp] = useState(false);
  const searchField = useRef<HTMLInputElement>(null);
  const failed = useCallback((error: unknown) => setNotice(error instanceof Error ? error.message : String(error)), []);
  const { app, requests, connected, paused, setPaused, waiting } = useRequests(failed);
  const shown = useMemo(() => requests.filter((each) => isShown(each, filter, search)), [requests, filter, search]);
  // Without a choice the newest is shown.
  const summary = requests.find((each) => each.id === chosen) ?? shown[0];
  const detail = useDetail(summary, secrets, failed);
  const id = summary?.id;

  const attempt = async (work: () => Promise<void>): Promise<void> => {
    try {
      await work();
    } catch (error) {
      failed(error);
    }
  };
  const replay = (request?: api.EditedRequest): void =>
    void attempt(async () => {
      if (id === undefined) return;
      const { id: made } = await api.replay(id, request);
      setEdited(undefined);
      choose(made);
      setNotice('Sent again.');
    });
  const everywhere = (request?: api.EditedRequest): void =>
    void attempt(async () => {
      if (id === undefined) return;
      setNotice('Running it on all platforms …');
      const table = await api.everywhere(id, request);
      setEdited(undefined);
      setPanel({ type: 'compare', of: id, table });
      const count = table.comparison.differences.length;
      setNotice(`Ran on ${table.platforms.length} platforms: ${count} part${count === 1 ? '' : 's'} differ.`);
    });
  const edit = (): void =>
    void attempt(async () => {
      if (id !== undefined) setEdited({ of: id, request: await api.editable(id) });
    });
  const copy = (form: CopyForm): void =>
    void attempt(async () => {
      if (id === undefined) return;
      const { text } = await api.copy(id, form);
      const label = COPIES.find((each) => each.form === form)?.label ?? form;
      setPanel({ type: 'copy', of: id, label, text });
      const copied = await navigator.clipboard.writeText(text).then(
        () => true,
        () => false,
      );
      setNotice(copied ? `Copied as ${label}.` : `The browser does not let the page copy: select the text below.`);
    });
  const actions = { replay: () => replay(), edit, everywhere: () => everywhere(), copy };
  const move = (by: number): void => {
    const at = shown.findIndex((each) => each.id === id);
    const next = shown[Math.min(shown.length - 1, Math.max(0, at + by))];
    if (next !== undefined) choose(next.id);
  };

  const keys = (event: KeyboardEvent): void => {
    const field = event.target as HTMLElement;
    const isField = /^(?:INPUT|TEXTAREA|SELECT)$/.test(field.tagName);
    if (event.key === 'Escape' && field === searchField.current) {
      setSearch('');
      field.blur();
      event.preventDefault();
    }
    if (isField || edited !== undefined || event.ctrlKey || event.metaKey || event.altKey) return;
    const form = COPIES.find((each) => each.key === event.key)?.form;
    const isScrollable = field.closest('.content, .scroll') !== null;
    if (form !== undefined) copy(form);
    else if (event.key === '/') searchField.current?.focus();
    else if (event.key === 'j' || (event.key === 'ArrowDown' && !isScrollable)) move(1);
    else if (event.key === 'k' || (event.key === 'ArrowUp' && !isScrollable)) move(-1);
    else if (event.key === 'r') replay();
    else if (event.key === 'e') edit();
    else if (event.key === 'p') everywhere();
    else if (event.key === 's') setSecrets(!secrets);
    else if (event.key === '?') setHelp(!help);
    else if (event.key === 'Escape') {
      setPanel(undefined);
      setHelp(false);
      choose(undefined);
    } else return;
    event.preventDefault();
  };
  useEffect(() => {
    addEventListener('keydown', keys);
    return () => removeEventListener('keydown', keys);
  });

  const through = app && `${app.platform}${app.stream ? ', streamed' : ''}`;
  return html`<header class="bar">
      <h1>Waygate inspector</h1>
      ${app && html`<p><b>${app.name}</b> through <span class="badge">${through}</span> ${app.origin && html`on <a href=${app.origin} target="_blank" rel="noopener">${app.origin}</a>`}${!app.validate && html` <small>validator off: add --validate</small>`}</p>`}
      <p class=${`connection ${connected ? 'good' : 'bad'}`} role="status">${connected ? 'live' : 'not connected'}</p>
      <button type="button" aria-pressed=${secrets ? 'true' : 'false'} onClick=${() => setSecrets(!secrets)} title="Key s">Show secrets</button>
      <${ThemeButton} />
      <button type="button" onClick=${() => setHelp(!help)} aria-expanded=${help ? 'true' : 'false'} title="Key ?">Keys</button>
    </header>
    ${help && html`<${Help} />`}
    <p class="notice" role="status" aria-live="polite">${notice}</p>
    <main>
      <nav aria-label="Requests">
        <div class="tools">
          <input ref=${searchField} type="search" aria-label="Search" placeholder="Search ( / )" value=${search} onInput=${(event: Event) => setSearch((event.target as HTMLInputElement).value)} />
          <select aria-label="Filter" value=${filter} onChange=${(event: Event) => setFilter((event.target as HTMLSelectElement).value as Filter)}>
            ${FILTERS.map((each) => html`<option value=${each}>${each}</option>`)}
          </select>
          <button type="button" aria-pressed=${paused ? 'true' : 'false'} onClick=${() => setPaused(!paused)}>${paused ? `Go on (${waiting})` : 'Pause'}</button>
          <button type="button" onClick=${() => void attempt(async () => void (await api.clear()))}>Clear</button>
        </div>
        <p class="count">${shown.length} of ${requests.length} requests</p>
        <${RequestList} requests=${shown} selected=${id} select=${choose} />
      </nav>
      ${
        detail
          ? html`<${RequestDetail} detail=${detail} actions=${actions}>
        ${panel?.of === id && html`<${PanelView} panel=${panel} close=${() => setPanel(undefined)} />`}
      <//>`
          : html`<p class="welcome">${requests.length === 0 ? html`Send a request to ${app?.origin ? html`<a href=${app.origin} target="_blank" rel="noopener">${app.origin}</a>` : 'the app'}: it is shown here.` : ''}</p>`
      }
    </main>
    ${edited && html`<${Edit} key=${edited.of} request=${edited.request} close=${() => setEdited(undefined)} send=${(request: api.EditedRequest, all: boolean) => (all ? everywhere(request) : replay(request))} />`}`;
}

function PanelView({ panel, close }: { panel: Panel | undefined; close: () => void }): View {
  if (panel?.type === 'compare') return html`<${Compare} ...${panel.table} close=${close} />`;
  if (panel?.type !== 'copy') return null;
  return html`<section class="copied" aria-label="Copy">
    <header><h3>As ${panel.label}, secrets masked</h3><button type="button" onClick=${close}>Close</button></header>
    <pre class="code" tabindex="0">${panel.text}</pre>
  </section>`;
}

const KEYS: [string, string][] = [
  ['j, k, arrows', 'next and previous request'],
  ['/', 'search'],
  ['r', 'replay'],
  ['e', 'edit and replay'],
  ['p', 'replay on all platforms'],
  ['c, v, t, i', 'copy as curl, event, test, waygate invoke'],
  ['s', 'show secrets'],
  ['Esc', 'close, and follow the newest request'],
  ['?', 'these keys'],
];

function Help(): View {
  return html`<dl class="help">${KEYS.map(([key, what]) => html`<div><dt><kbd>${key}</kbd></dt><dd>${what}</dd></div>`)}</dl>`;
}

render(html`<${Page} />`, document.getElementById('root') as HTMLElement);
