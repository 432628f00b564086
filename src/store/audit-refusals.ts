import { recordAudit, type AuditEntry } from './audit.ts'
import type { Records } from './records/records.ts'

/** Sign-ins that were refused, on their way into the audit log: a row a minute for each name and address, with a count. */
export interface Refusals {
  /** In: the name as it was typed, where it can be one, and the client's address. Never throws. */
  note(name: string, address: string): void
  /** Writes what was noted. */
  flush(): Promise<void>
}

/** Whoever guesses names from many places fills one row of these a minute, and no more: `(others)`. */
const mostPairs = 200
const others = { principal: 'anonymous', address: 'several', subject: 'user:(others)' }

export function createRefusals(records: Records, now: () => number): Refusals {
  let noted = new Map<string, Omit<AuditEntry, 'action' | 'result' | 'detail'> & { count: number }>()

  return {
    note(name, address) {
      const key = `${name}\n${address}`
      const known = noted.get(key)
      if (known !== undefined) known.count++
      else if (noted.size < mostPairs) noted.set(key, { principal: 'anonymous', address, subject: `user:${name}`, at: now(), count: 1 })
      else noted.set('', { ...others, at: now(), count: (noted.get('')?.count ?? 0) + 1 })
    },
    async flush() {
      if (noted.size === 0) return
      const some = noted
      noted = new Map()
      const entries = [...some.values()].map(
        ({ count, ...entry }): AuditEntry => ({ ...entry, action: 'sign-in', result: 'refused', detail: { count } }),
      )
      await records.write((tx) => recordAudit(tx, ...entries))
    },
  }
}
