// What the page's views are made with.

import htm from 'htm';
import { type ComponentChildren, h } from 'preact';

/** A view as a component returns it. */
export type View = ComponentChildren;

type Template = (strings: TemplateStringsArray, ...values: unknown[]) => View;

/** Makes a view of a template: html`<p>${text}</p>`. The package's types know its CommonJS form only. */
export const html: Template = (htm as unknown as { bind(make: typeof h): Template }).bind(h);
