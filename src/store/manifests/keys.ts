// JSON as different clients read it. Go's encoding/json, which most of them use, takes `Layers` for `layers`, and of a key that
// stands twice it mixes both; others take the first, or the last. A manifest must be one thing to all of them
// (GHSA-qq97-vm5h-rrhg), so its keys are read here as they are written.

export interface MemberKey {
  key: string
  /** Which object it is in: a number for each `{`. */
  object: number
  /** Objects and lists around it. */
  depth: number
}

/** Upper and lower case are one, and so are ſ and s, K and k: as Go folds them. */
export function folded(key: string): string {
  return key.toUpperCase().toLowerCase()
}

/**
 * Every key in a text, in order, in time linear in its length. In: JSON; where it is none, what looks like keys still comes, as a
 * lenient reader may read it.
 */
export function* memberKeys(text: string): Generator<MemberKey> {
  const around: number[] = []
  let objects = 0
  for (let at = 0; at < text.length; at++) {
    const character = text[at]
    if (character === '{' || character === '[') around.push(character === '{' ? ++objects : 0)
    else if (character === '}' || character === ']') around.pop()
    else if (character === '"') {
      const end = endOfString(text, at)
      if (colonFollows(text, end + 1)) yield { key: decoded(text.slice(at, end + 1)), object: around.at(-1) ?? 0, depth: around.length }
      at = end
    }
  }
}

function endOfString(text: string, start: number): number {
  let at = start + 1
  while (at < text.length && text[at] !== '"') at += text[at] === '\\' ? 2 : 1
  return at
}

function colonFollows(text: string, from: number): boolean {
  let at = from
  while (text[at] === ' ' || text[at] === '\t' || text[at] === '\n' || text[at] === '\r') at++
  return text[at] === ':'
}

function decoded(quoted: string): string {
  if (!quoted.includes('\\')) return quoted.slice(1, -1)
  try {
    return JSON.parse(quoted) as string
  } catch (error) {
    if (error instanceof SyntaxError) return quoted.slice(1, -1) // no JSON: the text as it stands
    throw error
  }
}
