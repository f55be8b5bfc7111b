import type { LogLines } from './log-forms.js';
import { PAGE_SCRIPT } from './log-page.script.js';
import { PAGE_STYLE } from './log-page.style.js';

interface PageContent extends LogLines {
  readonly minutes: number;
  readonly nonce: string;
  /** Older lines of the time asked for were left out. */
  readonly truncated: boolean;
}

/** Headers of the page: only its own script and style run, and it talks to its own server alone. */
export const pagePolicy = (nonce: string): Record<string, string> => ({
  'Content-Security-Policy': [
    "default-src 'none'",
    `script-src 'nonce-${nonce}'`,
    `style-src 'nonce-${nonce}'`,
    "connect-src 'self'",
    'img-src data:',
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
  ].join('; '),
  'Referrer-Policy': 'no-referrer',
  'X-Frame-Options': 'DENY',
});

/** JSON that cannot end the element it stands in. */
const inScript = (value: unknown): string =>
  JSON.stringify(value).replace(
    /[<>&\u2028\u2029]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );

const SPANS: readonly (readonly [minutes: number, name: string])[] = [
  [5, '5 minutes'],
  [15, '15 minutes'],
  [60, '1 hour'],
  [360, '6 hours'],
  [1440, '1 day'],
  [10_080, '1 week'],
];

function spanOptions(minutes: number): string {
  const spans = SPANS.some(([known]) => known === minutes) ? SPANS : [[minutes, `${minutes} minutes`] as const, ...SPANS];
  return spans
    .map(([value, name]) => `<option value="${value}"${value === minutes ? ' selected' : ''}>Last ${name}</option>`)
    .join('');
}

const COPY_ICON =
  '<svg viewBox="0 0 24 24" aria-hidden="true"><rect x="9" y="9" width="11" height="11" rx="2"/><path d="M5 15V6a2 2 0 0 1 2-2h9"/></svg>';
const DOWNLOAD_ICON = '<svg viewBox="0 0 24 24" aria-hidden="true"><path d="M12 4v11m-5-5 5 5 5-5M5 20h14"/></svg>';

/** One file that needs nothing else. Log text reaches it as data and is shown through text nodes only. */
export function logPage({ minutes, nonce, truncated, ...lines }: PageContent): string {
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="dark">
<title>Supernode log</title>
<link rel="icon" href="data:,">
<style nonce="${nonce}">${PAGE_STYLE}</style>
</head>
<body>
<header>
  <h1>Supernode log</h1>
  <span id="status" role="status" data-state="live">live</span>
  <div class="controls">
    <select id="span" aria-label="Time shown">${spanOptions(minutes)}</select>
    <select id="level" aria-label="Lowest level shown">
      <option value="0">All levels</option>
      <option value="1">Info and up</option>
      <option value="2">Warnings and up</option>
      <option value="3">Errors only</option>
    </select>
    <input id="filter" type="search" placeholder="Filter text  ( / )" aria-label="Show lines with this text" autocomplete="off" spellcheck="false" maxlength="200">
    <span id="count"></span>
    <button id="follow-button" type="button" aria-pressed="true" title="Scroll along with new lines">Following</button>
    <button id="copy-button" type="button" title="Copy the lines shown">${COPY_ICON}<span>Copy</span></button>
    <button id="download-button" type="button" title="Save the lines shown">${DOWNLOAD_ICON}<span>Save</span></button>
  </div>
</header>
<main id="scroller" tabindex="0" aria-label="Log lines">
  <p id="truncated"${truncated ? '' : ' hidden'}>Older lines of this time are left out here; they are in the log file.</p>
  <pre id="log-container" class="log-container"></pre>
  <p id="empty" hidden></p>
</main>
<button id="newer-button" type="button" hidden></button>
<noscript><p>This page needs its script. The same lines as JSON: send the header <code>Accept: application/json</code>.</p></noscript>
<script type="application/json" id="first" nonce="${nonce}">${inScript({ minutes, ...lines })}</script>
<script nonce="${nonce}">${PAGE_SCRIPT}</script>
</body>
</html>
`;
}
