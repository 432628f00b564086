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
  return matchSegments(pattern.split('/'), 0, name.split('/'), 0)
}

export function isRepositoryPattern(text: string): boolean {
  return text.length > 0 && text.length <= 255 && /^[a-z0-9._*/-]+$/.test(text) && !text.includes('***') && text.split('/').every((segment) => segment === '**' || (segment !== '' && !segment.includes('**')))
}

function matchSegments(pattern: string[], p: number, name: string[], n: number): boolean {
  if (p === pattern.length) return n === name.length
  if (pattern[p] === '**') {
    for (let rest = n; rest <= name.length; rest++) if (matchSegments(pattern, p + 1, name, rest)) return true
    return false
  }
  if (n === name.length) return false
  return matchSegment(pattern[p] ?? '', name[n] ?? '') && matchSegments(pattern, p + 1, name, n + 1)
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
