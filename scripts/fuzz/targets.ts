import { advisoryTargets } from './advisories.ts'
import { extractorTargets } from './extractors.ts'
import { inventoryTargets } from './inventory.ts'
import { mutated } from './mutate.ts'
import { Random } from './random.ts'
import type { Target } from './target.ts'
import { wordTargets } from './words.ts'

/** Every reader of foreign bytes. Throws where one of a roster has no sample. */
export async function allTargets(): Promise<Target[]> {
  return [...extractorTargets(), ...(await inventoryTargets()), ...advisoryTargets(), ...(await wordTargets())]
}

const mostBytes = 8 * 1024 * 1024
/** Of one case: by far more than any takes, so that only what hangs or grows without bound is past it. */
const mostMs = 20_000

export class CaseFailed extends Error {
  readonly bytes: Buffer

  constructor(target: Target, seed: number, at: number, bytes: Buffer, cause: unknown) {
    super(
      `${target.name}: case ${at} of seed ${seed} (${bytes.length} bytes): ${cause instanceof Error ? (cause.stack ?? cause.message) : String(cause)}`,
    )
    this.bytes = bytes
  }
}

/** Runs the cases from `from` on, `count` of them: the samples themselves are the first. Throws CaseFailed. */
export async function runTarget(target: Target, { seed, from = 0, count }: { seed: number; from?: number; count: number }): Promise<void> {
  for (let at = from; at < from + count; at++) {
    const bytes = target.samples[at] ?? mutated(target.samples, new Random(seed, target.name, at), mostBytes)
    const began = performance.now()
    try {
      const said = await target.run(Buffer.from(bytes))
      if (said === 0 && at < target.samples.length) throw new Error('a sample that is well made says nothing')
    } catch (error) {
      throw new CaseFailed(target, seed, at, bytes, error)
    }
    const ms = performance.now() - began
    if (ms > mostMs) throw new CaseFailed(target, seed, at, bytes, new Error(`it took ${Math.round(ms)} ms`))
  }
}
