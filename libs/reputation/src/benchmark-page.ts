import type { PeerReport } from './peer-report.js';

export interface Measured {
  /** Oldest first. */
  readonly benchmarks: readonly { readonly at_ms: number; readonly score: number }[];
  readonly hours: readonly { readonly hourMs: number; readonly asked: number; readonly answered: number }[];
  readonly peers: readonly PeerReport[];
  /** By PastelID, 0 to 5. */
  readonly scores: ReadonlyMap<string, number>;
}
interface Point {
  readonly atMs: number;
  readonly value: number;
}

const WIDTH = 900;
const HEIGHT = 220;
const MARGIN = { left: 56, right: 12, top: 12, bottom: 28 };
const POINTS_MAX = 600;

const ESCAPES: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' };
const escaped = (text: string): string => text.replace(/[&<>"']/g, (character) => ESCAPES[character]!);

/** A page that needs nothing from elsewhere and runs no script. */
export function benchmarkPage({ benchmarks, hours, peers, scores }: Measured): string {
  const speed = benchmarks.map(({ at_ms, score }) => ({ atMs: at_ms, value: score }));
  const shares = hours.map(({ hourMs, asked, answered }) => ({
    atMs: hourMs,
    value: asked === 0 ? 0 : (answered / asked) * 100,
  }));
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>Supernode benchmarks</title><style>${STYLE}</style></head><body><main>
<h1>Supernode benchmarks</h1>
<section><h2>Calls that this node's pasteld answers in four seconds</h2>${chart(speed, 'calls')}</section>
<section><h2>Pings that the other supernodes answered, in percent</h2>${chart(shares, 'percent', 100)}</section>
<section><h2>Supernodes</h2>${table(peers, scores)}</section>
</main></body></html>
`;
}

/** At most {@link POINTS_MAX} points, each the mean of its stretch. */
function thinned(points: readonly Point[], max = POINTS_MAX): Point[] {
  const width = Math.ceil(points.length / max);
  if (width <= 1) return [...points];
  const mean = (some: readonly Point[], of: (point: Point) => number): number =>
    some.reduce((sum, point) => sum + of(point), 0) / some.length;
  return Array.from({ length: Math.ceil(points.length / width) }, (_, n) => points.slice(n * width, (n + 1) * width)).map(
    (some) => ({ atMs: Math.round(mean(some, ({ atMs }) => atMs)), value: mean(some, ({ value }) => value) }),
  );
}

function chart(all: readonly Point[], unit: string, fixedTop?: number): string {
  const points = thinned(all);
  if (points.length === 0) return '<p>Nothing was measured yet.</p>';
  const [first, last] = [points[0]!.atMs, points.at(-1)!.atMs];
  const top = fixedTop ?? Math.max(1, ...points.map(({ value }) => value));
  const x = (atMs: number): number =>
    MARGIN.left + ((atMs - first) / Math.max(1, last - first)) * (WIDTH - MARGIN.left - MARGIN.right);
  const y = (value: number): number => MARGIN.top + (1 - value / top) * (HEIGHT - MARGIN.top - MARGIN.bottom);
  const path = points.map(({ atMs, value }) => `${x(atMs).toFixed(1)},${y(value).toFixed(1)}`).join(' ');
  const rules = [0, 0.5, 1].map((share) => {
    const at = y(top * share).toFixed(1);
    return `<line x1="${MARGIN.left}" x2="${WIDTH - MARGIN.right}" y1="${at}" y2="${at}"/><text x="${MARGIN.left - 6}" y="${at}" class="value">${Math.round(top * share)}</text>`;
  });
  const label = (atMs: number): string => new Date(atMs).toISOString().slice(0, 16).replace('T', ' ');
  const dot = points.length === 1 ? `<circle cx="${x(first)}" cy="${y(points[0]!.value).toFixed(1)}" r="3"/>` : '';
  return `<svg viewBox="0 0 ${WIDTH} ${HEIGHT}" role="img" aria-label="${unit} over time">
<g class="rules">${rules.join('')}</g><polyline points="${path}"/>${dot}
<text x="${MARGIN.left}" y="${HEIGHT - 8}">${label(first)} UTC</text>
<text x="${WIDTH - MARGIN.right}" y="${HEIGHT - 8}" class="end">${label(last)} UTC</text></svg>`;
}

function table(peers: readonly PeerReport[], scores: ReadonlyMap<string, number>): string {
  const rows = peers.map((peer) => {
    const cells = [
      peer.ip_address,
      peer.pastelid ?? '',
      peer.answers ? 'answers' : 'does not answer',
      peer.last_answer ?? 'never',
      peer.share_answered === null ? '' : `${(peer.share_answered * 100).toFixed(1)} %`,
      peer.performance_ratio_score === null ? '' : peer.performance_ratio_score.toFixed(2),
      scores.get(peer.pastelid ?? '')?.toFixed(2) ?? '',
    ];
    return `<tr class="${peer.answers ? 'up' : 'down'}">${cells.map((cell) => `<td>${escaped(cell)}</td>`).join('')}</tr>`;
  });
  const heads = ['Address', 'PastelID', 'State', 'Last answer', 'Answered', 'Ratio it states', 'Score'];
  return `<div class="wide"><table><thead><tr>${heads.map((head) => `<th>${head}</th>`).join('')}</tr></thead><tbody>${rows.join('\n')}</tbody></table></div>`;
}

const STYLE = `
:root{color-scheme:light dark;--ink:#1c2733;--soft:#667;--line:#d8dee6;--blue:#2f6fde;--bad:#b3261e;--page:#f7f8fa;--card:#fff}
@media(prefers-color-scheme:dark){:root{--ink:#e6e9ee;--soft:#9aa5b1;--line:#333d48;--blue:#7aa7ff;--bad:#ff8a80;--page:#12161b;--card:#1a2027}}
body{margin:0;background:var(--page);color:var(--ink);font:15px/1.5 system-ui,sans-serif}
main{max-width:60rem;margin:2rem auto;padding:0 1rem}h1{font-size:1.6rem}h2{font-size:1.05rem;margin:0 0 .75rem}
section{background:var(--card);border:1px solid var(--line);border-radius:.5rem;padding:1rem;margin:1rem 0}
svg{width:100%;height:auto}polyline{fill:none;stroke:var(--blue);stroke-width:1.5}circle{fill:var(--blue)}
.rules line{stroke:var(--line)}text{fill:var(--soft);font-size:12px}.value{text-anchor:end;dominant-baseline:middle}.end{text-anchor:end}
.wide{overflow-x:auto}table{border-collapse:collapse;width:100%;font-size:.85rem}th,td{text-align:left;padding:.35rem .6rem;border-bottom:1px solid var(--line);white-space:nowrap}
td:nth-child(2){max-width:14rem;overflow:hidden;text-overflow:ellipsis}.down td:nth-child(3){color:var(--bad)}`;
