// The form by which a request is changed before it is sent again.

import { useEffect, useRef, useState } from 'preact/hooks';
import type { EditedRequest } from './api.ts';
import { html, type View } from './html.ts';

export interface EditProps {
  request: EditedRequest;
  send: (request: EditedRequest, everywhere: boolean) => void;
  close: () => void;
}

export function Edit({ request, send, close }: EditProps): View {
  const dialog = useRef<HTMLDialogElement>(null);
  const [method, setMethod] = useState(request.method);
  const [target, setTarget] = useState(request.target);
  const [headers, setHeaders] = useState(request.headers.map(([name, value]) => `${name}: ${value}`).join('\n'));
  const [text, setText] = useState(request.text ?? '');
  const isBinary = request.base64 !== undefined;
  useEffect(() => dialog.current?.showModal(), []);
  const edited = (): EditedRequest => ({
    method,
    target,
    headers: headers
      .split('\n')
      .filter((line) => line.trim() !== '')
      .map(headerLine),
    ...(isBinary ? { base64: request.base64 } : text === '' ? {} : { text }),
  });
  const submit = (event: Event): void => {
    event.preventDefault();
    const { submitter } = event as SubmitEvent;
    send(edited(), submitter?.getAttribute('value') === 'everywhere');
  };
  const value = (set: (text: string) => void) => (event: Event) => set((event.target as HTMLInputElement).value);
  return html`<dialog ref=${dialog} class="edit" aria-label="Edit and replay" onClose=${close}>
    <form onSubmit=${submit}>
      <h3>Edit and replay</h3>
      <div class="request-line">
        <label>Method <input name="method" value=${method} onInput=${value(setMethod)} required size="8" /></label>
        <label class="wide">Target <input name="target" value=${target} onInput=${value(setTarget)} required /></label>
      </div>
      <label>Headers, one on each line. Masked values stay what they were.
        <textarea name="headers" rows="8" spellcheck="false" value=${headers} onInput=${value(setHeaders)}></textarea></label>
      ${
        isBinary
          ? html`<p class="none">The body is not text and is sent as it was.</p>`
          : html`<label>Body <textarea name="body" rows="6" spellcheck="false" value=${text} onInput=${value(setText)}></textarea></label>`
      }
      <div class="actions">
        <button type="submit" class="main" value="here">Send</button>
        <button type="submit" value="everywhere">Send on all platforms</button>
        <button type="button" onClick=${() => dialog.current?.close()}>Cancel</button>
      </div>
    </form>
  </dialog>`;
}

function headerLine(line: string): [string, string] {
  const colon = line.indexOf(':', 1);
  return colon === -1 ? [line, ''] : [line.slice(0, colon).trim(), line.slice(colon + 1).trim()];
}
