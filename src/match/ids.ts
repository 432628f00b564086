/** By character code, so that it is the same everywhere. */
export function compareIds(a: string, b: string): number {
  return a === b ? 0 : a < b ? -1 : 1
}
