/**
 * Names and versions are printed, stored and compared: what is longer, holds spaces or control characters, or half a
 * surrogate pair (JSON can spell one) is none.
 */
const maxChars = 1024

/** In: a name or version as a file gives it. Out: whether it can be one. */
export function isIdentity(text: unknown): text is string {
  return typeof text === 'string' && text !== '' && text.length <= maxChars && text.isWellFormed() && !/[\u0000-\u0020\u007f]/.test(text)
}

/** Free text that goes along: cut, and undefined where there is none. */
export function shortText(text: string | undefined): string | undefined {
  const cut = text?.slice(0, maxChars).toWellFormed().trim()
  return cut === undefined || cut === '' ? undefined : cut
}
