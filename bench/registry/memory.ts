// Memory of a server with all its processes, as PSS: what they share is counted once.
import { readdirSync, readFileSync } from 'node:fs'

/** In: a process. Out: MiB of it and of all that it began. */
export function treePss(pid: number): number {
  return processTree(pid).reduce((sum, one) => sum + pss(one), 0) / 1024
}

/** Looks while `work` runs. Out: the most that was seen, in MiB. */
export async function mostPss(pid: number, work: () => Promise<unknown>): Promise<number> {
  let most = treePss(pid)
  const timer = setInterval(() => {
    most = Math.max(most, treePss(pid))
  }, 250)
  try {
    await work()
  } finally {
    clearInterval(timer)
  }
  return Math.max(most, treePss(pid))
}

/** In: a process. Out: it and all that it began, and that still run. */
export function processTree(pid: number): number[] {
  const children = new Map<number, number[]>()
  for (const name of readdirSync('/proc').filter((one) => /^\d+$/.test(one))) {
    const stat = readIfThere(`/proc/${name}/stat`)
    const parent = Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1])
    children.set(parent, [...(children.get(parent) ?? []), Number(name)])
  }
  const tree = [pid]
  for (const one of tree) tree.push(...(children.get(one) ?? []))
  return tree
}

/** kB. */
function pss(pid: number): number {
  return Number(/^Pss:\s+(\d+)/m.exec(readIfThere(`/proc/${pid}/smaps_rollup`))?.[1] ?? 0)
}

/** A process may end between two looks. */
function readIfThere(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch (error) {
    if (['ENOENT', 'ESRCH'].includes((error as NodeJS.ErrnoException).code ?? '')) return ''
    throw error
  }
}
