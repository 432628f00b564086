import { joinPath, parentOf } from './paths.ts'

/** As the Linux kernel gives up on a path (ELOOP). */
const maxLinkHops = 40

/**
 * In: a normal path, and what says where a symbolic link points. Out: the path with every link on the way, and at its
 * end, followed inside the root, never out of it. Throws a RangeError where links go in circles.
 */
export function followLinks(path: string, linkAt: (path: string) => string | undefined): string {
  const pending = path.split('/').reverse()
  let at = ''
  let hops = 0
  for (let part = pending.pop(); part !== undefined; part = pending.pop()) {
    if (part === '' || part === '.') continue
    if (part === '..') {
      at = parentOf(at)
      continue
    }
    const next = joinPath(at, part)
    const target = linkAt(next)
    if (target === undefined) {
      at = next
      continue
    }
    if (++hops > maxLinkHops) throw new RangeError(`more than ${maxLinkHops} symbolic links on the way to ${path}`)
    if (target.startsWith('/')) at = ''
    pending.push(...target.split('/').reverse())
  }
  return at
}
