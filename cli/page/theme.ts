// Dark, light, or as the system has it.

import { useEffect, useState } from 'preact/hooks';
import { html, type View } from './html.ts';

const THEMES = ['system', 'light', 'dark'] as const;

type Theme = (typeof THEMES)[number];

function stored(): Theme {
  try {
    return THEMES.find((each) => each === localStorage.getItem('waygate-theme')) ?? 'system';
  } catch {
    return 'system';
  }
}

export function ThemeButton(): View {
  const [theme, setTheme] = useState(stored);
  useEffect(() => {
    document.documentElement.dataset.theme = theme;
    try {
      localStorage.setItem('waygate-theme', theme);
    } catch {
      // Then it holds as long as the page.
    }
  }, [theme]);
  const next = THEMES[(THEMES.indexOf(theme) + 1) % THEMES.length] as Theme;
  return html`<button type="button" onClick=${() => setTheme(next)} aria-label=${`Theme: ${theme}. Change to ${next}`}>Theme: ${theme}</button>`;
}
