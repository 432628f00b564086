import { mkdir } from 'node:fs/promises'
import { openAccess, type AccessStage } from '../access/access.ts'
import { challenge, realmFor, type AskedName } from '../access/challenge.ts'
import type { OpenAdvisories } from '../advisories/database.ts'
import { ensureDatabase } from '../advisories/ensure.ts'
import { createGate, type Gate } from '../gate/gate.ts'
import { createLists, type Lists } from '../gate/lists.ts'
import { extractorRevision } from '../inventory/extractors.ts'
import { policies } from '../judge/policy.ts'
import { createDiskWatch, type DiskWatch } from '../kit/disk-room.ts'
import type { Log } from '../kit/log.ts'
import { trustAuthorities } from '../kit/outgoing/authorities.ts'
import { publicUrls, type Settings } from '../kit/settings/settings.ts'
import type { Tracing } from '../kit/tracing/tracing.ts'
import { createBlobPush, type BlobPush } from '../push/blobs.ts'
import { createManifestPush, type ManifestPush } from '../push/manifests.ts'
import { recordAudit } from '../store/audit.ts'
import { estateOf } from '../store/estate.ts'
import { createBlobs } from '../store/blobs/blobs.ts'
import { createUploads, type Uploads } from '../store/blobs/uploads.ts'
import { addJob, requeueRunning } from '../store/jobs/jobs.ts'
import { createManifests, type Manifests } from '../store/manifests/manifests.ts'
import { openFileObjects } from '../store/objects/files.ts'
import type { PullRecords } from '../store/pulls.ts'
import { openRecords } from '../store/records/open.ts'
import type { Records } from '../store/records/records.ts'
import { repositoryFinder, type Repository } from '../store/repositories.ts'
import { createRepositorySettings, type RepositorySettingsStore } from '../store/repository-settings.ts'
import { createVerdictWaiters, type VerdictWaiters } from '../store/verdicts.ts'
import { createAdministration, type Administration } from './accounts/administration.ts'
import { advisoriesInForce } from './advisories/in-force.ts'
import { createAdvisoryExports, type AdvisoryExports } from './advisories/exports.ts'
import { trustedKeys } from './advisories/export-key.ts'
import { createAdvisoryImports, type AdvisoryImports } from './advisories/imports.ts'
import { createAdvisoryUpdates, type AdvisoryUpdates } from './advisories/updates.ts'
import { createAdvisoryWatch, type AdvisoryWatch } from './advisories/watch.ts'
import { createCollections, type Collections } from './collection.ts'
import { createLedger, type Ledger } from './ledger.ts'
import { advisoryDateOf } from './evidence.ts'
import { createExaminations } from './examinations.ts'
import { createFigures, type Figures } from './figures.ts'
import { createInventories } from './inventories.ts'
import { createBaseQueries } from './queries/bases.ts'
import { createQueries, type Queries } from './queries/queries.ts'
import { createRunner, type Runner } from './runner.ts'
import { createScrub, type Scrub } from './scrub.ts'
import { openTraced, type Traced } from './traced/traced.ts'
import { createWorkerPool, type WorkerPool } from './worker/pool.ts'

/** Everything that serves, put together once. */
export interface House extends AccessStage {
  settings: Settings
  log: Log
  /** Absent where nothing is traced. */
  tracing: Tracing | undefined
  records: Records
  manifests: Manifests
  waiters: VerdictWaiters
  uploads: Uploads
  findRepository: (name: string) => Promise<Repository | undefined>
  gate: Gate
  lists: Lists
  push: { blobs: BlobPush; manifests: ManifestPush }
  runner: Runner
  queries: Queries
  repositorySettings: RepositorySettingsStore
  pulls: PullRecords
  administration: Administration
  imports: AdvisoryImports
  advisoryExports: AdvisoryExports
  advisoryUpdates: AdvisoryUpdates
  collections: Collections
  scrub: Scrub
  disk: DiskWatch
  workers: WorkerPool
  figures: Figures
  /** The revision in force, for use before anything is awaited. */
  advisories: () => OpenAdvisories
  advisoryWatch: AdvisoryWatch
  /** The WWW-Authenticate value, for the name that was asked and the scope that is needed. */
  challenge: (asked: AskedName, scope: string | undefined) => string
  /** The address that was bound, known after listening. */
  bound: (port: number) => void
  publicUrl: () => string
  start: () => Promise<void>
  close: () => Promise<void>
}

export type { AskedName } from '../access/challenge.ts'

export const tokenPath = '/token'
export const tokenService = 'lazaret'
const expireEveryMs = 60_000

/**
 * Opens the data folder and puts the stages together. Out: the house, not yet serving nor working (`start`).
 * Errors: those of the stores, in words for an operator.
 */
export async function openHouse(settings: Settings, log: Log): Promise<House> {
  trustAuthorities(settings.network.ca)
  await mkdir(settings.data, { recursive: true, mode: 0o700 })
  const traced = await openTraced(settings, log)
  const [{ records, access, repositorySettings, ledger }, objects] = await Promise.all([
    openRecordsAndAccess(settings, log, traced),
    openFileObjects(settings.blobs).then(traced.objects),
    ensureDatabase(settings.data),
  ])
  const now = Date.now
  const graceMs = settings.gc.graceSeconds * 1000
  const policy = policies[settings.policy]
  const blobs = createBlobs(records, objects)
  const manifests = createManifests(records)
  const disk = createDiskWatch({ folders: [settings.data, settings.blobs], lowWaterBytes: settings.disk.lowWaterBytes, log })
  const uploads = createUploads(records, objects, { expireSeconds: settings.uploads.expireSeconds, requireRoom: () => disk.requireRoom(0) })
  const findRepository = repositoryFinder(records)
  const waiters = createVerdictWaiters()
  const workers = traced.workers(createWorkerPool({ blobs: settings.blobs, advisories: settings.data }, log))
  const advisories = advisoriesInForce(settings.data)
  const inventories = traced.inventories(createInventories({ records, blobs, workers, extractorRevision, now }))
  const advisoryRevision = () => advisories().revision
  const examinations = createExaminations({
    records,
    inventories,
    workers,
    waiters,
    policy,
    extractorRevision,
    advisoryRevision,
    changesSince: (revision) => advisories().changesSince(revision),
    advisoryDate: (evidence) => advisoryDateOf(evidence, advisories()),
    inUseDays: settings.inUse.days,
    now,
  })
  const runner = createRunner({ records, inventories, examinations, around: traced.job, log, now })
  const gate = traced.gate(
    createGate({
      manifests,
      blobs,
      waiters,
      findRepository,
      enforcing: policy.enforcing,
      waitSeconds: settings.gate.waitSeconds,
      graceMs,
      onPassedByGrant: (request, subject, standing) => auditPassage(records, request, subject, standing, now()),
      onPulled: ledger.pulls.note,
      ...(traced.onDecided === undefined ? {} : { onDecided: traced.onDecided }),
      now,
    }),
  )
  const push = {
    blobs: createBlobPush({ records, blobs, uploads, findRepository, mayTake: gate.mayTake, onAccepted: runner.wake, now }),
    manifests: createManifestPush({
      records,
      blobs,
      manifests,
      findRepository,
      immutableTags: repositorySettings.immutableTags,
      onAccepted: runner.wake,
      now,
    }),
  }
  const collections = createCollections({
    records,
    objects,
    uploads,
    findRepository,
    graceMs,
    intervalMs: settings.gc.intervalSeconds * 1000,
    onRestored: runner.wake,
    log,
    now,
  })
  const scrub = createScrub({ records, objects, bytesPerSecond: settings.scrub.bytesPerSecond, onDamage: runner.wake, log, now })
  const figures = createFigures({ records, log, now })
  const advisoryWatch = createAdvisoryWatch({ revision: advisoryRevision, onMoved: rematch, log })
  const advisoryUpdates = createAdvisoryUpdates({ settings, records, judged: judgedEcosystems, watch: advisoryWatch, log, now })
  let urls = publicUrls(settings)
  let timer: NodeJS.Timeout | undefined

  async function rematch(revision: string): Promise<void> {
    await records.write((tx) => addJob(tx, 'rematch', '*', now()))
    log.info({ revision }, 'other advisories are in force: images are judged anew')
    runner.wake()
  }

  function judgedEcosystems(): string[] {
    return advisories()
      .status()
      .ecosystems.flatMap(({ ecosystem, coverage }) => (coverage === undefined ? [] : ecosystem))
  }

  return {
    ...access,
    settings,
    log,
    tracing: traced.tracing,
    records,
    manifests,
    waiters,
    uploads,
    findRepository,
    gate,
    lists: createLists(manifests, findRepository),
    push,
    runner,
    repositorySettings,
    pulls: ledger.pulls,
    queries: createQueries({
      records,
      manifests,
      waiters,
      bases: createBaseQueries({ records, blobs, declared: settings.bases }),
      repositorySettings,
      pulls: ledger.pulls,
      dataFolder: settings.data,
      inUseDays: settings.inUse.days,
      now,
    }),
    administration: createAdministration(access.accounts, now),
    imports: createAdvisoryImports({
      dataFolder: settings.data,
      records,
      watch: advisoryWatch,
      now,
      trustedKeys: () => trustedKeys(settings),
    }),
    advisoryExports: createAdvisoryExports({ dataFolder: settings.data, records, watch: advisoryWatch, now }),
    collections,
    scrub,
    disk,
    workers,
    figures,
    advisories,
    advisoryWatch,
    advisoryUpdates,
    challenge: (asked, scope) => challenge(realmOf(asked, settings, urls), tokenService, scope),
    bound: (port) => {
      urls = publicUrls(settings, port)
    },
    publicUrl: () => urls[0] ?? '',
    async start() {
      await requeueRunning(records)
      advisoryWatch.start() // first: what moves from now on is seen by it, what moved before by the next line
      await queueWhatMoved(records, policy.revision, advisoryRevision(), now())
      workers.start()
      disk.start()
      runner.start()
      collections.start()
      scrub.start()
      ledger.start()
      advisoryUpdates.start()
      timer = setInterval(() => {
        uploads.expire().catch((error: unknown) => log.warn({ err: error }, 'uploads not expired'))
      }, expireEveryMs)
    },
    async close() {
      clearInterval(timer)
      await advisoryUpdates.stop()
      advisoryWatch.stop()
      disk.stop()
      await figures.stop()
      await collections.stop()
      await scrub.stop()
      workers.close()
      await runner.stop()
      await ledger.stop()
      await uploads.close()
      await objects.close()
      advisories.close()
      await records.close()
      await traced.tracing?.close()
    },
  }
}

interface Opened {
  records: Records
  access: AccessStage
  repositorySettings: RepositorySettingsStore
  ledger: Ledger
}

/** Where names were set, only those; else a listed proxy may tell the name under which it is reached. */
function realmOf({ host, scheme }: AskedName, { publicUrl }: Settings, publicUrls: string[]): string {
  return realmFor({ hostHeader: host, proxyScheme: publicUrl.length > 0 ? undefined : scheme, publicUrls, path: tokenPath })
}

async function openRecordsAndAccess(settings: Settings, log: Log, traced: Traced): Promise<Opened> {
  const records = traced.records(await openRecords(settings.data, settings.database))
  const ledger = createLedger({ records, keepDays: settings.audit.keepDays, log, now: Date.now })
  const repositorySettings = createRepositorySettings({
    records,
    declared: settings.repositories,
    publicPatterns: settings.public,
    now: Date.now,
  })
  const access = await openAccess({
    records,
    dataFolder: settings.data,
    service: tokenService,
    publicPatterns: settings.public,
    publicGrants: repositorySettings.publicGrants,
    onRefused: ledger.refusals.note,
    ...(settings.adminPassword === undefined ? {} : { adminPassword: settings.adminPassword }),
  })
  return { records, access: { ...access, signIn: traced.signIn(access.signIn) }, repositorySettings, ledger }
}

/** The policy, the advisories or the extractors may be others than when the server stopped: what was judged by the old ones is judged anew. */
async function queueWhatMoved(records: Records, policyRevision: string, advisoryRevision: string, now: number): Promise<void> {
  const otherPolicy = await records.read
    .selectFrom('verdicts')
    .select('manifest_id')
    .where('policy_revision', '!=', policyRevision)
    .limit(1)
    .executeTakeFirst()
  const otherEvidence = await records.read
    .selectFrom('evidence')
    .select('manifest_id')
    .where('extractors', '!=', extractorRevision)
    .limit(1)
    .executeTakeFirst()
  const estate = await estateOf(records.read)
  const isMoved = estate.revision !== advisoryRevision || estate.moving !== undefined
  await records.write(async (tx) => {
    if (otherPolicy !== undefined) await addJob(tx, 'rejudge', '*', now)
    if (otherEvidence !== undefined || isMoved) await addJob(tx, 'rematch', '*', now)
  })
}

async function auditPassage(
  records: Records,
  request: { principal: { kind: string; name: string }; address: string },
  subject: string,
  standing: string,
  at: number,
): Promise<void> {
  await records.write((tx) =>
    recordAudit(tx, {
      at,
      principal: `${request.principal.kind}:${request.principal.name}`,
      address: request.address,
      action: 'image.read-quarantined',
      subject,
      result: 'done',
      detail: { standing },
    }),
  )
}
