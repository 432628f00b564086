// What a year of pushes leaves, written in one go. Durability is no matter here: a folder that was not finished is made anew.
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { accountRows } from './accounts.ts'
import { imageWriter } from './images.ts'
import { ledgerWriter } from './ledger.ts'
import type { Model } from './models.ts'

export interface YearPlan {
  count: number
  seed: number
}

/** An image that the year left, as the check looks it up. */
export interface AgedImage {
  repository: string
  tag: string
  digest: string
  layerDigest: string
  baseDigest: string
  decision: string
}

export interface Year {
  repositories: number
  /** The repository with a tenth of all tags. */
  large: string
  sample: AgedImage[]
}

export const largeRepository = 'monorepo/nightly'
const dayMs = 86_400_000
const yearMs = 365 * dayMs
/** Rows of so many images share a transaction. */
const imagesAtOnce = 5000
const mostSampled = 200

/** In: the folder that `pushModels` left. Out: what a check looks up. The times count back from now, an hour ago being the last push. */
export async function writeYear(folder: string, models: Model[], plan: YearPlan, say: (text: string) => void): Promise<Year> {
  const db = new DatabaseSync(join(folder, 'records.sqlite'), { enableForeignKeyConstraints: false })
  try {
    db.exec('pragma journal_mode = wal; pragma synchronous = off; pragma cache_size = -1000000; pragma temp_store = memory')
    const begin = Date.now() - yearMs
    makeModelsOld(db, begin - dayMs)
    const year = writeImages(db, folder, models, plan, begin, say)
    requireReferences(db)
    db.exec('pragma wal_checkpoint(truncate)')
    return year
  } finally {
    db.close()
  }
}

function writeImages(db: DatabaseSync, folder: string, models: Model[], plan: YearPlan, begin: number, say: (text: string) => void): Year {
  const random = randomBy(plan.seed)
  const images = imageWriter(db, join(folder, 'blobs'), plan.seed)
  const ledger = ledgerWriter(db, random)
  const repositories = Math.max(2, Math.floor(plan.count / 10))
  const sampleEvery = Math.max(1, Math.floor(plan.count / mostSampled))
  const sample: AgedImage[] = []
  const step = (yearMs - 3_600_000) / plan.count
  db.exec('begin')
  accountRows(db, begin)
  for (let at = 0; at < plan.count; at++) {
    const when = Math.floor(begin + at * step)
    const place = placeOf(at, repositories)
    const model = modelOfTime(models, at / plan.count, random)
    const image = images.write(place.repository, place.tag, model, when)
    ledger.push({ ...image, at: when, nth: at })
    if (at % sampleEvery === 0)
      sample.push({
        ...place,
        digest: image.digest,
        layerDigest: image.layerDigest,
        baseDigest: model.baseDigest,
        decision: model.decision,
      })
    if ((at + 1) % imagesAtOnce === 0) db.exec('commit; begin')
    if ((at + 1) % 20_000 === 0) say(`${at + 1} of ${plan.count} images`)
  }
  ledger.end()
  collectionsOf(db, begin)
  // The scrub reads each once a week (flow/scrub.ts), a sixth of all a day.
  db.prepare('update blobs set verified_at = ? - (id % 6) * ?').run(Date.now(), dayMs)
  db.exec('commit')
  return { repositories, large: largeRepository, sample }
}

/** Every tenth push goes to the large repository, the others go round. */
function placeOf(at: number, repositories: number): { repository: string; tag: string } {
  if (at % 10 === 0) return { repository: largeRepository, tag: `build-${String(at / 10).padStart(6, '0')}` }
  const others = repositories - 1
  const nth = at - Math.floor(at / 10) - 1
  const which = nth % others
  return { repository: `team${which % 40}/service-${which}`, tag: `1.${Math.floor(nth / others)}.0` }
}

/** The bases move on month by month. */
function modelOfTime(models: Model[], share: number, random: () => number): Model {
  const apps = models.length / 12
  const model = models[Math.floor(share * 12) * apps + Math.floor(random() * apps)]
  if (model === undefined) throw new Error('there is no model for this month')
  return model
}

/** What was pushed just now is of the day before the year began. */
function makeModelsOld(db: DatabaseSync, at: number): void {
  const columns = {
    repositories: 'created_at',
    blobs: 'created_at',
    manifests: 'created_at',
    layers: 'created_at',
    blob_layers: 'read_at',
    manifest_links: 'pushed_at',
    tags: 'updated_at',
    tag_moves: 'moved_at',
    evidence: 'examined_at',
    verdicts: 'judged_at',
    users: 'created_at',
  }
  for (const [table, column] of Object.entries(columns)) db.prepare(`update ${table} set ${column} = ?`).run(at)
  db.prepare('update blob_links set linked_at = ?, checked = 1').run(at)
  db.prepare('update audit_log set at = ?').run(at) // chained anew by the ledger
}

/** Once an hour, of which the last thousand are kept (store/collection/runs.ts); the last is too young for another to begin. */
function collectionsOf(db: DatabaseSync, begin: number): void {
  const insert = db.prepare(
    `insert into collections (state, dry_run, started_by, started_at, lease_until, ended_at, freed, problem) values ('ended', 0, 'system', ?, ?, ?, ?, null)`,
  )
  const now = Date.now()
  for (let hour = 999; hour >= 0; hour--) {
    const at = now - 60_000 - hour * 3_600_000
    if (at < begin) continue
    const freed = { links: hour % 7, manifests: hour % 5, blobs: hour % 9, uploads: 0, objects: hour % 9, bytes: (hour % 9) * 4096 }
    insert.run(at, at + 60_000, at + 900, JSON.stringify(freed))
  }
}

function requireReferences(db: DatabaseSync): void {
  const wrong = db.prepare('pragma foreign_key_check').all()
  if (wrong.length > 0) throw new Error(`rows refer to what is not there: ${JSON.stringify(wrong.slice(0, 5))}`)
}

/** mulberry32: numbers from 0 to 1, the same for the same seed. */
export function randomBy(seed: number): () => number {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296
  }
}
