import { readdir, readFile } from 'node:fs/promises'

/** In: a process. Out: it and all below it, the parents first. Linux. */
export async function treeOf(pid: number): Promise<number[]> {
  const children = new Map<number, number[]>()
  for (const name of await readdir('/proc')) {
    if (!/^\d+$/.test(name)) continue
    const parent = await parentOf(Number(name))
    if (parent !== undefined) children.set(parent, [...(children.get(parent) ?? []), Number(name)])
  }
  const tree: number[] = []
  for (const queue = [pid]; queue.length > 0; ) {
    const next = queue.shift() ?? 0
    tree.push(next)
    queue.push(...(children.get(next) ?? []))
  }
  return tree
}

async function parentOf(pid: number): Promise<number | undefined> {
  try {
    // proc(5): the name in brackets may hold anything; the state and the parent follow the last bracket.
    const stat = await readFile(`/proc/${pid}/stat`, 'utf8')
    return Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1])
  } catch (error) {
    if (['ENOENT', 'ESRCH'].includes((error as NodeJS.ErrnoException).code ?? '')) return undefined // it has ended meanwhile
    throw error
  }
}
