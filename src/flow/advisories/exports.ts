import { randomUUID } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { mkdir, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import type { Readable } from 'node:stream'
import { listRevisions, type Revision } from '../../advisories/revisions.ts'
import { rollBack } from '../../advisories/rollback.ts'
import { trustedKeyOf } from '../../advisories/signed/keys.ts'
import { writeSigned } from '../../advisories/signed/write.ts'
import { LazaretError } from '../../kit/errors.ts'
import { recordAudit, type Actor } from '../../store/audit.ts'
import type { Records } from '../../store/records/records.ts'
import { exportPair } from './export-key.ts'
import type { AdvisoryWatch } from './watch.ts'

export interface RevisionRow extends Pick<Revision, 'revision' | 'date' | 'madeAt' | 'sizeBytes' | 'origin'> {
  inForce: boolean
}

/** Advisories that leave this installation, and those of before. */
export interface AdvisoryExports {
  /** The public half of the key that signs: as others write it into `advisories.trustedKeys`. */
  key(): Promise<{ key: string; id: string }>
  /** One at a time. Out: the file, gone once it is read or left. Throws CONFLICT while another is made. */
  make(actor: Actor): Promise<{ revision: string; sizeBytes: number; body: Readable }>
  /** Those that are kept, the newest first. */
  revisions(): RevisionRow[]
  /** Throws NOT_FOUND, CONFLICT, UNAVAILABLE as `rollBack`. Once it resolves, what follows is queued. */
  rollBack(actor: Actor, revision: string): Promise<{ revision: string; copied: string; before: string }>
}

export interface ExportsParts {
  dataFolder: string
  records: Records
  watch: Pick<AdvisoryWatch, 'look'>
  now: () => number
}

export function createAdvisoryExports({ dataFolder, records, watch, now }: ExportsParts): AdvisoryExports {
  const outgoing = join(dataFolder, 'outgoing')
  let busy = false

  async function written(): Promise<{ revision: string; path: string }> {
    await rm(outgoing, { recursive: true, force: true }) // what a killed server left
    await mkdir(outgoing, { recursive: true, mode: 0o700 })
    const path = join(outgoing, randomUUID())
    const { revision } = await writeSigned(dataFolder, path, await exportPair(dataFolder), new Date(now()))
    return { revision, path }
  }

  return {
    async key() {
      const { text, id } = trustedKeyOf((await exportPair(dataFolder)).publicKey)
      return { key: text, id }
    },
    async make(actor) {
      if (busy) throw new LazaretError('CONFLICT', 'another export is being made')
      busy = true
      try {
        const { revision, path } = await written()
        const { size } = await stat(path)
        await records.write((tx) =>
          recordAudit(tx, {
            ...actor,
            action: 'advisories.export',
            subject: revision,
            result: 'done',
            at: now(),
            detail: { sizeBytes: size },
          }),
        )
        const body = createReadStream(path)
        body.once('open', () => void rm(path, { force: true })) // whoever reads has it open
        return { revision, sizeBytes: size, body }
      } finally {
        busy = false
      }
    },
    revisions: () =>
      listRevisions(dataFolder).map(({ revision, date, madeAt, sizeBytes, origin }, at) => ({
        revision,
        date,
        sizeBytes,
        inForce: at === 0,
        ...(madeAt === undefined ? {} : { madeAt }),
        ...(origin === undefined ? {} : { origin }),
      })),
    async rollBack(actor, name) {
      const { revision, ...done } = await rollBack(dataFolder, name)
      await records.write((tx) =>
        recordAudit(tx, { ...actor, action: 'advisories.rollback', subject: revision.revision, result: 'done', at: now(), detail: done }),
      )
      await watch.look()
      return { revision: revision.revision, ...done }
    },
  }
}
