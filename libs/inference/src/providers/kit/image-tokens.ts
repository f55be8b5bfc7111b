/** Pixels of a picture as it was sent. */
export interface PictureSize {
  readonly width: number;
  readonly height: number;
}

/** OpenAI's low base and each tile of 512 pixels. */
const BASE_TOKENS = 85;
const TILE_TOKENS = 170;
const TILE = 512;
const LONG_SIDE = 2048;
const SHORT_SIDE = 768;

/**
 * A picture in high detail as the reference counts it (inference spec 4.4): fit into 2048 pixels, the short side brought to 768, and tiles
 * counted with the long side at 2048. OpenAI itself counts the tiles of the second step, which are fewer. A short side of 768 from the start,
 * on which the reference broke, is no special case.
 */
export function openAiImageTokens(picture: PictureSize): number {
  const { width, height } = withShortSide(fitted(picture, LONG_SIDE), SHORT_SIDE);
  const isWide = width > height;
  const short = isWide ? Math.floor((LONG_SIDE * height) / width) : Math.floor((LONG_SIDE * width) / height);
  return BASE_TOKENS + TILE_TOKENS * Math.ceil(LONG_SIDE / TILE) * Math.ceil(Math.max(short, 1) / TILE);
}

function fitted({ width, height }: PictureSize, side: number): PictureSize {
  const long = Math.max(width, height);
  if (long <= side) return { width, height };
  return { width: scaled(width, side, long), height: scaled(height, side, long) };
}
function withShortSide({ width, height }: PictureSize, side: number): PictureSize {
  const short = Math.min(width, height);
  return { width: scaled(width, side, short), height: scaled(height, side, short) };
}
const scaled = (length: number, over: number, under: number): number => Math.max(1, Math.floor((length * over) / under));

const PIXTRAL_SIDE = 1024;
const PIXTRAL_PATCH = 16;
/** Patches of 16 pixels after fitting into 1024. */
export function pixtralImageTokens(picture: PictureSize): number {
  const { width, height } = fitted(picture, PIXTRAL_SIDE);
  return Math.ceil(width / PIXTRAL_PATCH) * Math.ceil(height / PIXTRAL_PATCH);
}

/** What a Claude model sees of a picture at most. */
export interface ClaudeSight {
  readonly side: number;
  readonly tokens: number;
}
/** Of all models before Opus 4.7. */
export const CLAUDE_SIGHT: ClaudeSight = { side: 1568, tokens: 1600 };
/** Of Opus 4.7 and what came after it. */
export const CLAUDE_SHARP_SIGHT: ClaudeSight = { side: 2576, tokens: 4784 };
const CLAUDE_PIXELS_A_TOKEN = 750;
const CLAUDE_PATCH = 28;

/** A token for 750 pixels, or a patch of 28 pixels, whichever gives more; larger pictures are made smaller until they fit. */
export function claudeImageTokens(picture: PictureSize, sight: ClaudeSight): number {
  const { width, height } = fitted(picture, sight.side);
  const byPixels = Math.ceil((width * height) / CLAUDE_PIXELS_A_TOKEN);
  const byPatches = Math.ceil(width / CLAUDE_PATCH) * Math.ceil(height / CLAUDE_PATCH);
  return Math.min(Math.max(byPixels, byPatches), sight.tokens);
}
