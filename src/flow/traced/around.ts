import about from '../../../package.json' with { type: 'json' }
import type { SignIn } from '../../access/signin.ts'
import type { Gate } from '../../gate/gate.ts'
import { LazaretError } from '../../kit/errors.ts'
import type { Log } from '../../kit/log.ts'
import type { Settings } from '../../kit/settings/settings.ts'
import { takeCauses } from '../../kit/tracing/causes.ts'
import { annotate, settled, type Span, traced, within } from '../../kit/tracing/span.ts'
import { createTracing } from '../../kit/tracing/tracing.ts'
import { jobKey } from '../../store/jobs/jobs.ts'
import type { ObjectStore, ObjectWriter } from '../../store/objects/objects.ts'
import type { Records } from '../../store/records/records.ts'
import type { Inventories } from '../inventories.ts'
import type { WorkerPool } from '../worker/pool.ts'
import type { Traced } from './traced.ts'

// The spans of a request, and of a job:
//   PUT manifests ─┬─ sign-in                job examine ─┬─ inventory (a layer) ── worker inventory
//                  └─ records write ◀─ link ─┘            ├─ match
//   GET blobs ─┬─ sign-in                                 └─ records write ── judge
//              └─ gate

/** In: settings that name a collector, and its URL. Out: what traces the house. */
export function createTraced(settings: Settings, endpoint: string, log: Log): Traced {
  const tracing = createTracing(settings, endpoint, about.version, log)
  return {
    tracing,
    records: tracedRecords,
    objects: tracedObjects,
    signIn: tracedSignIn,
    gate: tracedGate,
    onDecided: (decision, passage) => annotate({ 'lazaret.verdict': decision ?? 'pending', 'lazaret.gate': passage }),
    inventories: tracedInventories,
    workers: tracedWorkers,
    job(job, work) {
      const attributes = { 'lazaret.job.kind': job.kind, 'lazaret.job.subject': job.subject, 'lazaret.job.attempt': job.attempts }
      const span = tracing.begin(`job ${job.kind}`, 'consumer', { links: takeCauses(jobKey(job.kind, job.subject)), attributes })
      return within(span, () => settled(span, work))
    },
  }
}

/** A change that waits for others to share their commit runs within its own span all the same. */
function tracedRecords(records: Records): Records {
  return {
    ...records,
    write: (change, options) =>
      traced('records write', (span) => {
        if (span === undefined) return records.write(change, options)
        const phases = createPhases(span)
        return records
          .write((tx) => {
            phases.begun()
            return within(span, () => change(tx)).finally(phases.changed)
          }, options)
          .finally(phases.ended)
      }),
  }
}

/** How long a change waited, ran, and was committed; over PostgreSQL that of its last run. */
function createPhases(span: Span) {
  const askedAt = performance.now()
  let begunAt = askedAt
  let changedAt = askedAt
  return {
    begun() {
      begunAt = performance.now()
      changedAt = begunAt
    },
    changed() {
      changedAt = performance.now()
    },
    ended() {
      span.set({
        'lazaret.records.wait_ms': begunAt - askedAt,
        'lazaret.records.change_ms': changedAt - begunAt,
        'lazaret.records.commit_ms': performance.now() - changedAt,
      })
    },
  }
}

function tracedObjects(objects: ObjectStore): ObjectStore {
  return {
    ...objects,
    create: async (key) => tracedWriter(await objects.create(key)),
    resume: async (key) => tracedWriter(await objects.resume(key)),
  }
}

function tracedWriter(writer: ObjectWriter): ObjectWriter {
  return {
    get key() {
      return writer.key
    },
    get size() {
      return writer.size
    },
    append: (source, onChunk) =>
      traced('blob write', async (span) => {
        const before = writer.size
        try {
          await writer.append(source, onChunk)
        } finally {
          span?.set({ 'lazaret.blob.bytes': writer.size - before })
        }
      }),
    get intact() {
      return writer.intact
    },
    digest: (algorithm) => traced('blob digest', () => writer.digest(algorithm)),
    seal: () => traced('blob sync', () => writer.seal(), { 'lazaret.blob.bytes': writer.size }),
    release: () => writer.release(),
  }
}

function tracedSignIn(signIn: SignIn): SignIn {
  return {
    ...signIn,
    authenticate: (header, address) =>
      traced('sign-in', async (span) => {
        const principal = await signIn.authenticate(header, address)
        span?.set({ 'lazaret.principal.kind': principal.kind })
        return principal
      }),
    issue: (request) => traced('token', () => signIn.issue(request)),
    issueOAuth: (request) => traced('token', () => signIn.issueOAuth(request)),
  }
}

function tracedGate(gate: Gate): Gate {
  const around =
    <Given extends unknown[], Out>(ask: (...given: Given) => Promise<Out>) =>
    (...given: Given): Promise<Out> =>
      traced('gate', async (span) => {
        try {
          return await ask(...given)
        } catch (error) {
          span?.set(refusalOf(error))
          throw error
        }
      })
  return {
    ...gate,
    getManifest: around(gate.getManifest),
    headManifest: around(gate.headManifest),
    getBlob: around(gate.getBlob),
    headBlob: around(gate.headBlob),
    mayTake: around(gate.mayTake),
  }
}

/** The rules that say deny, as the refusal names them. */
function refusalOf(error: unknown): Record<string, string> {
  if (!(error instanceof LazaretError) || error.code !== 'DENIED') return {}
  const { reasons = [] } = (error.detail ?? {}) as { reasons?: { rule: string; effect: string }[] }
  const rules = [...new Set(reasons.filter(({ effect }) => effect === 'deny').map(({ rule }) => rule))]
  return rules.length === 0 ? {} : { 'lazaret.rule': rules.join(',') }
}

function tracedInventories(inventories: Inventories): Inventories {
  return {
    ...inventories,
    of: (digest) =>
      traced(
        'inventory',
        async (span) => {
          const input = await inventories.of(digest)
          span?.set({ 'lazaret.layer.state': input.state })
          return input
        },
        { 'lazaret.layer.digest': digest },
      ),
  }
}

function tracedWorkers(workers: WorkerPool): WorkerPool {
  return {
    ...workers,
    inventory: (task) => traced('worker inventory', () => workers.inventory(task), { 'lazaret.blob.bytes': task.sizeBytes }),
    examine: (task) =>
      traced(
        'match',
        async (span) => {
          const examined = await workers.examine(task)
          span?.set({ 'lazaret.packages': examined.parsed.packages.length, 'lazaret.findings': examined.parsed.findings.length })
          return examined
        },
        { 'lazaret.layers': task.layers.length },
      ),
  }
}
