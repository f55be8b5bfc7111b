import type { Signing } from '#protocol';

export interface Answer {
  readonly status: number;
  readonly body: unknown;
}

async function answerOf(response: Response): Promise<Answer> {
  const text = await response.text();
  return {
    status: response.status,
    body: response.headers.get('content-type')?.includes('json') ? (JSON.parse(text) as unknown) : text,
  };
}
export const get = async (url: string): Promise<Answer> => answerOf(await fetch(url));
export const post = async (url: string, body?: unknown): Promise<Answer> =>
  answerOf(
    await fetch(url, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      ...(body !== undefined && { body: JSON.stringify(body) }),
    }),
  );

export interface ChallengeFields {
  readonly challenge: string;
  readonly challenge_id: string;
  readonly challenge_signature: string;
}
/** A fresh challenge, signed. */
export async function challenged(url: string, signing: Signing): Promise<ChallengeFields> {
  const { body } = await get(`${url}/request_challenge/${signing.pastelId}`);
  const { challenge, challenge_id } = body as { challenge: string; challenge_id: string };
  return { challenge, challenge_id, challenge_signature: await signing.sign(challenge) };
}
/** The same in the first dialect. */
export async function firstChallenged(
  url: string,
  signing: Signing,
): Promise<{ challenge_id: string; pastelid_signature: string }> {
  const { challenge_id, challenge_signature } = await challenged(url, signing);
  return { challenge_id, pastelid_signature: challenge_signature };
}
