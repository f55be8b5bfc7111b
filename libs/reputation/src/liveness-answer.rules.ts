/** What a peer says of itself. Null where that is no sensible number. */
export interface StatedFigures {
  readonly score: number | null;
  readonly ratio: number | null;
}

const FIGURE_MAX = 1_000_000;

/** The answer to a liveness ping: an object with a time stamp that can be read (messaging spec 3.8); undefined for anything else. */
export function statedFigures(text: string): StatedFigures | undefined {
  const answer = objectIn(text);
  const timestamp = answer?.['timestamp'];
  if (!answer || typeof timestamp !== 'string' || Number.isNaN(Date.parse(timestamp))) return undefined;
  const score = figure(answer['raw_benchmark_score']);
  return { score: score === null ? null : Math.round(score), ratio: figure(answer['performance_ratio_score']) };
}

function objectIn(text: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : undefined;
  } catch {
    return undefined;
  }
}

/** Older supernodes send numbers as text for a while after they started (messaging spec 3.6). */
function figure(value: unknown): number | null {
  const number = typeof value === 'string' && value.trim() !== '' ? Number(value) : value;
  return typeof number === 'number' && number >= 0 && number <= FIGURE_MAX ? number : null;
}
