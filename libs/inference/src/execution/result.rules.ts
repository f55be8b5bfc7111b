import { encodeBase64, pythonAsciiJson } from '#protocol';
import type { FailureCode, Outcome } from '../providers/provider.js';

/** Larger answers are not stored: they would not travel either. */
export const RESULT_BYTES_MAX = 32 * 2 ** 20;

/** The two fields of a result message that hold what came out: Python's `json.dumps` of it (inference spec 3.4). */
export interface ResultFields {
  readonly inference_result_json_base64: string;
  readonly inference_result_file_type_strings: string;
}

/** `undefined` where the answer is too large to be stored. */
export function resultFields({
  output,
  outputText,
  files,
}: Pick<Outcome, 'output' | 'outputText' | 'files'>): ResultFields | undefined {
  const text = pythonAsciiJson(output);
  if (text.length > RESULT_BYTES_MAX) return undefined;
  return {
    inference_result_json_base64: encodeBase64(text),
    inference_result_file_type_strings: pythonAsciiJson({ output_text: outputText, output_files: files }),
  };
}

export type UnservedCode = FailureCode | 'internal_error' | 'burn_too_late' | 'burn_overpaid' | 'burn_overdrawn';

interface Unserved {
  readonly type: string;
  readonly code: UnservedCode;
  readonly message: string;
  readonly creditNoteId: string;
}

/**
 * What an unserved request answers with, so that a polling client learns of it instead of waiting for ever (inference spec 5.7). Clients decode
 * the `image` of a picture without looking: it is there, and empty.
 */
export function unservedFields({ type, code, message, creditNoteId }: Unserved): ResultFields {
  const error = { code, message, credit_note_id: creditNoteId };
  const output = type === 'text_to_image' ? { image: '', error } : { error };
  return resultFields({ output, outputText: 'json', files: ['NA'] })!;
}
