import { ProviderFailure, type Surroundings } from '../provider.js';

/** One of several servers of the same service. */
export interface Place {
  readonly url: string;
  /** Its models, by the service's own names. */
  readonly names: readonly string[];
}

/** The places that answer, in the given order. Throws what the last one failed with where none does. */
export async function answering(
  urls: readonly string[],
  namesAt: (url: string) => Promise<readonly string[]>,
): Promise<readonly Place[]> {
  const failures: unknown[] = [];
  const answers = await Promise.all(
    urls.map((url) =>
      namesAt(url).then(
        (names) => [{ url, names }],
        (failure: unknown) => {
          failures.push(failure);
          return [];
        },
      ),
    ),
  );
  const places = answers.flat();
  if (places.length === 0) throw failures.at(-1);
  return places;
}

/**
 * Works at the first place that is there and has the model. What fails there is done once more at the next one, which is for services
 * only where that harms nobody.
 */
export async function atBest<T>(
  { signal }: Pick<Surroundings, 'signal'>,
  urls: readonly string[],
  model: string,
  namesAt: (url: string) => Promise<readonly string[]>,
  work: (url: string) => Promise<T>,
): Promise<T> {
  const [only, ...more] = urls;
  if (only !== undefined && more.length === 0) return work(only);
  const [first, second] = (await answering(urls, namesAt)).filter(({ names }) => names.includes(model));
  if (!first) throw new ProviderFailure('unavailable', 'The model service does not have this model now', true);
  try {
    return await work(first.url);
  } catch (error) {
    if (!second || signal.aborted || !isOfThePlace(error)) throw error;
    return work(second.url);
  }
}

const OF_THE_REQUEST = new Set(['refused', 'answer_too_large', 'deadline_exceeded']);
const isOfThePlace = (error: unknown): boolean => error instanceof ProviderFailure && !OF_THE_REQUEST.has(error.code);
