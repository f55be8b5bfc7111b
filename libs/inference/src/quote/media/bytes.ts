/** Whether these characters, of one byte each, stand at a place; no place beyond the end is an error. */
export function stands(bytes: Uint8Array, text: string, at: number): boolean {
  for (let i = 0; i < text.length; i++) if (bytes[at + i] !== text.charCodeAt(i)) return false;
  return true;
}
