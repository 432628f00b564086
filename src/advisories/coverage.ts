import type { Advisory } from '../model/advisory.ts'
import type { Coverage } from './form.ts'

/**
 * So many records that speak of one ecosystem, in one import, show that a source publishes what it knows about it, and not
 * that some record happened to mention it. The smallest list that covers one release of a distribution and is known to us
 * has 458 flaws (Alpine 3.3); the largest pile of scattered records has 152 (Ubuntu, all releases together).
 * A source with fewer has to be vouched for (`ImportOptions.coverage`).
 */
export const bulkRecords = 250

/** Bounds the memory of an input that invents ecosystems. */
const mostEcosystems = 10_000

/** Counts the records of one import by ecosystem. */
export class BulkCounts {
  private readonly counts = new Map<string, { records: number; newest: string }>()

  count(advisory: Advisory): void {
    for (const ecosystem of new Set(advisory.affected.map((affected) => affected.ecosystem))) {
      const known = this.counts.get(ecosystem) ?? { records: 0, newest: '' }
      if (known.records === 0 && this.counts.size >= mostEcosystems) continue
      known.records++
      if ((advisory.modified ?? '') > known.newest) known.newest = advisory.modified ?? ''
      this.counts.set(ecosystem, known)
    }
  }

  coverage(): Coverage[] {
    return [...this.counts]
      .filter(([, { records, newest }]) => records >= bulkRecords && newest !== '')
      .map(([ecosystem, { records, newest }]) => ({ ecosystem, depth: 'whole', asOf: newest, note: `imported: ${records} records` }))
  }
}
