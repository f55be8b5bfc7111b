import { Refusal } from '#protocol';
import type { Media, MediaFacts } from '../../providers/provider.js';
import { audioFacts } from './audio-facts.rules.js';
import { imageFacts } from './image-facts.rules.js';
import { pdfFacts } from './pdf-facts.rules.js';

/** What a file must be; `pages` and formats are those of the work that is asked for. */
export type Wanted =
  | { readonly kind: 'image' }
  | { readonly kind: 'audio' }
  | { readonly kind: 'document'; readonly pagesMax: number; readonly office: boolean };

const MIB = 2 ** 20;
const BYTES_MAX: Readonly<Record<Wanted['kind'], number>> = { image: 20 * MIB, audio: 32 * MIB, document: 32 * MIB };
const TEXT_BYTES_MAX = 8 * MIB;
const IMAGE_SIDE_MAX = 16_384;
const IMAGE_PIXELS_MAX = 64 * MIB;
/** Four hours. */
const AUDIO_SECONDS_MAX = 14_400;

export const EXPECTED: Readonly<Record<Wanted['kind'], string>> = {
  image: 'a PNG, JPEG, WebP or GIF picture',
  audio: 'a sound in MP3, WAV, FLAC, Ogg (Vorbis, Opus) or M4A that tells its length',
  document: 'a PDF or a text',
};

/** The file with what its bytes tell; `undefined` where it is something else. Throws a Refusal for what is beyond the limits. */
export function mediaIn(bytes: Buffer, wanted: Wanted, field: string): Media | undefined {
  const facts = factsOf(bytes, wanted, field);
  if (!facts) return undefined;
  const most = facts.kind === 'document' && facts.format === 'text' ? TEXT_BYTES_MAX : BYTES_MAX[wanted.kind];
  if (bytes.length > most) throw refused(field, `is larger than ${most / MIB} MiB`);
  return { bytes, facts };
}

function factsOf(bytes: Buffer, wanted: Wanted, field: string): MediaFacts | undefined {
  switch (wanted.kind) {
    case 'image': {
      const facts = imageFacts(bytes);
      if (facts && (Math.max(facts.width, facts.height) > IMAGE_SIDE_MAX || facts.width * facts.height > IMAGE_PIXELS_MAX))
        throw refused(
          field,
          `has ${facts.width} x ${facts.height} pixels; ${IMAGE_SIDE_MAX} a side and 64 million in all at most`,
        );
      return facts;
    }
    case 'audio': {
      const facts = audioFacts(bytes);
      if (facts && facts.seconds > AUDIO_SECONDS_MAX)
        throw refused(field, `plays for ${facts.seconds} seconds; ${AUDIO_SECONDS_MAX} at most`);
      return facts;
    }
    case 'document':
      return documentFacts(bytes, wanted, field);
  }
}

function documentFacts(
  bytes: Buffer,
  { pagesMax, office }: Extract<Wanted, { kind: 'document' }>,
  field: string,
): MediaFacts | undefined {
  const pdf = pdfFacts(bytes);
  if (pdf) {
    if (pdf.isEncrypted) throw refused(field, 'is an encrypted PDF, which no model reads');
    // A file whose pages cannot be counted counts as the longest that is taken.
    const pages = pdf.pages ?? pagesMax;
    if (pages > pagesMax) throw refused(field, `has ${pages} pages; ${pagesMax} at most`);
    return { kind: 'document', format: 'pdf', pages };
  }
  const format = office ? officeFormat(bytes) : undefined;
  if (format) return { kind: 'document', format, pages: 1 };
  return isText(bytes) ? { kind: 'document', format: 'text', pages: 1 } : undefined;
}

/** Zip files whose list of contents names the part that only this format has. */
const OFFICE_PARTS = [
  ['docx', 'word/document.xml'],
  ['pptx', 'ppt/presentation.xml'],
  ['xlsx', 'xl/workbook.xml'],
  ['odt', 'mimetypeapplication/vnd.oasis.opendocument.text'],
  ['epub', 'mimetypeapplication/epub+zip'],
] as const;
function officeFormat(bytes: Buffer): (typeof OFFICE_PARTS)[number][0] | undefined {
  if (bytes.subarray(0, 4).toString('latin1') !== 'PK\x03\x04') return undefined;
  return OFFICE_PARTS.find(([, part]) => bytes.includes(part))?.[0];
}

const utf8 = new TextDecoder('utf-8', { fatal: true });
/** UTF-8 that somebody can read: something in it, and no zero bytes. */
function isText(bytes: Buffer): boolean {
  if (bytes.length === 0 || bytes.length > TEXT_BYTES_MAX || bytes.includes(0)) return false;
  try {
    return utf8.decode(bytes).trim() !== '';
  } catch {
    return false;
  }
}

export const refused = (field: string, problem: string): Refusal =>
  new Refusal('bad-request', `model_input_data_json_b64: ${field} ${problem}`);
