import type { Origin } from '../origins.ts'
import type { Node, Roots } from './node.ts'

const mostThrough = 5

/**
 * Walks from the direct dependencies to all that they need, level by level, so that the nearest come first. It stops at
 * other direct ones: what those need is theirs. In: the roots. Out: adds to `origins`, by the key of a node.
 */
export function spread({ direct, directDev }: Roots, origins: Map<string, Origin>): void {
  const all = new Set([...direct, ...directDev])
  const running = walk(direct, all, new Set())
  const developing = walk(
    [...directDev].filter((node) => !direct.has(node)),
    all,
    new Set([...direct, ...running.keys()]),
  )
  for (const node of direct) origins.set(node.key, { direct: true })
  for (const node of directDev) if (!direct.has(node)) origins.set(node.key, { direct: true, ...(!running.has(node) && { dev: true }) })
  for (const [node, through] of running) if (!all.has(node)) origins.set(node.key, { through })
  for (const [node, through] of developing) if (!all.has(node)) origins.set(node.key, { dev: true, through })
}

/** In: where to start, who passes nothing on besides, and who is left out. Out: by node, who led there. */
function walk(from: Iterable<Node>, stops: ReadonlySet<Node>, leftOut: ReadonlySet<Node>): Map<Node, string[]> {
  const through = new Map<Node, string[]>()
  let level = [...from].map((node) => ({ node, by: `${node.pack.name}@${node.pack.version}` }))
  while (level.length > 0) {
    const next: typeof level = []
    for (const { node, by } of level) {
      for (const needed of node.needs) {
        const known = through.get(needed) ?? []
        if (leftOut.has(needed) || known.length >= mostThrough || known.includes(by)) continue
        through.set(needed, [...known, by])
        if (!stops.has(needed)) next.push({ node: needed, by })
      }
    }
    level = next
  }
  return through
}
