// Grammar of repository names and tags: OCI distribution-spec, "Pulling manifests".

const repository = /^[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*(?:\/[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*)*$/
const tag = /^[A-Za-z0-9_][A-Za-z0-9._-]{0,127}$/

export function isRepositoryName(text: string): boolean {
  return text.length <= 255 && repository.test(text)
}

export function isTag(text: string): boolean {
  return tag.test(text)
}

/**
 * A repository pattern: `*` stands for part of one path segment, `**` for any number of whole segments.
 * In: pattern and name. Out: whether the pattern covers the name.
 */
export function matchesPattern(pattern: string, name: string): boolean {
  return matchSegments(pattern.split('/'), name.split('/'))
}

export function isRepositoryPattern(text: string): boolean {
  return (
    text.length > 0 &&
    text.length <= 255 &&
    /^[a-z0-9._*/-]+$/.test(text) &&
    !text.includes('***') &&
    text.split('/').every((segment) => segment === '**' || (segment !== '' && !segment.includes('**')))
  )
}

/** Only the last `**` is ever tried anew, a segment later each time: what an earlier one took needs no other try. */
function matchSegments(pattern: string[], name: string[]): boolean {
  let p = 0
  let n = 0
  let again: { p: number; n: number } | undefined
  while (n < name.length) {
    if (pattern[p] === '**') again = { p: ++p, n }
    else if (p < pattern.length && matchSegment(pattern[p] ?? '', name[n] ?? '')) {
      p++
      n++
    } else if (again !== undefined) {
      again = { p: again.p, n: again.n + 1 }
      p = again.p
      n = again.n
    } else return false
  }
  return pattern.slice(p).every((segment) => segment === '**')
}

function matchSegment(pattern: string, text: string): boolean {
  const parts = pattern.split('*')
  if (parts.length === 1) return pattern === text
  const head = parts[0] ?? ''
  const tail = parts.at(-1) ?? ''
  if (!text.startsWith(head) || !text.endsWith(tail) || text.length < head.length + tail.length) return false
  let at = head.length
  for (const part of parts.slice(1, -1)) {
    const found = text.indexOf(part, at)
    if (found < 0 || found + part.length > text.length - tail.length) return false
    at = found + part.length
  }
  return true
}
