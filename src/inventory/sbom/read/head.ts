/** Out: whether bytes that begin so are JSON, and so no archive. */
export function isJsonHead(head: Buffer): boolean {
  return /^\uFEFF?\s*\{/.test(head.toString('utf8'))
}
