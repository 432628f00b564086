/**
 * In: a name as an archive spells it. Out: the path inside the root, as a runtime would have it: no leading slash, no
 * empty part, no `.`, and no `..`, which at the root leads nowhere. The root itself is the empty path.
 */
export function normalisePath(name: string): string {
  const bare = name.slice(name.startsWith('/') ? 1 : 0, name.endsWith('/') ? -1 : undefined)
  if (!abnormal.test(bare)) return bare
  const parts: string[] = []
  for (const part of name.split('/')) {
    if (part === '' || part === '.') continue
    if (part === '..') parts.pop()
    else parts.push(part)
  }
  return parts.join('/')
}

/** An empty part, `.` or `..`, wherever it stands. */
const abnormal = /(?:^|\/)\.{0,2}(?:\/|$)/

export function parentOf(path: string): string {
  const slash = path.lastIndexOf('/')
  return slash < 0 ? '' : path.slice(0, slash)
}

export function baseOf(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1)
}

export function joinPath(folder: string, name: string): string {
  return folder === '' ? name : `${folder}/${name}`
}

/** How many parts a normal path has. */
export function depthOf(path: string): number {
  let depth = 1
  for (let at = path.indexOf('/'); at >= 0; at = path.indexOf('/', at + 1)) depth++
  return depth
}
