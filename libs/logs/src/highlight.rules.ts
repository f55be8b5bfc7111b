/** What a piece of a log line is; `text` is the rest. */
type TokenKind =
  | 'text'
  | 'time'
  | 'level'
  | 'success'
  | 'failure'
  | 'pending'
  | 'response'
  | 'quoted'
  | 'literal'
  | 'code'
  | 'url'
  | 'rule'
  | 'uuid'
  | 'pastelid'
  | 'address'
  | 'txid'
  | 'hash';
export type Token = readonly [kind: TokenKind, text: string];

/** The original's colours (messaging spec 7.3) for the HTML that its readers get; ours for what it did not tell apart. */
const COLOURS: Readonly<Record<Exclude<TokenKind, 'text'>, string>> = {
  success: '#baffc9',
  failure: '#ffb3ba',
  pending: '#ffdfba',
  response: '#ffffba',
  quoted: '#bdc7e7',
  literal: '#d5db9c',
  code: '#a8d8ea',
  url: '#e2a8a8',
  time: '#ece2d0',
  rule: '#d6e0f0',
  uuid: '#d5f2ea',
  hash: '#f2ebd3',
  txid: '#f2ebd3',
  level: '#ffdfba',
  pastelid: '#c9b6f2',
  address: '#b6e3f2',
};

const BASE58 = '[1-9A-HJ-NP-Za-km-z]';
/** In the order in which they are tried at a place; each name is a kind. */
const NAMED: readonly (readonly [TokenKind, string])[] = [
  ['url', String.raw`https?:\/\/[^\s"'<>\x60]{0,2000}[\w/]`],
  [
    'time',
    String.raw`\b\d{4}-\d{2}-\d{2}(?: \d{2}:\d{2}:\d{2}(?:,\d{3})?|T\d{2}:\d{2}:\d{2}(?:\.\d{1,9})?(?:Z|[+-]\d{2}:\d{2})?)(?!\d)`,
  ],
  ['uuid', String.raw`\b[\da-fA-F]{8}(?:-[\da-fA-F]{4}){3}-[\da-fA-F]{12}\b`],
  ['hash', String.raw`\b[\da-fA-F]{64}\b`],
  ['pastelid', String.raw`\bjX${BASE58}{84}\b`],
  ['address', String.raw`\b(?:P[t-z]${BASE58}{33}|t[M-Z]${BASE58}{33}|44${BASE58}{34})\b`],
  ['level', String.raw`\b(?:DEBUG|INFO|WARNING|ERROR|CRITICAL)\b`],
  ['success', String.raw`\b[Ss]uccess\w{0,20}|\bSUCCESS\w{0,20}`],
  ['failure', String.raw`\b(?:[Ee]rror\b|[Ff]ail\w{0,20}|FAIL\w{0,20})`],
  ['pending', String.raw`\b(?:[Pp]ending|PENDING)\b`],
  ['response', String.raw`\b(?:[Rr]esponse|RESPONSE)\b`],
  ['rule', String.raw`_{100,}`],
];
/** Marks that hold a value; an apostrophe within a word holds nothing. */
const HELD: readonly (readonly [TokenKind, string])[] = [
  ['quoted', String.raw`"[^"\n]{0,4000}"`],
  ['literal', String.raw`(?<!\w)'[^'\n]{0,4000}'(?!\w)`],
  ['code', String.raw`\x60[^\x60\n]{0,4000}\x60`],
];
const alternatives = (named: readonly (readonly [string, string])[]): string =>
  named.map(([kind, pattern]) => `(?<${kind}>${pattern})`).join('|');
const INSIDE = new RegExp(alternatives(NAMED), 'g');
const OUTSIDE = new RegExp(alternatives([...HELD, ...NAMED]), 'g');
const HOLDERS: ReadonlySet<string> = new Set(HELD.map(([kind]) => kind));
const BEFORE_TXID = /(?:tx_?id|transaction(?: id)?|outpoint)\W{0,6}$/i;
const LOOK_BACK = 24;

/**
 * Cuts a raw line into pieces that together are the line, to the character. Quotes stay. What stands between quotes is cut again,
 * so that an id inside is found as well.
 */
export const highlight = (line: string): Token[] => joined(pieces(line, OUTSIDE, 'text'));

/** `before` is what stands left of the text. */
function pieces(text: string, pattern: RegExp, rest: TokenKind, before = ''): Token[] {
  const tokens: Token[] = [];
  let done = 0;
  for (const match of text.matchAll(pattern)) {
    const left = (before + text.slice(Math.max(0, match.index - LOOK_BACK), match.index)).slice(-LOOK_BACK);
    const kind = kindOf(match, left);
    if (match.index > done) tokens.push([rest, text.slice(done, match.index)]);
    if (HOLDERS.has(kind)) tokens.push(...pieces(match[0], INSIDE, kind, left));
    else tokens.push([kind, match[0]]);
    done = match.index + match[0].length;
  }
  if (done < text.length) tokens.push([rest, text.slice(done)]);
  return tokens;
}

function kindOf({ groups }: RegExpExecArray, left: string): TokenKind {
  const [kind] = Object.entries(groups ?? {}).find(([, found]) => found !== undefined) ?? ['text'];
  // A transaction and a hash look alike; the word before it tells.
  if (kind === 'hash' && BEFORE_TXID.test(left)) return 'txid';
  return kind as TokenKind;
}

function joined(tokens: readonly Token[]): Token[] {
  const result: [TokenKind, string][] = [];
  for (const [kind, text] of tokens) {
    const last = result.at(-1);
    if (last?.[0] === kind && kind === 'text') last[1] += text;
    else result.push([kind, text]);
  }
  return result;
}

const ENTITIES: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#x27;' };
const escaped = (text: string): string => text.replace(/[&<>"']/g, (character) => ENTITIES[character]!);

/** A line as HTML for readers of the original's form: spans with a colour, and nothing else that could be a tag. */
export const lineHtml = (line: string): string =>
  highlight(line)
    .map(([kind, text]) => (kind === 'text' ? escaped(text) : `<span style="color: ${COLOURS[kind]};">${escaped(text)}</span>`))
    .join('');
