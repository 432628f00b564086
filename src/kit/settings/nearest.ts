/**
 * In: what was written and the names that exist. Out: the nearest by edit distance (Levenshtein), or undefined where none is
 * near enough to be meant: a third of the letters may differ.
 */
export function nearest(given: string, names: readonly string[]): string | undefined {
  if (given.length > 100) return undefined
  const wanted = given.toLowerCase()
  let best: string | undefined
  let least = Math.max(2, Math.floor(wanted.length / 3)) + 1
  for (const name of names) {
    const distance = editDistance(wanted, name.toLowerCase())
    if (distance < least) [best, least] = [name, distance]
  }
  return best
}

/** Insertions, deletions and substitutions that lead from one text to the other. */
export function editDistance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, index) => index)
  for (let i = 1; i <= a.length; i++) {
    const next = [i]
    for (let j = 1; j <= b.length; j++) {
      const substituted = (row[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1)
      next.push(Math.min(substituted, (row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1))
    }
    row = next
  }
  return row[b.length] ?? 0
}
