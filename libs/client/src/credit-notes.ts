import { closestTo, type Candidate } from './choice.js';
import { fetchOutcome, type InferenceOutcome } from './inference-completion.js';
import { quoteOf, trackingAddressOf, wishOf, type InferenceOptions } from './run-inference.js';
import type { OpenCreditNote } from './shapes.js';
import { ClientError, isSupernodeTrouble, type UserSide } from './side.js';

const TIMEOUT_MS = 30_000;
const SUPERNODES_MAX = 100;

/** A note, and who wrote it and will take it. */
export interface HeldCreditNote extends OpenCreditNote {
  readonly candidate: Candidate;
}

/** The credit notes of the user at every supernode that answers; a note is good only where it was written. */
export async function creditNotesOf(side: UserSide): Promise<HeldCreditNote[]> {
  const candidates = (await closestTo(side, side.signing.pastelId)).slice(0, SUPERNODES_MAX);
  const answers = await Promise.all(
    candidates.map(async (candidate) => {
      const { client, pastelId } = candidate;
      const notes = await client.creditNotes({ expectedSigner: pastelId, timeoutMs: TIMEOUT_MS }).catch((error: unknown) => {
        if (!isSupernodeTrouble(error)) throw error;
        side.report?.({ step: 'notes', text: error.message });
        return [];
      });
      return notes.map((note) => ({ ...note, candidate }));
    }),
  );
  return answers.flat();
}

/**
 * Runs one inference on a credit note, at the supernode that wrote it.
 * 1. Finds the note.
 * 2. Asks for a quote that names it: nothing is to be burned.
 * 3. Accepts the quote, waits for the result, fetches and checks it.
 */
export async function runOnCreditNote(
  side: UserSide,
  options: InferenceOptions,
  creditNoteId: string,
): Promise<InferenceOutcome> {
  const held = (await creditNotesOf(side)).find(({ note }) => note.credit_note_id === creditNoteId);
  if (!held)
    throw new ClientError(
      'bad-input',
      `No supernode that answers has written the credit note ${creditNoteId} for ${side.signing.pastelId}`,
    );
  const { candidate } = held;
  const wish = wishOf({ ...options, parameters: { ...options.parameters, credit_note_id: creditNoteId } });
  const { request, response, costTenths } = await quoteOf(
    side,
    candidate,
    options,
    wish,
    await trackingAddressOf(side, options.packTxid),
  );
  await candidate.client.redeemCreditNote(request.inference_request_id);
  side.report?.({ step: 'redeemed', text: `${candidate.client.url} takes the credit note`, waitsFor: 'the result' });
  const paid = { request, response, costTenths, supernodePastelId: candidate.pastelId, supernodeUrl: candidate.client.url };
  const outcome = await fetchOutcome(side, candidate.client, paid, options.timeoutMs);
  await options.keep?.(outcome);
  return outcome;
}
