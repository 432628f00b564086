// How long something took, and how much of a core the load itself burnt meanwhile: where that nears a whole core, a figure tells of
// the client.
import { readFileSync } from 'node:fs'

export const MiB = 1 << 20
let share = Number.NaN

/** Of the latest `timed`: CPU of this process and of the programs that it ran to their end, as a share of one core; NaN where nothing was. */
export function takeClientShare(): number {
  const taken = share
  share = Number.NaN
  return taken
}

/** Out: milliseconds. */
export async function timed(work: () => Promise<unknown>): Promise<number> {
  const [began, before] = [performance.now(), cpuMs()]
  await work()
  const ms = performance.now() - began
  share = (cpuMs() - before) / ms
  return ms
}

/** Out: MB a second. */
export async function rate(mebibytes: number, jobs: readonly (() => Promise<unknown>)[]): Promise<number> {
  return (mebibytes * MiB) / 1000 / (await timed(() => Promise.all(jobs.map((job) => job()))))
}

/** In: jobs, of which so many run at a time. Out: how many a second. */
export async function perSecond(clients: number, jobs: readonly (() => Promise<unknown>)[]): Promise<number> {
  const left = jobs.values()
  const client = async () => {
    for (const job of left) await job()
  }
  return (jobs.length * 1000) / (await timed(() => Promise.all(Array.from({ length: clients }, client))))
}

/** In: values in any order. Out: the one below which that share of them lies. */
export function quantile(values: readonly number[], at: number): number {
  return values.toSorted((a, b) => a - b)[Math.min(values.length - 1, Math.floor(values.length * at))] ?? Number.NaN
}

export function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor((values.length - 1) / 2)] ?? Number.NaN
}

/** proc(5): utime, stime, cutime and cstime, in ticks of 10 ms. */
function cpuMs(): number {
  const stat = readFileSync('/proc/self/stat', 'utf8')
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  return fields.slice(11, 15).reduce((sum, field) => sum + Number(field), 0) * 10
}
